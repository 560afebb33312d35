package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/limit"
)

// Concurrency bounds the requests in work at once; 0 is no bound. Bookings wait at the
// desk without a database connection, so there may be more of them; searches keep theirs
// for long.
type Concurrency struct {
	// Requests is how many there may be in all: of bookings bookingShare times as many, and
	// of searches a searchShare of it.
	Requests int
	// Caller is how many there may be of one token or user, with the same shares. It should
	// be less than the pool has connections, or one caller could wait with all of them for
	// a lock. An address without a token may have addressShare times as many, since many
	// people may be behind it and none of them waits for a lock.
	Caller int
}

const (
	bookingShare = 16 // with 16 connections a whole batch of the desk
	searchShare  = 4
	addressShare = 4
	// turnTimeout is how long a request waits for a place, among those of its caller and
	// among all, and turnLine how many do.
	turnTimeout = 2 * time.Second
	// roomOfOthers is that of reads, writes, logins and registrations.
	roomOfOthers = classReads
	turnLine     = 4096
)

// DefaultConcurrency is what suits a pool of so many connections: as many requests, so
// that none waits for a connection where it could wait in line, and half of them for one
// caller.
func DefaultConcurrency(conns int32) Concurrency {
	return Concurrency{Requests: int(conns), Caller: max(1, int(conns)/2)}
}

// inWork admits requests to work.
type inWork struct {
	Concurrency
	// rooms are those of all, by class, and callers those of each caller.
	rooms   map[limit.Class]*limit.Room
	callers *limit.Rooms
	allowed allowances
}

func newInWork(c Concurrency, allowed allowances) *inWork {
	w := &inWork{Concurrency: c, callers: limit.NewRooms(turnLine), allowed: allowed, rooms: map[limit.Class]*limit.Room{}}
	for _, class := range []limit.Class{roomOfOthers, classBookings, classSearches} {
		w.rooms[class] = limit.NewRoom(shareOf(c.Requests, class), turnLine)
	}
	return w
}

func (w *inWork) isOff() bool { return w.Requests == 0 && w.Caller == 0 }

// roomOf is the class in whose room requests of a class are.
func roomOf(class limit.Class) limit.Class {
	if class == classBookings || class == classSearches {
		return class
	}
	return roomOfOthers
}

// shareOf is how many requests of a class there may be for a number of ordinary ones.
func shareOf(n int, class limit.Class) int {
	switch class {
	case classBookings:
		return n * bookingShare
	case classSearches:
		return max(1, n/searchShare)
	}
	return n
}

// admitToken lets a request go on when its caller has a place for it, and when there is
// one at all. The caller is the token, which is not looked up for that, or the address if
// there is none. Who sends many requests at once waits for a while before they are
// refused, and so does not keep the machine busy with refusals.
func (w *inWork) admitToken(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if w.isOff() || o.limit == classNone {
			return next
		}
		return func(c echo.Context) error {
			class := roomOf(o.classOf(c.Request()))
			who, most := w.callerOf(o, c, class)
			leave, err := w.share(c, limit.Key{Class: class, Who: who}, most, func() {})
			if err != nil {
				return err
			}
			defer leave()
			// While its token is looked up, a booking needs a connection like all others.
			first := class
			if class == classBookings {
				first = roomOfOthers
			}
			leaveRoom, err := w.enter(c, first)
			if err != nil {
				return err
			}
			defer leaveRoom()
			c.Set(placeKey, leaveRoom)
			return next(c)
		}
	}
}

// placeKey is where the context has the function that gives back the request's place.
const placeKey = "place"

// admitUser bounds the requests of a user, who may have many tokens. Bookings go on to
// the room where they wait for their seats.
func (w *inWork) admitUser(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if w.isOff() || o.limit == classNone || o.token == tokenIgnored {
			return next
		}
		return func(c echo.Context) error {
			caller := access.CallerFrom(c.Request().Context())
			if !caller.IsKnown() {
				return next(c)
			}
			class := roomOf(o.classOf(c.Request()))
			leaveFirst, mustEnter := c.Get(placeKey).(func()), class == classBookings
			// Others have the place while this one waits for its user's.
			leave, err := w.share(c, limit.Key{Class: class, Who: caller.UserID.String()}, shareOf(w.Caller, class), func() {
				leaveFirst()
				mustEnter = true
			})
			if err != nil {
				return err
			}
			defer leave()
			if !mustEnter {
				return next(c)
			}
			leaveFirst()
			leaveRoom, err := w.enter(c, class)
			if err != nil {
				return err
			}
			defer leaveRoom()
			return next(c)
		}
	}
}

// callerOf is who a request counts for before its token is looked up, and how many
// requests they may have. All tokens of an address that has shown too many wrong ones
// count as one.
func (w *inWork) callerOf(o *operation, c echo.Context, class limit.Class) (who string, most int) {
	most = shareOf(w.Caller, class)
	address := addressKey(c.RealIP())
	bearer, err := bearerOf(c.Request().Header)
	// What is no token could be anything else that requests are counted by, such as the id
	// of another user.
	_, isToken := account.ParseSecret(bearer)
	switch {
	case o.token == tokenIgnored || err != nil || !isToken:
		return address, most * addressShare
	case w.allowed.areTokensUsedUp(address):
		return address + " tokens", most
	}
	return bearer, most
}

// share waits for a place of a caller. If it has to wait, it calls before first.
func (w *inWork) share(c echo.Context, key limit.Key, most int, before func()) (leave func(), err error) {
	if w.Caller == 0 {
		return func() {}, nil
	}
	leave = func() { w.callers.Leave(key) }
	if w.callers.TryEnter(key, most) {
		return untilAnswered(c, leave), nil
	}
	before()
	ctx, cancel := context.WithTimeout(c.Request().Context(), turnTimeout)
	defer cancel()
	if !w.callers.Enter(ctx, key, most) {
		header := c.Response().Header()
		header["Ratelimit-Policy"] = []string{fmt.Sprintf(`"at-once";q=%d;qu="concurrent-requests"`, most)}
		header["Ratelimit"] = []string{`"at-once";r=0;t=1`}
		return nil, fault.RateLimited.Newf("There are %s of this caller in work already. Wait until one of them is answered.",
			fault.Count(most, "request")).After(retryLater)
	}
	return untilAnswered(c, leave), nil
}

// enter waits for a place of the process.
func (w *inWork) enter(c echo.Context, class limit.Class) (leave func(), err error) {
	if w.Requests == 0 {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), turnTimeout)
	defer cancel()
	room := w.rooms[class]
	if !room.Enter(ctx) {
		return nil, fault.Overloaded.New("Too many requests are waiting to be processed.").After(retryLater)
	}
	return untilAnswered(c, room.Leave), nil
}

// untilAnswered returns leave so that it runs once: when the answer begins to be sent,
// which a client may take slowly, or when it is called.
func untilAnswered(c echo.Context, leave func()) func() {
	once := sync.OnceFunc(leave)
	c.Response().Before(once)
	return once
}
