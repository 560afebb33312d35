//go:build unix

package linear

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
)

// history is what clients do with a few slots at the same time, and what they are
// answered. Its slots and users are nobody else's.
type history struct {
	slots     []lab.Slot
	users     []lab.Person
	organizer *lab.Client

	mu         sync.Mutex
	operations []porcupine.Operation
	// numbers and ids name bookings, in the order in which they were lastKnown of.
	numbers map[uuid.UUID]int
	ids     []uuid.UUID
	// latest is the booking of each user in each slot that was lastKnown of last.
	latest [][]lastKnown
}

// chooser is what a client does next.
type chooser func(*history, *rand.Rand) spec.Request

const (
	// settleLimit is how long the service may take to pass on what was freed. It is
	// longer than it looks for lost wake-ups.
	settleLimit = 25 * time.Second
)

var errDropped = errors.New("too many requests were turned away: there is nothing to check")

func newHistory(p *lab.Deployment, users []lab.Person, slots []lab.Slot) *history {
	h := &history{slots: slots, users: users, organizer: p.Organizer, numbers: map[uuid.UUID]int{}, ids: []uuid.UUID{uuid.Nil}}
	for range users {
		h.latest = append(h.latest, make([]lastKnown, len(slots)))
	}
	return h
}

// round lets clients ask at the same time, each so many times, and then looks at
// everything until the service has done what it does by itself. It returns what
// happened, the lists of the slots' bookings at the end, and what was still to be
// done then.
func (h *history) round(ctx context.Context, choose chooser, sources []*rand.Rand, each int) (operations []porcupine.Operation, lists [][]view, undone, err error) {
	group, inner := errgroup.WithContext(ctx)
	for client, source := range sources {
		group.Go(func() error { return h.runClient(inner, client, choose, source, each) })
	}
	if err := group.Wait(); err != nil {
		return nil, nil, nil, err
	}
	var lost error
	asked := len(h.operations)
	undone = lab.Await(ctx, settleLimit, func(context.Context) error {
		h.operations = h.operations[:asked] // the last look is enough
		if lists, lost = h.lists(ctx, len(sources)); lost != nil {
			return nil
		}
		return h.unfinished(lists)
	})
	operations, h.operations = h.operations, nil
	return operations, lists, undone, errors.Join(lost, ctx.Err())
}

// lists are the live bookings of each slot. A client of its own asks for them.
func (h *history) lists(ctx context.Context, client int) (lists [][]view, err error) {
	for slot := range h.slots {
		a, err := h.ask(ctx, client, spec.Request{Verb: spec.ListBookings, Slot: slot})
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("the list of slot %d was answered with %d", slot, a.Status)
		}
		if err != nil {
			return nil, err
		}
		lists = append(lists, a.Shown)
	}
	return lists, nil
}

// runClient is one client: a request after the other.
func (h *history) runClient(ctx context.Context, client int, choose chooser, source *rand.Rand, each int) error {
	for answered, asked := 0, 0; answered < each; asked++ {
		if asked > 2*each {
			return errDropped
		}
		h.mu.Lock()
		c := choose(h, source)
		h.mu.Unlock()
		a, err := h.ask(ctx, client, c)
		if err != nil {
			return err
		}
		if a.Status != http.StatusServiceUnavailable {
			answered++
		}
	}
	return nil
}

// unfinished says what the service has yet to do by itself: the first who is not
// blocked has seats as soon as they are free, and who is blocked has a reason. It
// looks at the lists alone, and knows nothing of the models.
func (h *history) unfinished(lists [][]view) error {
	for slot, views := range lists {
		free := h.slots[slot].Capacity
		head := view{}
		for _, v := range views {
			switch {
			case v.Status == spec.Confirmed:
				free -= v.Seats
			case v.Blocked && !h.busy(lists, slot, v.User):
				return fmt.Errorf("slot %d: %v, by nothing", slot, v)
			case !v.Blocked && (head.Position == 0 || v.Position < head.Position):
				head = v
			}
		}
		if head.Position > 0 && head.Seats <= free {
			return fmt.Errorf("slot %d: %v, and %d seats are free", slot, head, free)
		}
	}
	return nil
}

