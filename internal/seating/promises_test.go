package seating_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"eventbooking/internal/audit"
	"eventbooking/internal/seating"
)

// checkPromises checks what holds after every command.
func (s *sandbox) checkPromises() {
	seated := map[uuid.UUID][]*seating.Booking{}
	live := map[[2]uuid.UUID]bool{}
	for _, b := range s.state.Bookings() {
		slot := s.slot(b.SlotID)
		timed := b.Status == seating.Held || b.Status == seating.Offered
		at := [2]uuid.UUID{b.UserID, b.SlotID}
		switch {
		case b.Seats < 1 || b.SeatsMin > b.Seats:
			s.Fatalf("booking %s has %d seats, %d at least", b.ID, b.Seats, b.SeatsMin)
		case b.Status.Live() && (!b.StartsAt.Equal(slot.StartsAt) || !b.EndsAt.Equal(slot.EndsAt)):
			s.Fatalf("booking %s is at %s, its slot at %s", b.ID, b.StartsAt, slot.StartsAt)
		case timed == b.ExpiresAt.IsZero() || b.ExpiresAt.After(slot.StartsAt):
			s.Fatalf("booking %s is %s until %s; its slot starts at %s", b.ID, b.Status, b.ExpiresAt, slot.StartsAt)
		case !b.CheckedInAt.IsZero() && b.Status != seating.Confirmed:
			s.Fatalf("booking %s is checked in and %s", b.ID, b.Status)
		case b.Blocked != seating.NotBlocked && b.Status != seating.Waitlisted,
			(b.Blocked == seating.BlockedOverlap) != (b.BlockedBy != uuid.Nil):
			s.Fatalf("booking %s is %s, blocked %q by %s", b.ID, b.Status, b.Blocked, b.BlockedBy)
		case b.Status.Live() && live[at]:
			s.Fatalf("user %s has two live bookings of slot %s", b.UserID, b.SlotID)
		}
		live[at] = live[at] || b.Status.Live()
		s.checkLinks(b)
		if b.Status.TakesSeats() {
			for _, other := range seated[b.UserID] {
				if other.StartsAt.Before(b.EndsAt) && b.StartsAt.Before(other.EndsAt) {
					s.Fatalf("bookings %s and %s of one user overlap", b.ID, other.ID)
				}
			}
			seated[b.UserID] = append(seated[b.UserID], b)
		}
	}
	for user, bookings := range seated {
		s.checkLimits(user, bookings)
	}
	for _, slot := range s.state.Slots() {
		if b := s.servable(slot); b != nil && slot.PromotionDueAt.IsZero() {
			s.Fatalf("booking %s could be served in slot %s, and no promotion is due%s", b.ID, slot.ID, s.describe(slot.ID))
		}
	}
}

// checkLimits checks that a user's bookings with seats are within the limits of their
// event. A hold that ran out has no seats, though its slot may not know yet.
func (s *sandbox) checkLimits(user uuid.UUID, bookings []*seating.Booking) {
	limits, sum := s.state.Slots()[0].Policy, 0
	for _, b := range bookings {
		if b.ExpiresAt.IsZero() || s.state.Now.Before(b.ExpiresAt) {
			sum += b.Seats
		}
		if limits.MaxSeatsPerBooking > 0 && b.Seats > limits.MaxSeatsPerBooking {
			s.Fatalf("booking %s has %d seats, and one may have %d", b.ID, b.Seats, limits.MaxSeatsPerBooking)
		}
	}
	if limits.MaxSeatsPerUser > 0 && sum > limits.MaxSeatsPerUser {
		s.Fatalf("user %s has %d seats, and one may have %d", user, sum, limits.MaxSeatsPerUser)
	}
}

