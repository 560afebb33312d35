package seating

// Open returns a new slot and the first entry of its ledger. From then on only
// commands change the slot.
func Open(slot Slot, by Actor) (Slot, Entry) {
	s := NewState(slot.CreatedAt)
	s.AddSlot(slot)
	s.record(s.slots[slot.ID], nil, KindOpened, by, Cause{})
	return *s.slots[slot.ID], s.entries[0]
}