// busy says whether a user has seats at an overlapping time. Of three slots, the
// first two overlap; a slot alone has no other beside it.
func (h *history) busy(lists [][]view, slot, user int) bool {
	other := 1 - slot
	return other >= 0 && other < len(lists) &&
		slices.ContainsFunc(lists[other], func(v view) bool { return v.User == user && v.Status == spec.Confirmed })
}

// ask sends a call and notes what came back. What was turned away without effect
// has not happened; what nobody knows the outcome of makes the history worthless.
func (h *history) ask(ctx context.Context, client int, c spec.Request) (answer, error) {
	r := h.send(ctx, c)
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	switch {
	case r.Unknown():
		return answer{}, fmt.Errorf("%s: nobody knows what became of it: %w", c, cmp.Or(r.Err, fmt.Errorf("%d %s", r.Status, r.Body)))
	case r.Untouched():
		return answer{Status: r.Status}, nil
	}
	var b body
	var refused lab.Problem
	into := any(&b)
	if r.Status >= http.StatusBadRequest {
		into = &refused
	}
	if err := r.Into(into); err != nil {
		return answer{}, fmt.Errorf("%s: %w", c, err)
	}
	if b.HasMore {
		return answer{}, fmt.Errorf("%s: more live bookings than a page has", c)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.read(c, r.Status, b, refused)
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: &c, Output: a, Call: int64(r.Called), Return: int64(r.Returned)})
	return a, nil
}

func (h *history) send(ctx context.Context, c spec.Request) lab.Answer {
	as := h.organizer
	if c.Verb != spec.ReadSlot && c.Verb != spec.ListBookings {
		as = as.As(h.users[c.Who])
	}
	h.mu.Lock()
	method, path, body := c.HTTP(spec.IDs{
		Slot:    func(i int) uuid.UUID { return h.slots[i].ID },
		Booking: func(i int) uuid.UUID { return h.ids[i] },
	})
	h.mu.Unlock()
	return as.Do(ctx, method, path, body)
}

// body is all that an answer which is no refusal may consist of.
type body struct {
	lab.Booking
	Data           []lab.Booking `json:"data"`
	HasMore        bool          `json:"has_more"`
	SeatsTaken     int           `json:"seats_taken"`
	WaitlistLength int           `json:"waitlist_length"`
}

// read is what the models look at of an answer. It notes what is lastKnown of bookings.
func (h *history) read(c spec.Request, status int, b body, refused lab.Problem) answer {
	a := answer{Status: status, Code: refused.Code, Item: spec.None}
	switch {
	case status >= http.StatusBadRequest:
		if refused.Item != nil {
			a.Item = *refused.Item
		}
		if refused.BookingID != uuid.Nil {
			a.Booking = h.number(refused.BookingID)
		}
	case c.Verb == spec.ReadSlot:
		a.Taken, a.Waiting = b.SeatsTaken, b.WaitlistLength
	case c.Verb == spec.ListBookings, c.Verb == spec.Bundle:
		a.Shown = make([]view, len(b.Data))
		for i, booking := range b.Data {
			a.Shown[i] = h.note(booking)
		}
	default:
		a.Shown = []view{h.note(b.Booking)}
	}
	if c.Verb == spec.ListBookings {
		slices.SortFunc(a.Shown, byBooking)
	}
	return a
}

// note notes a booking as the latest of its user and slot.
func (h *history) note(b lab.Booking) view {
	v := view{Booking: h.number(b.ID), Status: b.Status}
	v.User = slices.IndexFunc(h.users, func(p lab.Person) bool { return p.ID == b.UserID })
	slot := slices.IndexFunc(h.slots, func(s lab.Slot) bool { return s.ID == b.SlotID })
	if v.Status.Live() {
		v.Seats, v.Blocked, v.Position = b.Seats, b.Blocked, b.WaitlistPosition
	}
	if v.User >= 0 && slot >= 0 && h.latest[v.User][slot].booking <= v.Booking {
		h.latest[v.User][slot] = lastKnown{v.Booking, v.Status}
	}
	return v
}

func (h *history) number(id uuid.UUID) int {
	n, known := h.numbers[id]
	if !known {
		n = len(h.ids)
		h.numbers[id] = n
		h.ids = append(h.ids, id)
	}
	return n
}
