package seating

import (
	"time"

	"eventbooking/internal/fault"
)

// Quotas bound what one user does with one slot, so that nobody keeps seats from others
// without booking them, or fills the ledger. 0 is no bound. Giving back is never refused.
type Quotas struct {
	// Holds is how many times the length of a hold a user's holds may last together within
	// an hour.
	Holds int
	// Changes is how often a user may change their bookings within an hour.
	Changes int
}

// QuotaWindow is the time in which holds and changes are counted.
const QuotaWindow = time.Hour

// shortestHold is the least for which it makes sense to hold seats.
const shortestHold = time.Minute

// Span is from when to when a user held seats.
type Span struct{ From, To time.Time }

// Changes are how often a user has changed their bookings of a slot within QuotaWindow,
// and when they first did.
type Changes struct {
	Count int
	First time.Time
}

// AddHold notes a hold of a user that has ended.
func (s *State) AddHold(of UserSlot, held Span) {
	if s.holds == nil {
		s.holds = map[UserSlot][]Span{}
	}
	s.holds[of] = append(s.holds[of], held)
}

// AddChanges notes how often a user has changed their bookings of a slot.
func (s *State) AddChanges(of UserSlot, c Changes) {
	if s.edits == nil {
		s.edits = map[UserSlot]Changes{}
	}
	s.edits[of] = c
}

// noteChange counts a change that a user makes of their booking. It is on record from the
// next batch on.
func (s *State) noteChange(b *Booking, by Actor) {
	if s.Quotas.Changes == 0 || b == nil || by.ID != b.UserID {
		return
	}
	of := UserSlot{b.UserID, b.SlotID}
	c := s.edits[of]
	if c.Count == 0 {
		c.First = s.Now
	}
	c.Count++
	s.AddChanges(of, c)
}

// checkChanges refuses a user who has changed their bookings of the slot too often.
func (s *State) checkChanges(slot *Slot, of UserSlot, by Actor) error {
	c, most := s.edits[of], s.Quotas.Changes
	if most == 0 || by.ID != of.UserID || c.Count < most {
		return nil
	}
	return atVersion(slot, fault.QuotaExceeded.Newf("You have changed your bookings of this slot %d times within an hour.", c.Count).
		With(fault.Members{Limit: new(most), RetryAt: new(c.First.Add(QuotaWindow).UTC())}))
}

// holdFor is how long a hold may last that begins now: as the event says, or what is left
// of the user's budget. Holds that began before count as long as the event's do now.
func (s *State) holdFor(slot *Slot, of UserSlot) (time.Duration, error) {
	length := slot.Policy.HoldFor
	budget := time.Duration(s.Quotas.Holds) * length
	if budget == 0 || budget >= QuotaWindow {
		return length, nil
	}
	used := heldSince(s.holds[of], length, s.Now.Add(-QuotaWindow))
	if left := budget - used; left >= shortestHold {
		return min(length, left), nil
	}
	retry := s.holdableAt(s.holds[of], length, budget-shortestHold).UTC()
	return 0, atVersion(slot, fault.HoldCooldown.Newf("You have held seats of this slot for %s of the last hour. You can hold some again at %s, or book them now.",
		fault.Count(int(used/time.Minute), "minute"), retry.Format(time.RFC3339)).With(fault.Members{RetryAt: &retry}))
}

// heldSince adds up how long holds lasted after a time.
func heldSince(holds []Span, longest time.Duration, since time.Time) (sum time.Duration) {
	for _, held := range holds {
		from, to := held.From, held.To
		if end := from.Add(longest); end.Before(to) {
			to = end // What ended it may have come late.
		}
		if from.Before(since) {
			from = since
		}
		sum += max(to.Sub(from), 0)
	}
	return sum
}

// holdableAt is the first time at which holds of at most so long are within QuotaWindow, in
// whole seconds. The sum only shrinks as the window moves on, so halving finds it.
func (s *State) holdableAt(holds []Span, longest, most time.Duration) time.Time {
	from, to := s.Now, s.Now.Add(QuotaWindow)
	for to.Sub(from) > time.Millisecond {
		if at := from.Add(to.Sub(from) / 2); heldSince(holds, longest, at.Add(-QuotaWindow)) <= most {
			to = at
		} else {
			from = at
		}
	}
	return to.Truncate(time.Second).Add(time.Second)
}
