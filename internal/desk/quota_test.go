//go:build unix

package desk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// quotaEnv is a user with a slot of a desk with quotas.
type quotaEnv struct {
	t          *testing.T
	desk       *desk.Desk
	slot, user uuid.UUID
	other      uuid.UUID // slot, at another time
	exec       func(sql string)
}

func newQuotaEnv(t *testing.T, q seating.Quotas) *quotaEnv {
	t.Helper()
	pool := testkit.DatabaseWith(t, testkit.MaxConns(desk.Connections))
	e := &quotaEnv{t: t, desk: testkit.Desk(t, pool), user: testkit.User(t, pool, access.Attendee).UserID}
	e.desk.LimitUsers(q)
	event := testkit.Event(t, pool).ID
	e.slot = testkit.Slot(t, pool, event).ID
	e.other = testkit.Slot(t, pool, event, testkit.Times(30*time.Hour, 31*time.Hour)).ID
	e.exec = func(sql string) { testkit.Exec(t, pool, sql) }
	t.Cleanup(func() { testkit.Sound(t, pool) })
	return e
}

func (e *quotaEnv) book() seating.Book {
	return seating.Book{BookingID: testkit.ID(), SlotID: e.slot, UserID: e.user, Seats: 1, IfFull: seating.Reject,
		By: seating.Actor{Role: seating.ActorAttendee, ID: e.user}}
}

func (e *quotaEnv) do(c seating.Command) (seating.Result, error) {
	out, err := e.desk.Do(context.Background(), desk.Submission{Command: c})
	return out.Result, err
}

func (e *quotaEnv) must(c seating.Command) seating.Result {
	e.t.Helper()
	r, err := e.do(c)
	must(e.t, err)
	return r
}

func (e *quotaEnv) cancel(b seating.Book) {
	e.t.Helper()
	e.must(seating.Cancel{SlotID: e.slot, BookingID: b.BookingID, UserID: e.user, By: b.By})
}

// heldFor holds a seat, gives it back, and lets the ledger say that it was held so long.
func (e *quotaEnv) heldFor(d string) {
	e.t.Helper()
	h := seating.Hold{Book: e.book()}
	e.must(h)
	e.cancel(h.Book)
	e.exec(`ALTER TABLE ledger DISABLE TRIGGER USER`)
	e.exec(`UPDATE ledger SET at = at - interval '` + d + `' WHERE kind = 'held' AND booking_id = '` + h.BookingID.String() + `'`)
	e.exec(`ALTER TABLE ledger ENABLE TRIGGER USER`)
}

// The budget of holds is found in the ledger, whoever wrote it.
func TestHoldsOfASlotHaveABudget(t *testing.T) {
	t.Parallel()
	e := newQuotaEnv(t, seating.Quotas{Holds: 2})
	e.heldFor("9 minutes")
	e.heldFor("9 minutes")
	e.heldFor("0")
	rest := seating.Hold{Book: e.book()}
	b := e.must(rest).Booking
	if left := b.ExpiresAt.Sub(b.CreatedAt); left > 2*time.Minute || left < 100*time.Second {
		t.Errorf("the rest of the budget is %s, want about two minutes", left)
	}
	e.cancel(rest.Book)
	e.heldFor("75 seconds")
	_, err := e.do(seating.Hold{Book: e.book()})
	f := fault.Of(err)
	if !errors.Is(err, fault.HoldCooldown) || f.Members.RetryAt == nil {
		t.Fatalf("%v", err)
	}
	if wait := time.Until(*f.Members.RetryAt); wait < 49*time.Minute || wait > 53*time.Minute {
		t.Errorf("retry in %s", wait)
	}
	booked := e.book()
	e.must(booked) // Booking is never blocked by it,
	e.cancel(booked)
	e.slot = e.other
	e.must(seating.Hold{Book: e.book()}) // nor is another slot.
}

// Somebody who changes their bookings of a slot again and again is stopped, but not kept
// from giving back.
func TestChangesOfASlotHaveAQuota(t *testing.T) {
	t.Parallel()
	e := newQuotaEnv(t, seating.Quotas{Changes: 7})
	for range 3 {
		b := e.book()
		e.must(b)
		e.cancel(b)
	}
	last := e.book()
	e.must(last)
	_, err := e.do(seating.Resize{SlotID: e.slot, BookingID: last.BookingID, UserID: e.user, Seats: 2, By: last.By})
	f := fault.Of(err)
	if !errors.Is(err, fault.QuotaExceeded) || *f.Members.Limit != 7 || time.Until(*f.Members.RetryAt) > time.Hour {
		t.Errorf("%v", err)
	}
	e.cancel(last)
	for _, c := range []seating.Command{e.book(), seating.Hold{Book: e.book()}, seating.Bundle{Items: []seating.Book{e.book()}}} {
		if _, err := e.do(c); !errors.Is(err, fault.QuotaExceeded) {
			t.Errorf("%T: %v", c, err)
		}
	}
	e.exec(`ALTER TABLE ledger DISABLE TRIGGER USER`)
	e.exec(`UPDATE ledger SET at = at - interval '1 hour'`)
	e.exec(`ALTER TABLE ledger ENABLE TRIGGER USER`)
	e.must(e.book())
}
