package sequence

// Rests are the houses that this one may come to rest in. Slots promote each by
// themselves, and nobody promises in which order; where that makes a difference,
// there are several.
//
// One more thing is left open. Somebody who waits and has seats elsewhere is
// found out at a promotion. Whether one has taken place that served nobody cannot
// be seen otherwise, so they may be marked or not; but nobody may wait behind
// them on their account.
func (h *House) Rests() []*House {
	var rests []*House
	seen := map[string]bool{}
	for open := []*House{h}; len(open) > 0; {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		key := at.key()
		if seen[key] {
			continue
		}
		seen[key] = true
		restless := false
		for slot := range at.Slots {
			next, must := at.steps(slot)
			open = append(open, next...)
			restless = restless || must
		}
		if !restless {
			rests = append(rests, at)
		}
	}
	return rests
}

// steps are what may happen in a slot next, and whether something must.
func (h *House) steps(slot int) (next []*House, must bool) {
	if h.Slots[slot].Status == Cancelled {
		return h.clear(slot)
	}
	for _, b := range h.Slots[slot].Queue {
		if h.Bookings[b].Blocked && h.unblockable(b) {
			after := h.Clone()
			after.Bookings[b].Blocked, after.Bookings[b].Blocker = false, None
			after.record(b, "unblocked")
			return []*House{after}, true
		}
	}
	return h.promote(slot)
}

// clear cancels what lives in a cancelled slot.
func (h *House) clear(slot int) (next []*House, must bool) {
	after := h.Clone()
	for i, b := range h.Bookings {
		if b.Slot == slot && b.Live() {
			after.turn(i, Cancelled, Cancelled)
			must = true
		}
	}
	if must {
		next = append(next, after)
	}
	return next, must
}

// unblockable says whether the reason is gone.
func (h *House) unblockable(b int) bool {
	it := h.Bookings[b]
	if it.Blocker == None {
		return it.least() <= h.Slots[it.Slot].Capacity
	}
	return !h.Bookings[it.Blocker].Seated()
}

// promote goes through the queue until somebody can be served.
func (h *House) promote(slot int) (next []*House, must bool) {
	var passed []int
	for _, b := range h.ready(slot) {
		it := h.Bookings[b]
		if h.Free(slot) <= 0 || !h.passable(passed) {
			break
		}
		hindered := h.hindered(b)
		switch {
		case len(hindered) > 0:
			if len(next) == 0 { // those behind come after
				next = hindered
			}
		case it.least() > h.Free(slot):
			passed = append(passed, b)
		case len(next) > 0:
			return next, true
		default:
			after := h.Clone()
			if h.Rules.Waitlist == "offer" && h.gives(b) == None {
				after.seat(b, Offered, Offered, passed)
			} else {
				after.seat(b, Confirmed, "promoted", passed)
			}
			return []*House{after}, true
		}
	}
	return next, false
}

// hindered is the house in which somebody is found not to be able to take seats:
// one for each booking that may be named as the reason.
func (h *House) hindered(b int) (next []*House) {
	it := h.Bookings[b]
	reasons := h.busy(it.Person, it.Slot, h.gives(b))
	if it.least() > h.Slots[it.Slot].Capacity {
		reasons = []int{None}
	}
	for _, blocker := range reasons {
		after := h.Clone()
		after.Bookings[b].Blocked, after.Bookings[b].Blocker = true, blocker
		after.record(b, "blocked")
		next = append(next, after)
	}
	return next
}
