package seed

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// history is what happened to some slots, told in the order of time to the same
// slot machine that the service runs. So ledgers and counters are right by
// construction, and the queue moves as it does in the service: what a command
// makes possible or due is done by another one, a moment later.
//
// The slots of one history may overlap each other in time, but none of another's.
type history struct {
	world  *world
	state  *seating.State
	opened []seating.Entry
	// todo is what will happen, seen how many entries were looked at for what
	// follows from them, and blocked where users wait who were found busy.
	todo    timeline
	seen    int
	blocked map[uuid.UUID][]uuid.UUID
	// asked is told of the offers, for people to answer them; nil lets them run out.
	asked func(offer seating.Booking)
}

func (w *world) newHistory() *history {
	h := &history{world: w, state: seating.NewState(time.Time{}), blocked: map[uuid.UUID][]uuid.UUID{}}
	w.histories = append(w.histories, h)
	return h
}

// open adds a slot. When it starts, the waiting for it ends.
func (h *history) open(slot seating.Slot, by seating.Actor) {
	slot, entry := seating.Open(slot, by)
	h.state.AddSlot(slot)
	h.opened = append(h.opened, entry)
	h.at(slot.StartsAt, func() { h.do(seating.Expire{SlotID: slot.ID}) })
}

// at lets something happen, unless its time is yet to come when the history is told.
func (h *history) at(t time.Time, happens func()) {
	if !t.After(h.world.now) {
		heap.Push(&h.todo, moment{at: t, order: h.todo.made, happens: happens})
		h.todo.made++
	}
}

// soon lets something happen in a moment: what the service does by a job.
func (h *history) soon(happens func()) {
	at := h.state.Now.Add(h.world.between(100*time.Millisecond, 900*time.Millisecond))
	if at.After(h.world.now) {
		at = h.world.now
	}
	h.at(at, happens)
}

// tell lets everything happen up to a time. Histories are told forwards.
func (h *history) tell(until time.Time) {
	if until.Before(h.state.Now) {
		h.world.mistakes = append(h.world.mistakes, fmt.Errorf("told %s after %s", until, h.state.Now))
	}
	for len(h.todo.moments) > 0 && !h.todo.moments[0].at.After(until) {
		next := heap.Pop(&h.todo).(moment)
		h.state.Now = next.at
		next.happens()
	}
	h.state.Now = until
}

// do applies a command now that cannot be refused.
func (h *history) do(c seating.Command) seating.Result {
	result, err := h.try(c)
	if err != nil {
		h.world.mistakes = append(h.world.mistakes, fmt.Errorf("%T at %s: %w", c, h.state.Now.Format(time.RFC3339), err))
	}
	return result
}

// try applies a command now. A refusal leaves no trace, here as in the service.
func (h *history) try(c seating.Command) (seating.Result, error) {
	result, err := h.state.Apply(c)
	for _, b := range append(result.Promoted, result.Booking) {
		if b.Status == seating.Offered || b.Status == seating.Held {
			h.at(b.ExpiresAt, func() { h.do(seating.Expire{SlotID: b.SlotID}) })
		}
		if b.Status == seating.Offered && h.asked != nil {
			h.asked(b)
		}
	}
	if _, promoted := c.(seating.Promote); !promoted && !result.Slot.PromotionDueAt.IsZero() {
		h.promote(result.Slot.ID) // as the desk does, by a job
	}
	h.follow()
	return result, err
}

// follow lets follow what new entries make possible: promotions in their slots,
// and where the same user is blocked.
func (h *history) follow() {
	entries := h.state.Entries()
	for _, e := range entries[h.seen:] {
		switch e.Kind {
		case seating.KindBlocked:
			if !slices.Contains(h.blocked[e.UserID], e.SlotID) {
				h.blocked[e.UserID] = append(h.blocked[e.UserID], e.SlotID)
			}
		case seating.KindCancelled, seating.KindDeclined, seating.KindMoved, seating.KindExpired, seating.KindResized, seating.KindEdited:
			h.promote(e.SlotID)
			for _, slotID := range h.blocked[e.UserID] {
				h.promote(slotID)
			}
		}
	}
	h.seen = len(entries)
}

func (h *history) promote(slotID uuid.UUID) {
	h.soon(func() {
		if h.do(seating.Promote{SlotID: slotID}).More {
			h.promote(slotID)
		}
	})
}

// book is the command by which a user asks for seats now, and waits where there are none.
func (h *history) book(slotID uuid.UUID, u *user, seats int) seating.Book {
	return seating.Book{
		BookingID: h.world.id(h.state.Now), SlotID: slotID, UserID: u.ID,
		Seats: seats, IfFull: seating.Wait, By: attendee(u),
	}
}

// confirm is the command by which a user confirms a hold or accepts an offer.
func confirm(b seating.Booking, from seating.Status) seating.Confirm {
	return seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: from, By: oneself(b)}
}

// decline is the command by which a user declines an offer.
func decline(b seating.Booking) seating.Decline {
	return seating.Decline{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: oneself(b)}
}

// checkIn is the command by which the organizer lets somebody in.
func checkIn(b seating.Booking, by *user, undo bool) seating.CheckIn {
	return seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Undo: undo, By: organizer(by)}
}

// cancel is the command by which somebody cancels a booking.
func cancel(b seating.Booking, by seating.Actor) seating.Cancel {
	return seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
}

func oneself(b seating.Booking) seating.Actor {
	return seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}
}
func attendee(u *user) seating.Actor  { return seating.Actor{Role: seating.ActorAttendee, ID: u.ID} }
func organizer(u *user) seating.Actor { return seating.Actor{Role: seating.ActorOrganizer, ID: u.ID} }

// timeline is a heap of moments by their time; of two at once, the first made is first.
type timeline struct {
	moments []moment
	made    int
}

type moment struct {
	at      time.Time
	order   int
	happens func()
}

func (t *timeline) Len() int { return len(t.moments) }
func (t *timeline) Less(i, j int) bool {
	a, b := t.moments[i], t.moments[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.order < b.order
}
func (t *timeline) Swap(i, j int) { t.moments[i], t.moments[j] = t.moments[j], t.moments[i] }
func (t *timeline) Push(x any)    { t.moments = append(t.moments, x.(moment)) }
func (t *timeline) Pop() any {
	last := len(t.moments) - 1
	m := t.moments[last]
	t.moments = t.moments[:last]
	return m
}
