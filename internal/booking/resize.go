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

// Patch is what changes of a booking; nil leaves it as it is.
type Patch struct {
	Seats *int
	// SeatsMin: 0 is all or none.
	SeatsMin *int
}

// of are the numbers of seats after the patch. With fewer seats, a minimum that
// was left out follows: it cannot stay above them.
func (p Patch) of(b seating.Booking) (seats, least int, err error) {
	seats, least = b.Seats, b.SeatsMin
	if p.Seats != nil {
		seats = *p.Seats
		least = min(least, seats)
	}
	if p.SeatsMin != nil {
		least = *p.SeatsMin
	}
	return seats, least, checkSeatsMin(seats, least)
}

// resizeTries is how often a patch is worked out anew because the booking changed
// meanwhile, where the caller did not say which state it is for.
const resizeTries = 3

// Resize changes for how many seats a booking is, for its owner or for who
// manages its event. match is the state that
// the patch is meant for.
//
// A patch says what changes; the rest is filled in from a booking read without a
// lock. So the desk takes it for the version that was read only: a promotion with
// fewer seats in between is not undone by what nobody asked for.
func (s *Service) Resize(ctx context.Context, caller access.Caller, id uuid.UUID, match view.IfMatch, patch Patch) (view.Booking, error) {
	for range resizeTries {
		b, err := s.Get(ctx, caller, id)
		if err != nil {
			return view.Booking{}, err
		}
		if err := b.check(match); err != nil {
			return view.Booking{}, err
		}
		seats, least, err := patch.of(b.Booking.Booking)
		if err != nil || seats == b.Seats && least == b.SeatsMin {
			return b.Booking, err
		}
		outcome, err := s.desk.Do(ctx, desk.Submission{Command: seating.Resize{
			SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Version: b.Version,
			Seats: seats, SeatsMin: least, By: b.actor(caller, ""),
		}})
		if err == nil {
			return s.resized(ctx, caller, outcome.Result)
		}
		if !errors.Is(err, fault.VersionMismatch) || !match.IsAny() {
			return view.Booking{}, err
		}
	}
	return view.Booking{}, fault.Contention.New("The booking keeps changing.").After(time.Second)
}

// resized is the booking as the desk left it, with its place if it waits: that
// takes another look. It is done by then, so whatever fails must not say that
// nothing happened.
func (s *Service) resized(ctx context.Context, caller access.Caller, r seating.Result) (view.Booking, error) {
	if r.Booking.Status != seating.Waitlisted {
		return view.Booking{Booking: r.Booking, EventID: r.Slot.EventID}, nil
	}
	b, err := s.Get(ctx, caller, r.Booking.ID)
	if err != nil {
		return view.Booking{}, fault.OutcomeUnknown.New("The booking was changed, but not found again for the answer.").After(time.Second)
	}
	return b.Booking, nil
}

// check compares the booking's ETag with an If-Match header.
func (b Booking) check(match view.IfMatch) error {
	if match.IsAny() {
		return nil // no need to work the tag out
	}
	_, etag, err := b.Tagged()
	if err != nil {
		return err
	}
	return match.Check(etag)
}