// checkLinks checks that a replaced or moved booking is cancelled, and that the one
// that took its place is of the same user.
func (s *sandbox) checkLinks(b *seating.Booking) {
	if b.ReplacedBy != uuid.Nil {
		next := s.booking(b.ReplacedBy)
		if b.Status != seating.Cancelled || next == nil || next.UserID != b.UserID || next.SlotID == b.SlotID {
			s.Fatalf("booking %s is %s and replaced by %+v", b.ID, b.Status, next)
		}
	}
	if b.MovedFrom != uuid.Nil {
		old := s.booking(b.MovedFrom)
		if old == nil || old.Status != seating.Cancelled || old.UserID != b.UserID || old.SlotID == b.SlotID {
			s.Fatalf("booking %s was made from %+v", b.ID, old)
		}
	}
}

// servable is the first waiting booking that could be served, if its user is not
// busy; nil if there is none.
func (s *sandbox) servable(slot *seating.Slot) *seating.Booking {
	if slot.Status == seating.SlotCancelled || slot.Started(s.state.Now) {
		return nil
	}
	for _, b := range s.queue(slot.ID) {
		switch {
		case b.Blocked != seating.NotBlocked:
		case minSeats(b) <= slot.Free():
			return b
		case slot.Policy.Fit == seating.FitStrict || b.Passes >= slot.Policy.MaxPasses:
			return nil
		}
	}
	return nil
}

// minSeats is the fewest seats that a booking can be promoted with.
func minSeats(b *seating.Booking) int {
	if b.SeatsMin > 0 {
		return b.SeatsMin
	}
	return b.Seats
}

// queue is the waitlist of a slot, in order.
func (s *sandbox) queue(slotID uuid.UUID) (queue []*seating.Booking) {
	for _, b := range s.state.Bookings() {
		if b.SlotID == slotID && b.Status == seating.Waitlisted {
			queue = append(queue, b)
		}
	}
	slices.SortFunc(queue, func(a, b *seating.Booking) int { return int(a.QueuedVersion - b.QueuedVersion) })
	return queue
}

// settle promotes until nothing changes any more.
func (s *sandbox) settle() {
	for before := -1; before != len(s.state.Entries()); {
		before = len(s.state.Entries())
		if before > 10_000 {
			s.Fatalf("promotions do not end")
		}
		for _, slotID := range s.slots {
			s.apply(seating.Promote{SlotID: slotID})
		}
	}
	for _, slot := range s.state.Slots() {
		if b := s.servable(slot); b != nil {
			s.Fatalf("booking %s could be served in slot %s, and is not%s", b.ID, slot.ID, s.describe(slot.ID))
		}
		for _, b := range s.queue(slot.ID) {
			s.checkBlocked(slot, b)
		}
	}
}

// checkBlocked checks that a booking that is blocked after settle has a reason.
func (s *sandbox) checkBlocked(slot *seating.Slot, b *seating.Booking) {
	switch b.Blocked {
	case seating.BlockedCapacity:
		if minSeats(b) <= slot.Capacity {
			s.Fatalf("booking %s is blocked by a capacity of %d", b.ID, slot.Capacity)
		}
	case seating.BlockedOverlap:
		if x := s.booking(b.BlockedBy); x.UserID != b.UserID || !x.Status.TakesSeats() || !x.StartsAt.Before(b.EndsAt) || !b.StartsAt.Before(x.EndsAt) {
			s.Fatalf("booking %s is blocked by %+v", b.ID, x)
		}
	}
}

// checkReplay compares a replay of the ledgers with the slots.
func (s *sandbox) checkReplay() {
	for _, e := range s.state.Entries() {
		s.ledgers[e.SlotID] = append(s.ledgers[e.SlotID], e)
	}
	for _, slot := range s.state.Slots() {
		replayed, err := audit.Replay(s.ledgers[slot.ID])
		if err != nil {
			s.Fatal(err, s.describe(slot.ID))
		}
		type counters struct {
			Version                                             int64
			Capacity, SeatsTaken, WaitlistLength, WaitlistReady int
		}
		want := counters{slot.Version, slot.Capacity, slot.SeatsTaken, slot.WaitlistLength, slot.WaitlistReady}
		if got := (counters{replayed.Version, replayed.Capacity, replayed.SeatsTaken, replayed.WaitlistLength, replayed.WaitlistReady}); got != want {
			s.Fatalf("replayed %+v, want %+v%s", got, want, s.describe(slot.ID))
		}
		if !slices.EqualFunc(s.queue(slot.ID), replayed.Queue, func(b *seating.Booking, id uuid.UUID) bool { return b.ID == id }) {
			s.Fatalf("replayed queue %v, want %v%s", replayed.Queue, s.queue(slot.ID), s.describe(slot.ID))
		}
		s.checkReplayed(slot.ID, replayed.Bookings)
	}
}

