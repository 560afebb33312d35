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
	upcomingTimes = times{21, 170}
)

// happen makes an ordinary event, with what people did about it until now.
func (w *world) happen(t times) {
	h := w.ordinary()
	p := w.plan(t)
	e := w.publish(h, p)
	for i, slotID := range e.slots {
		w.crowd(h, slotID, p, p.slots[i])
	}
}

// ordinary is the one history of all ordinary events of the world: they compete
// for the same users' time.
func (w *world) ordinary() *history {
	if w.common == nil {
		w.common = w.newHistory()
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

// crowd lets people book a slot, and change their minds.
func (w *world) crowd(h *history, slotID uuid.UUID, p plan, s session) {
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
		regrets := time.Time{}
		if w.chance(12) {
			regrets = at.Add(w.between(time.Minute, until.Sub(at)))
		}
		h.at(at, func() { w.ask(h, slotID, u, seats, regrets) })
	}
	if w.chance(8) {
		more := s.capacity + 1 + w.random.IntN(4)
		h.at(p.publishedAt.Add(w.between(time.Hour, until.Sub(p.publishedAt))), func() {
			// Refused when the slot is no more to be edited.
			_, _ = h.try(seating.EditSlot{SlotID: slotID, Capacity: &more, By: organizer(p.owner)})
		})
	}
}

// ask lets a user ask for seats, and give them back at a later time, if there is
// one. Refusals are part of life: busy, late, asked before, nothing left.
func (w *world) ask(h *history, slotID uuid.UUID, u *user, seats int, regrets time.Time) {
	result, err := h.try(h.book(slotID, u, seats))
	if err == nil && !regrets.IsZero() {
		h.at(regrets, func() { _, _ = h.try(cancel(result.Booking, attendee(u))) })
	}
}
