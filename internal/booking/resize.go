package booking

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/waitlist"
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
	return seats, least, checkLeast(seats, least)
}

// resizeTries is how often a patch is worked out anew because the booking changed
// meanwhile, where the caller did not say which state it is for.
const resizeTries = 3

// Resize changes for how many seats a booking is, for its owner or for who
// manages its event. match is the If-Match header, nil if none was sent: the
// state that the patch is meant for.
//
// A patch says what changes; the rest is filled in from a booking read without a
// lock. So the desk takes it for the version that was read only: a promotion with
// fewer seats in between is not undone by what nobody asked for.
func (s *Service) Resize(ctx context.Context, caller account.Caller, id uuid.UUID, match *string, patch Patch) (waitlist.Placed, error) {
	for range resizeTries {
		b, err := s.Get(ctx, caller, id)
		if err != nil {
			return waitlist.Placed{}, err
		}
		if err := b.matches(match); err != nil {
			return waitlist.Placed{}, err
		}
		seats, least, err := patch.of(b.Booking)
		if err != nil || seats == b.Seats && least == b.SeatsMin {
			return b.Placed, err
		}
		outcome, err := s.desk.Do(ctx, seating.Order{Command: seating.Resize{
			SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Version: b.Version,
			Seats: seats, SeatsMin: least, By: b.by(caller, ""),
		}})
		if err == nil {
			return s.resized(ctx, caller, outcome.Result)
		}
		if !errors.Is(err, fault.VersionMismatch) || !anyState(match) {
			return waitlist.Placed{}, err
		}
	}
	return waitlist.Placed{}, fault.Contention.New("The booking keeps changing.").After(time.Second)
}

// resized is the booking as the desk left it, with its place if it waits: that
// takes another look. It is done by then, so whatever fails must not say that
// nothing happened.
func (s *Service) resized(ctx context.Context, caller account.Caller, r seating.Result) (waitlist.Placed, error) {
	if r.Booking.Status != seating.Waitlisted {
		return waitlist.Placed{Booking: r.Booking, EventID: r.Slot.EventID}, nil
	}
	b, err := s.Get(ctx, caller, r.Booking.ID)
	if err != nil {
		return waitlist.Placed{}, fault.OutcomeUnknown.New("The booking was changed, but not found again for the answer.").After(time.Second)
	}
	return b.Placed, nil
}

// anyState says that a caller does not care what state they change.
func anyState(match *string) bool { return match == nil || strings.TrimSpace(*match) == "*" }

// matches compares the booking with an If-Match header: a list of tags, or *.
func (b Booking) matches(match *string) error {
	if anyState(match) {
		return nil
	}
	_, tag, err := b.Tagged()
	if err != nil {
		return err
	}
	named := slices.ContainsFunc(strings.Split(*match, ","), func(t string) bool { return strings.TrimSpace(t) == tag })
	if !named {
		return fault.VersionMismatch.New("The booking is not as you saw it; get it again for its present ETag, which is sent with its quotes.")
	}
	return nil
}