// checkReplayed compares the bookings of a replay with those of the slot.
func (s *sandbox) checkReplayed(slotID uuid.UUID, recalled map[uuid.UUID]audit.Recalled) {
	count := 0
	for _, b := range s.state.Bookings() {
		if b.SlotID != slotID {
			continue
		}
		count++
		want := audit.Recalled{
			UserID: b.UserID, Seats: b.Seats, Status: b.Status, Version: b.Version, QueuedVersion: b.QueuedVersion,
			Passes: b.Passes, Blocked: b.Blocked != seating.NotBlocked, CheckedIn: !b.CheckedInAt.IsZero(),
		}
		if got := recalled[b.ID]; got != want {
			s.Fatalf("booking %s: replayed %+v, want %+v%s", b.ID, got, want, s.describe(slotID))
		}
	}
	if count != len(recalled) {
		s.Fatalf("replayed %d bookings, want %d", len(recalled), count)
	}
}

// checkCauses checks that no entry of any slot is caused by a later one, and that
// the entries of moved and replaced bookings name each other.
func (s *sandbox) checkCauses() {
	done := map[seating.Cause]seating.Entry{}
	for slotID, ledger := range s.ledgers {
		done[seating.Cause{SlotID: slotID, Version: 1}] = ledger[0]
	}
	first, last := map[uuid.UUID]seating.Entry{}, map[uuid.UUID]seating.Entry{}
	for _, e := range s.state.Entries() {
		if _, known := done[e.Cause]; !known && e.Cause != (seating.Cause{}) {
			s.Fatalf("entry %d (%s) of slot %s is caused by entry %d of slot %s, which comes later", e.Version, e.Kind, e.SlotID, e.Cause.Version, e.Cause.SlotID)
		}
		done[seating.Cause{SlotID: e.SlotID, Version: e.Version}] = e
		if _, known := first[e.BookingID]; !known {
			first[e.BookingID] = e
		}
		last[e.BookingID] = e
	}
	for _, b := range s.state.Bookings() {
		if end := last[b.MovedFrom]; b.MovedFrom != uuid.Nil && (end.Kind != seating.KindMoved || first[b.ID].Cause != seating.Cause{SlotID: end.SlotID, Version: end.Version}) {
			s.Fatalf("booking %s begins with %+v; it was made from one that ends with %+v", b.ID, first[b.ID], end)
		}
		end := last[b.ID]
		if end.Kind == seating.KindMoved {
			if to := s.booking(b.ReplacedBy); to.MovedFrom != b.ID {
				s.Fatalf("booking %s was moved, and replaced by %+v", b.ID, to)
			}
			continue
		}
		if by := done[end.Cause]; (b.ReplacedBy != uuid.Nil || end.By.Reason == "upgraded") && by.BookingID != b.ReplacedBy {
			s.Fatalf("booking %s was replaced by %s, and ended because of %+v", b.ID, b.ReplacedBy, by)
		}
	}
}

func (s *sandbox) describe(slotID uuid.UUID) string {
	var lines strings.Builder
	for _, e := range s.state.Entries() {
		if e.SlotID == slotID {
			fmt.Fprintf(&lines, "\n%3d %-15s %s of %s: %d %-10s %d/%d +%d cause %d of %s %s", e.Version, e.Kind, e.BookingID.String()[32:], e.UserID.String()[34:],
				e.Seats, e.Status, e.SeatsTaken, e.Capacity, e.WaitlistLength, e.Cause.Version, e.Cause.SlotID.String()[34:], e.By.Reason)
		}
	}
	return lines.String()
}
