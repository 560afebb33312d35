package seed

import "time"

// addSeatLimits adds an event that limits the seats of a booking and of a user.
func (w *world) addSeatLimits() {
	policy := defaultPolicy()
	policy.MaxSeatsPerBooking, policy.MaxSeatsPerUser = 4, 6
	s := w.newScenarioEvent("Club concert", "At most four seats a booking and six a person, in all sets together.", venues[3], policy,
		w.slotAt(14, 16, 2*time.Hour, 40), w.slotAt(14, 19, 2*time.Hour, 40), w.slotAt(14, 22, 2*time.Hour, 4))
	u := w.attendees[240]
	first := s.bookAt(5*dayLong, 0, u, 4)
	second := s.bookAt(4*dayLong, 1, u, 2)
	s.bookAt(3*dayLong, 2, w.attendees[241], 4)
	w.addScenario(SeatLimits,
		Step{u.Email, post("/slots/%s/bookings {}", s.slots[2]), "409 user_seat_limit: they have six seats"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {"seats": 5}`, s.slots[0]), "409 booking_seat_limit: at most four"},
		Step{u.Email, post(`/slots/%s/bookings {"seats": 2, "if_full": "waitlist", "replaces_booking_id": "%s"}`, s.slots[2], second.ID),
			"201: as many seats, waiting instead of those of the second set"},
		Step{u.Email, get("/bookings/%s", first.ID), "four seats of the first set"},
	)
}
