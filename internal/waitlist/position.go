// Package waitlist is the ordered queue of a slot: who is at which position and
// why, and what moves it. It submits promotions to the desk whenever somebody
// might be served (workers.go, ticker.go), and takes the answers to offers.
package waitlist

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Position is where a booking stands in the queue of its slot, with everything
// that explains it, as of one moment.
type Position struct {
	BookingID, SlotID uuid.UUID
	Status            seating.Status
	Seats             int
	// SeatsMin is with how few seats it may be promoted; 0: only with all of them.
	SeatsMin int
	// QueuedVersion is since when it has waited here.
	QueuedVersion int64
	Passes        int
	// PassedBy are the latest of these passes, the newest first.
	PassedBy []Pass
	// Blocked says why it cannot take seats now, BlockedBy because of which own
	// booking, BlockedVersion since when.
	Blocked        seating.Block
	BlockedBy      uuid.UUID
	BlockedVersion int64

	// All who stand before it; of these, those who are ready, that is, not blocked.
	BookingsAhead, SeatsAhead           int
	ReadyBookingsAhead, ReadySeatsAhead int
	// HoldupSeats are the seats that the first booking ahead needs that does not fit
	// and lets nobody pass; 0: there is none. HoldupVersion is its last change.
	HoldupSeats   int
	HoldupVersion int64
	// ShortVersion is since when too few seats have been free for this booking,
	// HeldupVersion since when enough for it, and too few for the one that holds it up.
	ShortVersion, HeldupVersion int64

	// Of the slot.
	Capacity, SeatsTaken      int
	SlotStatus                seating.SlotStatus
	Started                   bool
	SlotVersion, FreedVersion int64
}

// Pass is a smaller booking's getting seats first, as the entry at Version says.
type Pass struct {
	At      time.Time
	Version int64
	// Seats is how many went to the one who passed, of so many that were Free.
	Seats, Free int
}

// Reason is one thing that keeps a booking waiting. SinceVersion is the entry of
// the slot's ledger that brought it about; 0: no single one did.
type Reason struct {
	Code         ReasonCode
	Detail       string
	SinceVersion int64
}

// ReasonCode is a word of the API.
type ReasonCode string

// The reasons.
const (
	SeatsTaken         ReasonCode = "seats_taken"
	AheadOfYou         ReasonCode = "ahead_of_you"
	LargerBookingAhead ReasonCode = "larger_booking_ahead"
	BlockedByOverlap   ReasonCode = "blocked_by_overlap"
	ExceedsCapacity    ReasonCode = "exceeds_capacity"
	PromotionPending   ReasonCode = "promotion_pending"
	SlotStarted        ReasonCode = "slot_started"
)

// Waits says whether the booking stands in the queue at all.
func (p Position) Waits() bool { return p.Status == seating.Waitlisted }

// Number is 1 for who is next, 0 for a booking that does not wait.
func (p Position) Number() int {
	if !p.Waits() {
		return 0
	}
	return p.BookingsAhead + 1
}

// Free is how many seats of the slot nobody has.
func (p Position) Free() int { return p.Capacity - p.SeatsTaken }

// MinSeats is how few seats it can be promoted with.
func (p Position) MinSeats() int {
	if p.SeatsMin > 0 {
		return p.SeatsMin
	}
	return p.Seats
}

// SeatsNeeded is how many seats must become free until its turn comes for
// certain, if nobody ahead leaves: those ahead get all that they want, this one
// the least that it takes. Under first_fit fewer may do. Who is blocked takes none.
func (p Position) SeatsNeeded() int {
	if !p.Waits() {
		return 0
	}
	return max(0, p.ReadySeatsAhead+p.MinSeats()-p.Free())
}

// Reasons are all that keep it waiting, the nearest first: what is the matter
// with the booking itself, then with the seats, then with those ahead.
func (p Position) Reasons() []Reason {
	switch {
	case !p.Waits():
		return nil
	case p.Started:
		return []Reason{{SlotStarted, "The slot has started; waiting is over.", 0}}
	}
	var reasons []Reason
	if p.Blocked == seating.BlockedOverlap {
		reasons = append(reasons, Reason{BlockedByOverlap,
			"You have a booking at an overlapping time. You keep your position meanwhile.", p.BlockedVersion})
	}
	switch {
	case p.MinSeats() > p.Capacity:
		reasons = append(reasons, Reason{ExceedsCapacity,
			fmt.Sprintf("You want %s, and the slot has %d in total.", p.wanted(), p.Capacity), p.BlockedVersion})
	case p.MinSeats() > p.Free():
		reasons = append(reasons, Reason{SeatsTaken, p.taken(), p.ShortVersion})
	case p.HoldupSeats > 0:
		reasons = append(reasons, Reason{LargerBookingAhead,
			fmt.Sprintf("A booking that needs %s goes first, and %d of %d are free.", fault.Count(p.HoldupSeats, "seat"), p.Free(), p.Capacity),
			p.heldUpSince()})
	}
	if p.ReadyBookingsAhead > 0 && p.SeatsNeeded() > 0 {
		reasons = append(reasons, Reason{AheadOfYou,
			fmt.Sprintf("%s ahead of you, for %s.", fault.Count(p.ReadyBookingsAhead, "booking"), fault.Count(p.ReadySeatsAhead, "seat")), p.QueuedVersion})
	}
	if len(reasons) == 0 && p.SlotStatus != seating.SlotCancelled {
		reasons = append(reasons, Reason{PromotionPending, "It is your turn: you will be promoted within a second.", p.FreedVersion})
	}
	return reasons
}

// heldUpSince is the latest of what it takes: that this booking waits, that the
// other does, as it is, and that so many seats are free.
func (p Position) heldUpSince() int64 {
	if p.HeldupVersion == 0 {
		return 0
	}
	return max(p.QueuedVersion, p.HoldupVersion, p.HeldupVersion)
}

func (p Position) taken() string {
	if p.Free() > 0 {
		return fmt.Sprintf("You want %s, and %d of %d are free.", p.wanted(), p.Free(), p.Capacity)
	}
	if p.Capacity == 1 {
		return "The only seat is taken."
	}
	return fmt.Sprintf("All %d seats are taken.", p.Capacity)
}

// WhyPassed says why somebody could go first.
func (p Position) WhyPassed(pass Pass) string {
	verb := "were"
	if pass.Free == 1 {
		verb = "was"
	}
	needs := fmt.Sprint(p.Seats)
	if p.SeatsMin > 0 {
		needs = fmt.Sprintf("at least %d", p.SeatsMin)
	}
	return fmt.Sprintf("%s %s free and this booking needs %s.", fault.Count(pass.Free, "seat"), verb, needs)
}

// wanted is what it asks for, in words.
func (p Position) wanted() string {
	if p.SeatsMin > 0 && p.SeatsMin < p.Seats {
		return fmt.Sprintf("%s, or %d at least", fault.Count(p.Seats, "seat"), p.SeatsMin)
	}
	return fault.Count(p.Seats, "seat")
}
