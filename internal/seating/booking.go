package seating

import (
	"time"

	"github.com/google/uuid"
)

// Booking is one user's claim on seats of one slot, with one lifecycle and one id.
type Booking struct {
	ID, SlotID, UserID uuid.UUID
	StartsAt, EndsAt   time.Time // the slot's
	Seats              int
	// SeatsMin is the fewest seats that it may be promoted with; 0: only all of them.
	SeatsMin int
	Status   Status
	// Version is that of the booking's last entry in the slot's ledger, or of the
	// change of the slot's times since.
	Version int64

	// QueuedVersion is the version at which it joined the queue; it orders the queue.
	QueuedVersion int64
	// Passes is how often a smaller booking behind it was served first.
	Passes int
	// Blocked says why it cannot take seats now; BlockedBy is the booking of the
	// same user that is in the way, if that is the reason.
	Blocked   Block
	BlockedBy uuid.UUID
	// Replaces is the booking that it gives back when it gets seats; ReplacedBy is
	// the one that took its own place, by an upgrade or a move.
	Replaces, ReplacedBy uuid.UUID
	// MovedFrom is the booking of another slot that was moved into this one.
	MovedFrom uuid.UUID

	// ExpiresAt is when a hold or an offer ends.
	ExpiresAt time.Time
	// CancellationCloses is how long before the start cancelling closes, unless the
	// event has come to close it later; see Slot.CancellationClosesAt.
	CancellationCloses   time.Duration
	CheckedInAt          time.Time
	CheckedInBy          uuid.UUID // nil if it is not, or was by the system
	CreatedAt, UpdatedAt time.Time

	// counted is what it last contributed to its slot's counters; see verify.
	counted counters
}

// Status is the state of a booking; docs/architecture.md shows how it may change.
type Status string

// The statuses.
const (
	Waitlisted Status = "waitlisted"
	Held       Status = "held"
	Offered    Status = "offered"
	Confirmed  Status = "confirmed"
	Cancelled  Status = "cancelled"
	Expired    Status = "expired"
)

// TakesSeats says whether a booking of this status counts against the capacity.
func (s Status) TakesSeats() bool { return s == Held || s == Offered || s == Confirmed }

// Live says whether a booking of this status can still change.
func (s Status) Live() bool { return s.TakesSeats() || s == Waitlisted }

// Block is why a booking that waits cannot take seats now.
type Block string

// The reasons.
const (
	NotBlocked      Block = ""
	BlockedOverlap  Block = "overlap"
	BlockedCapacity Block = "capacity"
)

// Ready says whether it waits and could take seats.
func (b *Booking) Ready() bool { return b.Status == Waitlisted && b.Blocked == NotBlocked }

// minSeats is the fewest seats that it accepts.
func (b *Booking) minSeats() int {
	if b.SeatsMin > 0 {
		return b.SeatsMin
	}
	return b.Seats
}

// isDue says whether a hold or an offer has ended.
func (b *Booking) isDue(now time.Time) bool {
	return (b.Status == Held || b.Status == Offered) && !now.Before(b.ExpiresAt)
}

// isFinal says whether a booking can no longer change its status, seats or slot at
// a time: it is confirmed, and the slot has ended, or its attendee is checked in
// and the slot has started. What was attended is never rewritten.
func (b *Booking) isFinal(at time.Time) bool {
	if b.Status != Confirmed {
		return false
	}
	return !at.Before(b.EndsAt) || !b.CheckedInAt.IsZero() && !at.Before(b.StartsAt)
}

// overlaps compares half-open times: back-to-back slots do not overlap.
func (b *Booking) overlaps(starts, ends time.Time) bool {
	return b.StartsAt.Before(ends) && starts.Before(b.EndsAt)
}
