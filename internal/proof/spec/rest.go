package spec

import (
	"fmt"
	"slices"
)

// Rests are the models that this one may come to rest in, when the service has
// done what it does by itself. Slots promote each by themselves, and nobody
// promises in which order; where that makes a difference, there are several.
//
// One more thing is left open. That somebody waits and has seats elsewhere is
// found at a promotion. Whether there has been one that served nobody cannot be
// seen otherwise, so they may be blocked or not; but nobody may wait behind them
// on their account.
func (m *Model) Rests() (rests []*Model) {
	m.explore(func(at *Model) []*Model {
		var all []*Model
		atRest := true
		for slot := range at.Slots {
			next, must := at.inOrder(slot)
			all, atRest = append(all, next...), atRest && !must
		}
		if atRest {
			rests = append(rests, at)
		}
		return all
	})
	return rests
}

// Reachable are the models that this one may have become by itself at some
// moment, this one included.
func (m *Model) Reachable() []*Model {
	return m.explore(func(at *Model) (all []*Model) {
		for slot := range at.Slots {
			promoted, _ := at.promotions(slot)
			all = append(append(all, at.unblocks(slot)...), promoted...)
		}
		return all
	})
}

// explore visits everything that can be reached, once, this one first.
func (m *Model) explore(next func(*Model) []*Model) []*Model {
	all, seen := []*Model{m}, map[string]bool{m.Key(): true}
	for i := 0; i < len(all); i++ {
		for _, n := range next(all[i]) {
			if key := n.Key(); !seen[key] {
				seen[key] = true
				all = append(all, n)
			}
		}
	}
	return all
}

// inOrder is what may happen next in a slot that comes to rest, and whether
// something must: whose reason is gone is put back before anybody is promoted.
func (m *Model) inOrder(slot int) (next []*Model, must bool) {
	if m.Slots[slot].Status == SlotCancelled {
		return m.cancelAll(slot)
	}
	if unblocked := m.unblocks(slot); len(unblocked) > 0 {
		return unblocked[:1], true
	}
	return m.promotions(slot)
}

// cancelAll ends everything that lives in a cancelled slot and is not final.
func (m *Model) cancelAll(slot int) (next []*Model, must bool) {
	after := m.Clone()
	for _, b := range m.Bookings() {
		if b.Slot == slot && b.Status.Live() && !m.final(&b) {
			after.must(Step{Kind: KindCancelled, Slot: slot, Booking: b.Number})
			next = []*Model{after}
		}
	}
	return next, len(next) > 0
}

// unblocks are the models in which one of those is back in the queue whose reason
// to be blocked is gone, in the order of the queue.
func (m *Model) unblocks(slot int) (next []*Model) {
	for i := range m.Slots[slot].Queue {
		if b := &m.Slots[slot].Queue[i]; b.Blocked && m.unblockable(b) {
			after := m.Clone()
			after.must(Step{Kind: KindUnblocked, Slot: slot, Booking: b.Number})
			next = append(next, after)
		}
	}
	return next
}

// promotions are the models after the next promotion in a slot, or, where somebody
// has to be blocked before, one for each reason that may be named. must says
// whether somebody waits who can be served.
func (m *Model) promotions(slot int) (next []*Model, must bool) {
	due := m.next(slot)
	for _, reason := range due.reasons {
		after := m.Clone()
		after.must(Step{Kind: KindBlocked, Slot: slot, Booking: due.hindered.Number, Blocker: reason})
		next = append(next, after)
	}
	if due.outgrown != nil {
		after := m.Clone()
		after.must(Step{Kind: KindCancelled, Slot: slot, Booking: due.outgrown.Number})
		next = append(next, after)
	}
	if due.hindered == nil && due.outgrown == nil && due.served != nil {
		after := m.Clone()
		after.PromoteNext(slot)
		next = append(next, after)
	}
	return next, due.served != nil
}

// PromoteNext promotes the next in a slot's queue, and says whether there was one.
func (m *Model) PromoteNext(slot int) bool {
	due := m.next(slot)
	if due.hindered != nil || due.outgrown != nil || due.served == nil {
		return false
	}
	step := Step{Kind: KindPromoted, Slot: slot, Booking: due.served.Number}
	if m.mustOffer(due.served) {
		step.Kind = KindOffered
	}
	m.must(step)
	m.complete(step.Booking)
	return true
}

// Undecided says who has to be promoted, blocked or put back into a slot's queue
// before anything else is decided there; nil: nobody.
func (m *Model) Undecided(slot int) error {
	s := &m.Slots[slot]
	due := m.next(slot)
	switch {
	case len(s.passed) > 0:
		return s.unsaid()
	case due.hindered != nil:
		return fmt.Errorf("booking %d, which waits, cannot be served and is not blocked", due.hindered.Number)
	case due.outgrown != nil:
		return fmt.Errorf("booking %d, which has become too much, still waits", due.outgrown.Number)
	case due.served != nil:
		return fmt.Errorf("%d seats are free, and booking %d, which needs %d, still waits", s.Free(), due.served.Number, due.served.Needs())
	}
	return nil
}

// Unblockable says who is blocked in a slot for no reason; nil: nobody.
func (m *Model) Unblockable(slot int) error {
	for i := range m.Slots[slot].Queue {
		if b := &m.Slots[slot].Queue[i]; b.Blocked && m.unblockable(b) {
			return fmt.Errorf("booking %d is blocked, and needs %d seats of %d", b.Number, b.Needs(), m.Slots[slot].Capacity)
		}
	}
	return nil
}

// Pass lets the time pass until an hour. In slots that have started nobody holds,
// is offered or waits for seats any more: first the holds and offers expire, then
// those who wait and are ready, then those who are blocked.
func (m *Model) Pass(hour int) {
	m.Hour = hour
	for i := range m.Slots {
		if !m.started(i) {
			continue
		}
		var expiring [3][]int
		for _, b := range slices.Concat(m.Slots[i].Seated, m.Slots[i].Queue) {
			switch {
			case b.Status == Held || b.Status == Offered:
				m.live(b.Number).Until = m.Now
				expiring[0] = append(expiring[0], b.Number)
			case b.Ready():
				expiring[1] = append(expiring[1], b.Number)
			case b.Status == Waitlisted:
				expiring[2] = append(expiring[2], b.Number)
			}
		}
		for _, number := range slices.Concat(expiring[:]...) {
			m.must(Step{Kind: KindExpired, Slot: i, Booking: number})
		}
	}
}

// Expire lets the time of a hold or an offer run out.
func (m *Model) Expire(number int) {
	if b := m.live(number); b != nil && (b.Status == Held || b.Status == Offered) {
		b.Until = m.Now
		m.must(Step{Kind: KindExpired, Slot: b.Slot, Booking: number})
	}
}
