package seating

// Keep puts a new hold into the state: seats of b.SlotID that are kept for b
// until b.ExpiresAt. It only writes down what was decided already, with its
// entry; the seeder tells histories with it.
func (s *State) Keep(b Booking, by By) Booking {
	slot := s.slots[b.SlotID]
	b.Status, b.StartsAt, b.EndsAt = Held, slot.StartsAt, slot.EndsAt
	b.CreatedAt, b.UpdatedAt = s.Now, s.Now
	slot.SeatsTaken += b.Seats
	s.record(slot, &b, KindHeld, by, Cause{})
	s.add(&b)
	return b
}
