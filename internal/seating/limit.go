package seating

import (
	"slices"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// UserEvent is a user and an event in which they have bookings.
type UserEvent struct{ UserID, EventID uuid.UUID }

// AddClaim notes a live booking of a user in an event that limits the seats of a user.
// It may be of a slot that is not in the state. All other bookings come first.
func (s *State) AddClaim(eventID uuid.UUID, b Booking) {
	claim := s.bookings[b.ID]
	if claim == nil {
		claim = &b
	}
	s.addClaim(eventID, claim)
}

func (s *State) addClaim(eventID uuid.UUID, b *Booking) {
	if s.claims == nil {
		s.claims = map[UserEvent][]*Booking{}
	}
	of := UserEvent{b.UserID, eventID}
	s.claims[of] = append(s.claims[of], b)
}

// checkLimits refuses more seats than one booking or one user may have by the event's
// settings. asked is a booking as it is asked for, in place of the one with its id or
// beside the others; with are further ones of the same request. What a user has already,
// from the time before a limit was lowered, they keep, and may exchange for less.
func (s *State) checkLimits(slot *Slot, asked Booking, with ...*Booking) error {
	if limit := slot.Policy.MaxSeatsPerBooking; limit > 0 && asked.Seats > limit {
		return atVersion(slot, fault.BookingSeatLimit.Newf("A booking of this event can have at most %s; %d requested.", fault.Count(limit, "seat"), asked.Seats).
			With(fault.Members{Limit: new(limit)}))
	}
	limit := slot.Policy.MaxSeatsPerUser
	if limit == 0 {
		return nil
	}
	b := asked // Only here it costs an allocation.
	claims := s.claims[UserEvent{asked.UserID, slot.EventID}]
	has := s.countSeats(slot, claims)
	if wants := s.countSeats(slot, replaceOrAdd(slices.Concat(claims, with), &b)); wants > limit && wants > has {
		return atVersion(slot, fault.UserSeatLimit.Newf("A user can have at most %s in all slots of this event. Taken or waited for: %d.", fault.Count(limit, "seat"), has).
			With(fault.Members{Limit: new(limit), Seats: new(has)}))
	}
	return nil
}

// replaceOrAdd puts a booking in the place of the one with its id, or at the end.
func replaceOrAdd(list []*Booking, b *Booking) []*Booking {
	if at := slices.IndexFunc(list, func(o *Booking) bool { return o.ID == b.ID }); at >= 0 {
		list[at] = b
		return list
	}
	return append(list, b)
}

// countSeats is how many seats a user's bookings in an event have or wait for. The one
// that is given back for another does not count beside it: of all that wait instead of
// one booking, the largest counts only as far as it is larger, and the others in full, so
// that the number never grows by itself, whoever is served or cancels.
func (s *State) countSeats(slot *Slot, claims []*Booking) (sum int) {
	seats, instead := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	for _, b := range claims {
		if !b.Status.Live() || b.isDue(s.Now) || b.Status == Waitlisted && !s.Now.Before(b.StartsAt) {
			continue
		}
		sum += b.Seats
		seats[b.ID] = b.Seats
		if old := s.exchanged(slot, claims, b); old != nil {
			instead[old.ID] = max(instead[old.ID], b.Seats)
		}
	}
	for id, most := range instead {
		sum -= min(seats[id], most)
	}
	return sum
}

// isOverLimit says whether a booking was to wait instead of another one of the event, has
// become an additional one because that can no longer be given back, and would now be too
// much. It asks anew, as it were; other bookings were within the limits when they asked.
func (s *State) isOverLimit(slot *Slot, b *Booking) bool {
	limit := slot.Policy.MaxSeatsPerUser
	if limit == 0 || b.Replaces == uuid.Nil {
		return false
	}
	claims := s.claims[UserEvent{b.UserID, slot.EventID}]
	old := s.named(claims, b)
	return old != nil && old.Status.TakesSeats() && s.exchanged(slot, claims, b) == nil && s.countSeats(slot, claims) > limit
}

// exchanged is the booking that a waiting one will give back for its seats, or nil, as
// State.replaced, for bookings of one event: their slots need not be in the state.
func (s *State) exchanged(slot *Slot, claims []*Booking, b *Booking) *Booking {
	old := s.named(claims, b)
	if b.Status != Waitlisted || old == nil || !s.canGiveBack(old) || old.Status == Confirmed && !s.Now.Before(slot.CancellationClosesAt(old)) {
		return nil
	}
	return old
}

// named is the booking that another one is to replace, or that took the place of that.
func (s *State) named(claims []*Booking, b *Booking) *Booking {
	find := func(id uuid.UUID) *Booking {
		if at := slices.IndexFunc(claims, func(o *Booking) bool { return o.ID == id }); at >= 0 {
			return claims[at]
		}
		return s.bookings[id]
	}
	old := find(b.Replaces)
	for hops := 0; old != nil && old.ReplacedBy != uuid.Nil && hops < MaxReplacements; hops++ {
		old = find(old.ReplacedBy)
	}
	return old
}
