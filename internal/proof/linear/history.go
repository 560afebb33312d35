//go:build unix

package linear

import (
	"cmp"
	"context"
	"encoding/json"
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
)

// history is what clients do with a few slots at the same time, and what they are
// answered. Its slots and users are nobody else's.
type history struct {
	slots     []lab.Slot
	users     []lab.Person
	organizer *lab.Client

	mu         sync.Mutex
	operations []porcupine.Operation
	// numbers and ids name bookings, in the order in which they were heard of.
	numbers map[uuid.UUID]uint16
	ids     []uuid.UUID
	// latest is the booking of each user in each slot that was heard of last.
	latest [][]heard
}

// chooser is what a client does next.
type chooser func(*history, *rand.Rand) call

const (
	// settleLimit is how long the service may take to pass on what was freed. It is
	// longer than it looks for lost wake-ups.
	settleLimit = 25 * time.Second
	// maxListed is how many live bookings fit on the page of a list.
	maxListed = 100
)

var errDropped = errors.New("too many requests were turned away: there is nothing to check")

func newHistory(p *lab.Place, users []lab.Person, slots []lab.Slot) *history {
	h := &history{slots: slots, users: users, organizer: p.Organizer, numbers: map[uuid.UUID]uint16{}, ids: []uuid.UUID{uuid.Nil}}
	for range users {
		h.latest = append(h.latest, make([]heard, len(slots)))
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
		group.Go(func() error { return h.talk(inner, client, choose, source, each) })
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
		return h.restless(lists)
	})
	operations, h.operations = h.operations, nil
	return operations, lists, undone, errors.Join(lost, ctx.Err())
}

// lists are the live bookings of each slot. A client of its own asks for them.
func (h *history) lists(ctx context.Context, client int) (lists [][]view, err error) {
	for slot := range h.slots {
		a, err := h.ask(ctx, client, call{verb: list, slot: slot})
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("the list of slot %d was answered with %d", slot, a.status)
		}
		if err != nil {
			return nil, err
		}
		lists = append(lists, a.shown)
	}
	return lists, nil
}

// talk is one client: a request after the other.
func (h *history) talk(ctx context.Context, client int, choose chooser, source *rand.Rand, each int) error {
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
		if a.status != http.StatusServiceUnavailable {
			answered++
		}
	}
	return nil
}

// restless says what the service has yet to do by itself: the first who is not
// blocked has seats as soon as they are free, and who is blocked has a reason.
func (h *history) restless(lists [][]view) error {
	for slot, views := range lists {
		free := h.slots[slot].Capacity
		head := view{}
		for _, v := range views {
			switch {
			case v.state == confirmed:
				free -= v.seats
			case v.blocked && !h.busy(lists, slot, v.user):
				return fmt.Errorf("slot %d: %v, by nothing", slot, v)
			case !v.blocked && (head.place == 0 || v.place < head.place):
				head = v
			}
		}
		if head.place > 0 && head.seats <= free {
			return fmt.Errorf("slot %d: %v, and %d seats are free", slot, head, free)
		}
	}
	return nil
}

// busy says whether a user has seats at an overlapping time. A slot alone has no
// other beside it.
func (h *history) busy(lists [][]view, slot, user int) bool {
	other := rival[slot]
	return other != none && other < len(lists) &&
		slices.ContainsFunc(lists[other], func(v view) bool { return v.user == user && v.state == confirmed })
}

// ask sends a call and notes what came back. What was turned away without effect
// has not happened; what nobody knows the outcome of makes the history worthless.
func (h *history) ask(ctx context.Context, client int, c call) (answer, error) {
	r := h.send(ctx, c)
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	switch {
	case r.Unknown():
		return answer{}, fmt.Errorf("%v: nobody knows what became of it: %w", c, cmp.Or(r.Err, fmt.Errorf("%d %s", r.Status, r.Body)))
	case r.Untouched():
		return answer{status: r.Status}, nil
	}
	var b body
	var refused problem
	into := any(&b)
	if r.Status >= http.StatusBadRequest {
		into = &refused
	}
	if err := json.Unmarshal(r.Body, into); err != nil {
		return answer{}, fmt.Errorf("%v: %w: %d %s", c, err, r.Status, r.Body)
	}
	if b.HasMore {
		return answer{}, fmt.Errorf("%v: more than %d live bookings", c, maxListed)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.read(c, r.Status, b, refused)
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: c, Output: a, Call: int64(r.Called), Return: int64(r.Returned)})
	return a, nil
}

