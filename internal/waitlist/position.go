// Package waitlist is about the queue of a slot: who is at which position and why,
// the answers to offers, and the promotions. Workers and a ticker submit these to
// the desk whenever somebody might be served (workers.go, ticker.go).
package waitlist

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Position is where a booking is in the queue of its slot, with everything that
// explains it, all read at the same time.
type Position struct {
	BookingID, SlotID, UserID uuid.UUID
	Status                    seating.Status
	Seats                     int
	// SeatsMin is the fewest seats that it may be promoted with; 0: only all of them.
	SeatsMin int
	// QueuedVersion is the entry since which it has been at this position.
	QueuedVersion int64
	Passes        int
	// PassedBy has the latest of these passes, the newest first.
	PassedBy []Pass
	// BlockedBy is the booking of the same user that keeps it from taking seats now;
	// BlockedVersion is the entry that marked it as blocked for its present reason, if
	// one has.
	BlockedBy      uuid.UUID
	BlockedVersion int64

	// Outgrown is the most seats that a user may have in the event, if this booking would
	// be too much because the one that it was to replace is to be kept; 0: it would not.
	Outgrown int

	// FirstFit says that smaller bookings may pass larger ones.
	FirstFit bool
	// All bookings ahead of it, and of these the ready ones, which nothing blocks.
	BookingsAhead, SeatsAhead           int
	ReadyBookingsAhead, ReadySeatsAhead int
	// HoldupSeats is how many seats the first booking ahead needs that does not fit the
	// free seats and that nobody may pass; 0: there is none. HoldupVersion is its version.
	HoldupSeats   int
	HoldupVersion int64
	// OversizedAhead is how many ready bookings ahead do not fit the free seats.
	OversizedAhead int
	// ShortVersion is the entry since which too few seats have been free for this
	// booking; HeldupVersion the one since which enough have been free for it, and too
	// few for the one that holds it up.
	ShortVersion, HeldupVersion int64

	// Of the slot.
	Capacity, SeatsTaken int
	SlotStatus           seating.SlotStatus
	Started              bool
	// IsOver says that the slot has ended, or that it or its event was cancelled.
	IsOver                    bool
	SlotVersion, FreedVersion int64
}

// Pass says that a smaller booking was served first. Version is that of the entry.
type Pass struct {
	At      time.Time
	Version int64
	// Seats is how many the smaller booking got, Free how many were free before.
	Seats, Free int
}

// Reason is a reason why a booking waits. SinceVersion is the entry of the slot's
// ledger since which it holds; 0: unknown.
type Reason struct {
	Code         ReasonCode
	Detail       string
	SinceVersion int64
}

// ReasonCode is the code of a reason in the API.
type ReasonCode string

// The reasons.
const (
	SeatsTaken         ReasonCode = "seats_taken"
	AheadOfYou         ReasonCode = "ahead_of_you"
	LargerBookingAhead ReasonCode = "larger_booking_ahead"
	BeyondLookAhead    ReasonCode = "beyond_look_ahead"
	BlockedByOverlap   ReasonCode = "blocked_by_overlap"
	ExceedsCapacity    ReasonCode = "exceeds_capacity"
	PromotionPending   ReasonCode = "promotion_pending"
	SlotStarted        ReasonCode = "slot_started"
	UserSeatLimit      ReasonCode = "user_seat_limit"
)

// Waits says whether the booking is in the queue at all.
func (p Position) Waits() bool { return p.Status == seating.Waitlisted }

// Number is the position in the queue: 1 is next, 0 means that the booking does not wait.
func (p Position) Number() int {
	if !p.Waits() {
		return 0
	}
	return p.BookingsAhead + 1
}

// Free is the number of free seats of the slot.
func (p Position) Free() int { return p.Capacity - p.SeatsTaken }

// Available is how many seats somebody might still get.
func (p Position) Available() int {
	if p.IsOver {
		return 0
	}
	return p.Free()
}

// MinSeats is the fewest seats that it can be promoted with.
func (p Position) MinSeats() int {
	if p.SeatsMin > 0 {
		return p.SeatsMin
	}
	return p.Seats
}

// exceedsCapacity says whether the slot is too small for it.
func (p Position) exceedsCapacity() bool { return p.MinSeats() > p.Capacity }

// Blocked says whether it could not take seats now, however many were free. The
// reasons then say so too.
func (p Position) Blocked() bool {
	return p.Waits() && !p.Started && (p.BlockedBy != uuid.Nil || p.exceedsCapacity())
}

