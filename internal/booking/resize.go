package booking

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// Patch changes a booking; nil leaves a value as it is.
type Patch struct {
	Seats *int
	// SeatsMin is the fewest seats that are accepted; 0: all or none.
	SeatsMin *int
}

// apply returns the seats and their minimum after the patch. If the patch has no
// minimum, the minimum goes down with the seats. Otherwise one above the seats is
// fault.ValidationFailed.
func (p Patch) apply(b seating.Booking) (seats, seatsMin int, err error) {
	seats, seatsMin = b.Seats, b.SeatsMin
	if p.Seats != nil {
		seats = *p.Seats
		seatsMin = min(seatsMin, seats)
	}
	if p.SeatsMin != nil {
		seatsMin = *p.SeatsMin
	}
	return seats, seatsMin, checkSeatsMin(seats, seatsMin)
}

// resizeTries is how often a patch for any state is tried, because the booking
// changes meanwhile.
const resizeTries = 3

// Resize changes the number of seats of a booking, for its owner or who manages its
// event. match says which states the patch may be applied to. Refusals:
// fault.NotFound, fault.ValidationFailed, fault.VersionMismatch, fault.Contention
// and those of seating.Resize.
//
// What the patch omits is taken from the booking, which is read without a lock. So
// the command is for the version that was read: otherwise it might undo a promotion
// with fewer seats that came in between.
func (s *Service) Resize(ctx context.Context, caller access.Caller, id uuid.UUID, match view.IfMatch, patch Patch) (view.Booking, error) {
	for range resizeTries {
		b, err := s.Get(ctx, caller, id)
		if err != nil {
			return view.Booking{}, err
		}
		if err := b.check(caller, match); err != nil {
			return view.Booking{}, err
		}
		seats, seatsMin, err := patch.apply(b.Booking.Booking)
		if err != nil {
			return view.Booking{}, err
		}
		// Also where nothing changes: an earlier try may have resized the booking and
		// not reached the standby yet. The desk's COMMIT waits for it; a mere read
		// would acknowledge what a failover can lose.
		outcome, err := s.desk.Do(ctx, desk.Submission{Command: seating.Resize{
			SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Version: b.Version,
			Seats: seats, SeatsMin: seatsMin, By: b.actor(caller, ""),
		}})
		if err == nil && outcome.Result.Booking.Version == b.Version {
			return b.Booking, nil // Nothing changed: reading it again might show what others did since.
		}
		if err == nil {
			return s.resized(ctx, caller, outcome.Result)
		}
		if !errors.Is(err, fault.VersionMismatch) || !match.IsAny() {
			return view.Booking{}, err
		}
	}
	return view.Booking{}, fault.Contention.New("The booking kept changing while it was edited.").After(time.Second)
}

// resized is the booking after a resize. If it waits, it is read again to find its
// position. The resize is committed by then, so a failure must not be reported as
// one that changed nothing.
func (s *Service) resized(ctx context.Context, caller access.Caller, r seating.Result) (view.Booking, error) {
	if r.Booking.Status != seating.Waitlisted {
		return view.Booking{Booking: r.Booking, EventID: r.Slot.EventID}, nil
	}
	b, err := s.Get(ctx, caller, r.Booking.ID)
	if err != nil {
		return view.Booking{}, fault.OutcomeUnknown.New("The booking was changed, but could not be read afterwards.").After(time.Second)
	}
	return b.Booking, nil
}

// check compares the booking's ETag, as the caller sees it, with an If-Match header.
func (b Booking) check(caller access.Caller, match view.IfMatch) error {
	if match.IsAny() {
		return nil // no need to compute the ETag
	}
	_, etag, err := b.Tagged(caller)
	if err != nil {
		return err
	}
	return match.Check(etag)
}