func (h *history) send(ctx context.Context, c call) lab.Answer {
	slot := "/slots/" + h.slots[c.slot].ID.String()
	switch c.verb {
	case count:
		return h.organizer.Get(ctx, slot)
	case list:
		return h.organizer.Get(ctx, fmt.Sprintf("%s/bookings?status=confirmed,waitlisted&limit=%d", slot, maxListed))
	}
	user := h.organizer.As(h.users[c.user])
	h.mu.Lock()
	booking, gives := "/bookings/"+h.ids[c.booking].String(), h.ids[c.gives]
	h.mu.Unlock()
	switch c.verb {
	case book:
		wanted := map[string]any{"seats": c.seats, "if_full": "reject"}
		if c.waits {
			wanted["if_full"] = "waitlist"
		}
		if c.gives != 0 {
			wanted["replaces_booking_id"] = gives
		}
		return user.Post(ctx, slot+"/bookings", wanted)
	case cancel:
		return user.Post(ctx, booking+"/cancel", nil)
	case reduce:
		return user.Do(ctx, http.MethodPatch, booking, map[string]int{"seats": 1})
	case move:
		return user.Post(ctx, booking+"/move", map[string]uuid.UUID{"slot_id": h.slots[c.slot].ID})
	case bundle:
		var items []map[string]uuid.UUID
		for _, item := range c.items {
			items = append(items, map[string]uuid.UUID{"slot_id": h.slots[item].ID})
		}
		return user.Post(ctx, "/bookings", map[string]any{"items": items})
	}
	return user.Get(ctx, booking)
}

// body is all that the answer to a call may consist of, problem is a refusal.
type body struct {
	lab.Booking
	Data           []lab.Booking `json:"data"`
	HasMore        bool          `json:"has_more"`
	SeatsTaken     int           `json:"seats_taken"`
	WaitlistLength int           `json:"waitlist_length"`
}

type problem struct {
	Code      string    `json:"code"`
	BookingID uuid.UUID `json:"booking_id"`
	Item      *int      `json:"item"`
}

// read is what the models look at of an answer. It notes what is heard of bookings.
func (h *history) read(c call, status int, b body, refused problem) answer {
	a := answer{status: status, code: refused.Code, item: none}
	switch {
	case status >= http.StatusBadRequest:
		if refused.Item != nil {
			a.item = *refused.Item
		}
		if refused.BookingID != uuid.Nil {
			a.booking = h.number(refused.BookingID)
		}
	case c.verb == count:
		a.taken, a.waiting = b.SeatsTaken, b.WaitlistLength
	case c.verb == list, c.verb == bundle:
		a.shown = make([]view, len(b.Data))
		for i, booking := range b.Data {
			a.shown[i] = h.hear(booking)
		}
	default:
		a.shown = []view{h.hear(b.Booking)}
	}
	if c.verb == list {
		slices.SortFunc(a.shown, byBooking)
	}
	return a
}

// hear notes a booking as the latest of its user and slot.
func (h *history) hear(b lab.Booking) view {
	v := view{booking: h.number(b.ID), state: b.Status}
	v.user = slices.IndexFunc(h.users, func(p lab.Person) bool { return p.ID == b.UserID })
	slot := slices.IndexFunc(h.slots, func(s lab.Slot) bool { return s.ID == b.SlotID })
	if v.live() {
		v.seats, v.blocked = b.Seats, b.Blocked
		if b.WaitlistPosition != nil {
			v.place = *b.WaitlistPosition
		}
	}
	if v.user >= 0 && slot >= 0 && h.latest[v.user][slot].booking <= v.booking {
		h.latest[v.user][slot] = heard{v.booking, v.state}
	}
	return v
}

func (h *history) number(id uuid.UUID) uint16 {
	n, known := h.numbers[id]
	if !known {
		n = uint16(len(h.ids))
		h.numbers[id] = n
		h.ids = append(h.ids, id)
	}
	return n
}