// SeatsNeeded is how many seats must become free until it is promoted for certain,
// if nobody ahead leaves: the ready bookings ahead get all their seats, and this one
// its minimum. Under first_fit fewer may suffice.
func (p Position) SeatsNeeded() int {
	if !p.Waits() {
		return 0
	}
	return max(0, p.ReadySeatsAhead+p.MinSeats()-p.Free())
}

// Reasons returns all reasons why it waits: first those in the booking itself, then
// too few free seats, then the bookings ahead.
func (p Position) Reasons() []Reason {
	switch {
	case !p.Waits():
		return nil
	case p.Started:
		return []Reason{{SlotStarted, "The slot has started, so nobody is promoted any more.", 0}}
	}
	var reasons []Reason
	if p.BlockedBy != uuid.Nil {
		reasons = append(reasons, Reason{BlockedByOverlap,
			"You have a booking at an overlapping time. You keep your position.", p.BlockedVersion})
	}
	if p.Outgrown > 0 {
		reasons = append(reasons, Reason{UserSeatLimit, p.outgrown(), 0})
	}
	switch {
	case p.exceedsCapacity():
		reasons = append(reasons, Reason{ExceedsCapacity,
			fmt.Sprintf("You asked for %s, and the slot has %d in total.", p.requested(), p.Capacity), p.BlockedVersion})
	case p.MinSeats() > p.Free():
		reasons = append(reasons, Reason{SeatsTaken, p.taken(), p.ShortVersion})
	case p.HoldupSeats > 0:
		reasons = append(reasons, Reason{LargerBookingAhead,
			fmt.Sprintf("A booking ahead of you needs %s, and %s.", fault.Count(p.HoldupSeats, "seat"), p.freeSeats()),
			p.heldUpSince()})
	case p.FirstFit && p.OversizedAhead >= seating.LookAhead:
		reasons = append(reasons, Reason{BeyondLookAhead,
			fmt.Sprintf("%d bookings ahead of you do not fit the free seats, and at most %d can be passed.",
				p.OversizedAhead, seating.LookAhead), 0})
	}
	if p.ReadyBookingsAhead > 0 && p.SeatsNeeded() > 0 {
		reasons = append(reasons, Reason{AheadOfYou,
			fmt.Sprintf("%s for %s %s ahead of you.", fault.Count(p.ReadyBookingsAhead, "booking"), fault.Count(p.ReadySeatsAhead, "seat"), verb(p.ReadyBookingsAhead, "is", "are")), p.QueuedVersion})
	}
	if len(reasons) == 0 && p.SlotStatus != seating.SlotCancelled {
		reasons = append(reasons, Reason{PromotionPending, "Enough seats are free for you: you will be promoted within a second.", p.FreedVersion})
	}
	return reasons
}

// outgrown says that it would be too much beside the booking that it was to replace.
func (p Position) outgrown() string {
	return fmt.Sprintf("The booking that this one was to replace can no longer be cancelled, and with both you would have more than %s of the event. This one ends when it is next.",
		fault.Count(p.Outgrown, "seat"))
}

// heldUpSince is the entry since which another booking holds this one up: the latest
// of those that made it wait, made the other what it is, and freed the seats.
func (p Position) heldUpSince() int64 {
	if p.HeldupVersion == 0 {
		return 0
	}
	return max(p.QueuedVersion, p.HoldupVersion, p.HeldupVersion)
}

// taken says that too few seats are free.
func (p Position) taken() string {
	if p.Free() > 0 {
		return fmt.Sprintf("You asked for %s, and %s.", p.requested(), p.freeSeats())
	}
	if p.Capacity == 1 {
		return "The only seat is taken."
	}
	return fmt.Sprintf("All %d seats are taken.", p.Capacity)
}

// WhyPassed says in a sentence why a smaller booking was served first.
func (p Position) WhyPassed(pass Pass) string {
	needs := fmt.Sprint(p.Seats)
	if p.SeatsMin > 0 {
		needs = fmt.Sprintf("at least %d", p.SeatsMin)
	}
	return fmt.Sprintf("%s %s free and this booking needs %s.", fault.Count(pass.Free, "seat"), verb(pass.Free, "was", "were"), needs)
}

// freeSeats says how many seats are free.
func (p Position) freeSeats() string {
	return fmt.Sprintf("%d of %d %s free", p.Free(), p.Capacity, verb(p.Free(), "is", "are"))
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// requested says how many seats it asked for.
func (p Position) requested() string {
	if p.SeatsMin > 0 && p.SeatsMin < p.Seats {
		return fmt.Sprintf("%s (at least %d)", fault.Count(p.Seats, "seat"), p.SeatsMin)
	}
	return fault.Count(p.Seats, "seat")
}
