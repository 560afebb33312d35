package sequence

// See asks for a booking.
func (h *House) See(who, b int) Answer {
	if !h.sees(who, b) {
		return refused("not_found")
	}
	return done(b)
}

// Of are a person's bookings.
func (h *House) Of(person int) (all []int) {
	for i, b := range h.Bookings {
		if b.Person == person {
			all = append(all, i)
		}
	}
	return all
}

// Ahead counts who waits before a booking, and for how many seats.
func (h *House) Ahead(b int) (bookings, seats int) {
	if h.Bookings[b].Status != Waitlisted {
		return 0, 0
	}
	for _, other := range h.Slots[h.Bookings[b].Slot].Queue {
		if other == b {
			break
		}
		bookings++
		seats += h.Bookings[other].Seats
	}
	return bookings, seats
}

// History are the entries of a booking.
func (h *House) History(b int) (kinds []string) {
	for _, e := range h.Slots[h.Bookings[b].Slot].Ledger {
		if e.Booking == b {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}
