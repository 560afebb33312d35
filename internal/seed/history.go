package seed

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// history simulates what happened to some slots: it applies commands, in the order of
// their times, to the core that the service uses (package seating). So ledgers and
// counters are right by construction, and the queue moves as it does in the service:
// what a command makes possible or due is done by another one, shortly after.
//
// Slots of one history may overlap in time with each other, but not with slots of
// another one, because each history sees only its own bookings.
type history struct {
	world  *world
	state  *seating.State
	opened []seating.Entry // of the slots
	agenda agenda
	// followed is the number of entries whose consequences were scheduled.
	followed int
	// blocked are the slots in which a user's waiting bookings were blocked.
	blocked map[uuid.UUID][]uuid.UUID
	// onOffer is called with each new offer, and may schedule an answer; may be nil.
	onOffer func(offer seating.Booking)
}

func (w *world) newHistory() *history {
	h := &history{world: w, state: seating.NewState(time.Time{}), blocked: map[uuid.UUID][]uuid.UUID{}}
	w.histories = append(w.histories, h)
	return h
}

// open adds a slot, whose waiting bookings expire when it starts.
func (h *history) open(slot seating.Slot, by seating.Actor) {
	slot, entry := seating.Open(slot, by)
	h.state.AddSlot(slot)
	h.opened = append(h.opened, entry)
	h.schedule(slot.StartsAt, func() { h.do(seating.Expire{SlotID: slot.ID}) })
}

// schedule calls run at a time, unless that is in the future.
func (h *history) schedule(t time.Time, run func()) {
	if !t.After(h.world.now) {
		heap.Push(&h.agenda, scheduled{at: t, order: h.agenda.made, run: run})
		h.agenda.made++
	}
}

// scheduleSoon calls run within a second: for what the service does by jobs.
func (h *history) scheduleSoon(run func()) {
	at := h.state.Now.Add(h.world.between(100*time.Millisecond, 900*time.Millisecond))
	if at.After(h.world.now) {
		at = h.world.now
	}
	h.schedule(at, run)
}

// runUntil runs everything that is scheduled up to a time, which may not be before
// that of the last call.
func (h *history) runUntil(until time.Time) {
	if until.Before(h.state.Now) {
		h.world.mistakes = append(h.world.mistakes, fmt.Errorf("run until %s after %s", until, h.state.Now))
	}
	for len(h.agenda.items) > 0 && !h.agenda.items[0].at.After(until) {
		next := heap.Pop(&h.agenda).(scheduled)
		h.state.Now = next.at
		next.run()
	}
	h.state.Now = until
}

// do applies a command now. A refusal is a mistake of the seeder.
func (h *history) do(c seating.Command) seating.Result {
	result, err := h.try(c)
	if err != nil {
		h.world.mistakes = append(h.world.mistakes, fmt.Errorf("%T at %s: %w", c, h.state.Now.Format(time.RFC3339), err))
	}
	return result
}

// try applies a command now. A refused command changes nothing.
func (h *history) try(c seating.Command) (seating.Result, error) {
	result, err := h.state.Apply(c)
	for _, b := range append(result.Promoted, result.Booking) {
		if b.Status == seating.Offered || b.Status == seating.Held {
			h.schedule(b.ExpiresAt, func() { h.do(seating.Expire{SlotID: b.SlotID}) })
		}
		if b.Status == seating.Offered && h.onOffer != nil {
			h.onOffer(b)
		}
	}
	if _, promoted := c.(seating.Promote); !promoted && !result.Slot.PromotionDueAt.IsZero() {
		h.promote(result.Slot.ID) // as the desk does by a job
	}
	h.scheduleConsequences()
	return result, err
}

// scheduleConsequences schedules the promotions that new entries make possible: in
// their slots, and in those where the same user is blocked.
func (h *history) scheduleConsequences() {
	entries := h.state.Entries()
	for _, e := range entries[h.followed:] {
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
	h.followed = len(entries)
}

func (h *history) promote(slotID uuid.UUID) {
	h.scheduleSoon(func() {
		if h.do(seating.Promote{SlotID: slotID}).More {
			h.promote(slotID)
		}
	})
}

// book returns the command to book seats now, or to join the waitlist.
func (h *history) book(slotID uuid.UUID, u *user, seats int) seating.Book {
	return seating.Book{
		BookingID: h.world.id(h.state.Now), SlotID: slotID, UserID: u.ID,
		Seats: seats, IfFull: seating.Wait, By: attendee(u),
	}
}

// confirm returns the command to confirm a hold or to accept an offer.
func confirm(b seating.Booking, from seating.Status) seating.Confirm {
	return seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: from, By: oneself(b)}
}

// decline returns the command to decline an offer.
func decline(b seating.Booking) seating.Decline {
	return seating.Decline{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: oneself(b)}
}

// checkIn returns the command to check somebody in, or to undo that.
func checkIn(b seating.Booking, by *user, undo bool) seating.CheckIn {
	return seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Undo: undo, By: organizer(by)}
}

// cancel returns the command to cancel a booking.
func cancel(b seating.Booking, by seating.Actor) seating.Cancel {
	return seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
}

func oneself(b seating.Booking) seating.Actor {
	return seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}
}
func attendee(u *user) seating.Actor  { return seating.Actor{Role: seating.ActorAttendee, ID: u.ID} }
func organizer(u *user) seating.Actor { return seating.Actor{Role: seating.ActorOrganizer, ID: u.ID} }

// agenda is a heap of scheduled functions by time; of two at the same time, the first
// scheduled comes first.
type agenda struct {
	items []scheduled
	made  int
}

type scheduled struct {
	at    time.Time
	order int
	run   func()
}

func (a *agenda) Len() int { return len(a.items) }
func (a *agenda) Less(i, j int) bool {
	x, y := a.items[i], a.items[j]
	return x.at.Before(y.at) || x.at.Equal(y.at) && x.order < y.order
}
func (a *agenda) Swap(i, j int) { a.items[i], a.items[j] = a.items[j], a.items[i] }
func (a *agenda) Push(x any)    { a.items = append(a.items, x.(scheduled)) }
func (a *agenda) Pop() any {
	last := len(a.items) - 1
	item := a.items[last]
	a.items = a.items[:last]
	return item
}
