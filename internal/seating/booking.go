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
	// SeatsMin is with how few seats it may be promoted; 0: only with all of them.
	SeatsMin int
	Status   Status
	// Version is the slot's version of the booking's last change.
	Version int64

	// QueuedVersion is its place in the queue: the version at which it joined.
	QueuedVersion int64
	// Passes is how often somebody behind it was served first.
	Passes int
	// Blocked says why it cannot take seats now; BlockedBy by which booking of the same user.
	Blocked   Block
	BlockedBy uuid.UUID
	// Replaces is the booking that it gives back when it is promoted; ReplacedBy
	// the one for which it was given back.
	Replaces, ReplacedBy uuid.UUID
	// MovedFrom is the booking of another slot that it was made from.
	MovedFrom uuid.UUID

	// ExpiresAt is until when a hold or an offer stands.
	ExpiresAt            time.Time
	CheckedInAt          time.Time
	CreatedAt, UpdatedAt time.Time

	// counted is what it contributes to its slot's counters, as verify knows it.
	counted counters
}

// Status is where a booking is in its life.
type Status string

// A booking's life: see the picture in README.md.
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

// least is how few seats it can be given.
func (b *Booking) minSeats() int {
	if b.SeatsMin > 0 {
		return b.SeatsMin
	}
	return b.Seats
}

// due says whether a hold or an offer has run out.
func (b *Booking) isDue(now time.Time) bool {
	return (b.Status == Held || b.Status == Offered) && !now.Before(b.ExpiresAt)
}

// overlaps compares half-open times: back-to-back slots do not overlap.
func (b *Booking) overlaps(starts, ends time.Time) bool {
	return b.StartsAt.Before(ends) && starts.Before(b.EndsAt)
}
