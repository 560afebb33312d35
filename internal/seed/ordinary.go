package seed

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// dayRange is a range of days, counted from today. Ordinary events are outside of
// the days of the scenarios, so that no scenario has an accidental overlap.
type dayRange struct{ first, last int }

var (
	pastDays     = dayRange{-150, -10}
	upcomingDays = dayRange{28, 170}
)

// addOrdinaryEvent adds an event with random settings and bookings.
func (w *world) addOrdinaryEvent(days dayRange) {
	h := w.ordinary()
	p := w.plan(days)
	e := w.publish(h, p)
	for i, slotID := range e.slots {
		w.addDemand(h, slotID, e.slots[(i+1)%len(e.slots)], p, p.slots[i])
	}
}

// ordinary returns the one history of all ordinary events of the world: their
// bookings may overlap.
func (w *world) ordinary() *history {
	if w.common == nil {
		w.common = w.newHistory()
		w.common.onOffer = w.maybeAnswer
	}
	return w.common
}

// plan returns a random ordinary event.
func (w *world) plan(days dayRange) plan {
	kind := eventKinds[w.random.IntN(len(eventKinds))]
	p := plan{
		title: kind.title, description: kind.description,
		venue:  venues[w.random.IntN(len(venues))],
		owner:  w.organizers[w.random.IntN(len(w.organizers))],
		policy: w.policy(),
	}
	count, gap := 1, 1
	if w.chance(75) {
		count = 2 + w.random.IntN(4)
		gap = 1 + 6*w.random.IntN(2) // on consecutive days, or weekly
	}
	first := days.first + w.random.IntN(days.last-days.first-(count-1)*gap)
	for i := range count {
		p.slots = append(p.slots, slotPlan{
			startsAt: w.day(first+i*gap, kind.hour, kind.minute, p.venue.zone),
			lasts:    kind.lasts, capacity: kind.capacities[w.random.IntN(len(kind.capacities))],
		})
	}
	known := min(first, 0) - 5 - w.random.IntN(35)
	p.publishedAt = w.day(known, 9, 0, p.venue.zone).Add(w.between(0, 8*time.Hour))
	p.createdAt = p.publishedAt.Add(-w.between(time.Hour, 72*time.Hour))
	return p
}

// policy returns random settings.
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

// addDemand schedules random bookings of a slot, with changes and check-ins. Some
// bookings move to the event's next slot.
func (w *world) addDemand(h *history, slotID, nextID uuid.UUID, p plan, s slotPlan) {
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
		h.schedule(at, func() {
			if b, booked := w.requestSeats(h, slotID, u, seats); booked {
				h.schedule(at.Add(w.between(10*time.Minute, until.Sub(at))), func() { w.maybeChange(h, b, nextID, u) })
				h.schedule(s.startsAt.Add(w.between(0, 15*time.Minute)), func() { w.maybeCheckIn(h, b, p.owner) })
			}
		})
	}
	if w.chance(8) {
		more := s.capacity + 1 + w.random.IntN(4)
		h.schedule(p.publishedAt.Add(w.between(time.Hour, until.Sub(p.publishedAt))), func() {
			// Refused if the slot was cancelled or has started.
			_, _ = h.try(seating.EditSlot{SlotID: slotID, Capacity: &more, By: organizer(p.owner)})
		})
	}
}

// requestSeats books or holds seats for a user. It may be refused, as real requests
// are: because of an overlap, an earlier booking, or a full slot without a waitlist.
func (w *world) requestSeats(h *history, slotID uuid.UUID, u *user, seats int) (seating.Booking, bool) {
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
		h.schedule(h.state.Now.Add(w.between(time.Second, 9*time.Minute)), func() { _, _ = h.try(confirm(result.Booking, seating.Held)) })
	}
	return result.Booking, err == nil
}

// maybeChange may cancel, resize or move a booking, if that is still possible.
func (w *world) maybeChange(h *history, b seating.Booking, nextID uuid.UUID, u *user) {
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

// maybeAnswer accepts or declines most offers in time.
func (w *world) maybeAnswer(offer seating.Booking) {
	var c seating.Command = decline(offer)
	switch dice := w.random.IntN(100); {
	case dice < 60:
		c = confirm(offer, seating.Offered)
	case dice >= 75:
		return
	}
	h := w.common
	h.schedule(h.state.Now.Add(w.between(time.Minute, offer.ExpiresAt.Sub(h.state.Now))), func() { _, _ = h.try(c) })
}

// maybeCheckIn checks in most bookings that have seats.
func (w *world) maybeCheckIn(h *history, b seating.Booking, by *user) {
	if w.chance(85) {
		_, _ = h.try(checkIn(b, by, false))
	}
}
