package seed

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// times are the days, from today, on which ordinary events begin and end. The
// days in between belong to the scenarios, so that nobody is busy by accident.
type times struct{ first, last int }

var (
	pastTimes     = times{-150, -10}
	upcomingTimes = times{28, 170}
)

// happen makes an ordinary event, with what people did about it until now.
func (w *world) happen(t times) {
	h := w.ordinary()
	p := w.plan(t)
	e := w.publish(h, p)
	for i, slotID := range e.slots {
		w.crowd(h, slotID, e.slots[(i+1)%len(e.slots)], p, p.slots[i])
	}
}

// ordinary is the one history of all ordinary events of the world: they compete
// for the same users' time.
func (w *world) ordinary() *history {
	if w.common == nil {
		w.common = w.newHistory()
		w.common.asked = w.answer
	}
	return w.common
}

// plan decides what an ordinary event is like.
func (w *world) plan(t times) plan {
	kind := happenings[w.random.IntN(len(happenings))]
	p := plan{
		title: kind.title, description: kind.description,
		venue:  venues[w.random.IntN(len(venues))],
		owner:  w.organizers[w.random.IntN(len(w.organizers))],
		policy: w.policy(),
	}
	count, days := 1, 1
	if w.chance(75) {
		count = 2 + w.random.IntN(4)
		days = 1 + 6*w.random.IntN(2) // on consecutive days, or weekly
	}
	first := t.first + w.random.IntN(t.last-t.first-(count-1)*days)
	for i := range count {
		p.slots = append(p.slots, session{
			startsAt: w.day(first+i*days, kind.hour, kind.minute, p.venue.zone),
			lasts:    kind.lasts, capacity: kind.capacities[w.random.IntN(len(kind.capacities))],
		})
	}
	known := min(first, 0) - 5 - w.random.IntN(35)
	p.publishedAt = w.day(known, 9, 0, p.venue.zone).Add(w.between(0, 8*time.Hour))
	p.createdAt = p.publishedAt.Add(-w.between(time.Hour, 72*time.Hour))
	return p
}

// policy is what an ordinary organizer decides.
func (w *world) policy() seating.Policy {
	p := defaultPolicy()
	p.CancellationCloses = []time.Duration{0, 0, time.Hour, 2 * time.Hour, 24 * time.Hour}[w.random.IntN(5)]
	p.WaitlistLimit = []int{seating.NoLimit, seating.NoLimit, 20, 50}[w.random.IntN(4)]
	switch dice := w.random.IntN(100); {
	case dice < 15:
		p.Fit = seating.FitFirstFit
	case dice < 25:
		p.WaitlistMode, p.OfferFor = seating.WaitlistOffer, 24*time.Hour
	case dice < 30:
		p.WaitlistMode = seating.WaitlistOff
	}
	return p
}

// crowd lets people book a slot, change their minds, and come. Some of them would
// rather go to the event's next slot.
func (w *world) crowd(h *history, slotID, nextID uuid.UUID, p plan, s session) {
	demand := 10 + w.random.IntN(80) // in hundredths of the capacity
	if w.chance(30) {
		demand = 110 + w.random.IntN(50)
	}
	until := s.startsAt
	if w.now.Before(until) {
		until = w.now
	}
	for asked := 0; asked < s.capacity*demand/100; {
		u := w.attendees[w.random.IntN(len(w.attendees))]
		seats := []int{1, 1, 1, 1, 1, 1, 2, 2, 3, 4}[w.random.IntN(10)]
		asked += seats
		at := p.publishedAt.Add(w.between(0, until.Sub(p.publishedAt)))
		h.at(at, func() {
			if b, booked := w.ask(h, slotID, u, seats); booked {
				h.at(at.Add(w.between(10*time.Minute, until.Sub(at))), func() { w.change(h, b, nextID, u) })
				h.at(s.startsAt.Add(w.between(0, 15*time.Minute)), func() { w.come(h, b, p.owner) })
			}
		})
	}
	if w.chance(8) {
		more := s.capacity + 1 + w.random.IntN(4)
		h.at(p.publishedAt.Add(w.between(time.Hour, until.Sub(p.publishedAt))), func() {
			// Refused when the slot is no more to be edited.
			_, _ = h.try(seating.EditSlot{SlotID: slotID, Capacity: &more, By: organizer(p.owner)})
		})
	}
}

// ask lets a user ask for seats. Refusals are part of life: busy, late, asked
// before, nothing left.
func (w *world) ask(h *history, slotID uuid.UUID, u *user, seats int) (seating.Booking, bool) {
	book := h.book(slotID, u, seats)
	if w.chance(15) {
		book.SeatsMin = 1
	}
	if !w.chance(6) {
		result, err := h.try(book)
		return result.Booking, err == nil
	}
	result, err := h.try(seating.Hold{Book: book})
	if err == nil && w.chance(80) {
		h.at(h.state.Now.Add(w.between(time.Second, 9*time.Minute)), func() { _, _ = h.try(confirm(result.Booking, seating.Held)) })
	}
	return result.Booking, err == nil
}

// change is what a user does about a booking later, if anything; where that is
// no longer possible, it stays as it is.
func (w *world) change(h *history, b seating.Booking, nextID uuid.UUID, u *user) {
	var c seating.Command
	switch dice := w.random.IntN(100); {
	case dice < 12:
		c = cancel(b, attendee(u))
	case dice < 15:
		c = seating.Resize{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Seats: 1 + w.random.IntN(3), By: attendee(u)}
	case dice < 18:
		c = seating.Move{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, ToSlotID: nextID, NewID: w.id(h.state.Now), By: attendee(u)}
	default:
		return
	}
	_, _ = h.try(c)
}

// answer lets most people answer their offers in time: yes, or no.
func (w *world) answer(offer seating.Booking) {
	var c seating.Command = decline(offer)
	switch dice := w.random.IntN(100); {
	case dice < 60:
		c = confirm(offer, seating.Offered)
	case dice >= 75:
		return
	}
	h := w.common
	h.at(h.state.Now.Add(w.between(time.Minute, offer.ExpiresAt.Sub(h.state.Now))), func() { _, _ = h.try(c) })
}

// come lets most of those who have seats be checked in.
func (w *world) come(h *history, b seating.Booking, by *user) {
	if w.chance(85) {
		_, _ = h.try(checkIn(b, by, false))
	}
}
