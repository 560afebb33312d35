package seating

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Cancel ends a booking for good: it gives its seats back, or leaves the queue.
// Cancelling twice changes nothing. Refusals: fault.NotFound, fault.BookingFinal,
// fault.CheckedIn, fault.CancellationWindowClosed and, for an expired booking,
// fault.InvalidTransition.
type Cancel struct {
	SlotID, BookingID uuid.UUID
	UserID            uuid.UUID // whose booking it is
	// AsOf is when it was decided, if a job carries it out later; zero: now. What was
	// final then stays, and what has become final since does not.
	AsOf time.Time
	By   Actor
}

func (c Cancel) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID, c.By) }

func (c Cancel) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID, c.By)
	if err != nil {
		return Result{}, err
	}
	if b.Status.Live() {
		if err := c.checkCancellable(s, slot, b); err != nil {
			return Result{}, err
		}
		s.transition(b, Cancelled, KindCancelled, c.By, Cause{})
	} else if b.Status != Cancelled {
		return Result{}, atVersion(slot, errInvalidTransition(b, Cancelled))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

func (c Cancel) checkCancellable(s *State, slot *Slot, b *Booking) error {
	if c.AsOf.IsZero() {
		return s.checkReturnable(slot, b, c.By)
	}
	return checkNotFinal(slot, b, c.AsOf)
}

// checkReturnable refuses to take seats from a confirmed booking: from one that is
// final, and for attendees also once they are checked in or cancelling has closed.
// Leaving the queue is possible at any time, and so is giving back a hold or an offer.
func (s *State) checkReturnable(slot *Slot, b *Booking, by Actor) error {
	if err := checkNotFinal(slot, b, s.Now); err != nil {
		return err
	}
	if by.Role != ActorAttendee || b.Status != Confirmed {
		return nil
	}
	if !b.CheckedInAt.IsZero() {
		return atVersion(slot, fault.CheckedIn.New("You are checked in. Only the event's organizer can change the booking now."))
	}
	if closes := slot.CancellationClosesAt(b); !s.Now.Before(closes) {
		return atVersion(slot, fault.CancellationWindowClosed.
			Newf("Cancelling closed at %s.", closes.UTC().Format(time.RFC3339)).
			With(fault.Members{ClosedAt: new(closes.UTC())}))
	}
	return nil
}

// checkNotFinal refuses to change what was attended, or what nobody can attend any more.
func checkNotFinal(slot *Slot, b *Booking, at time.Time) error {
	switch {
	case !b.isFinal(at):
		return nil
	case slot.Ended(at):
		return atVersion(slot, fault.BookingFinal.Newf("The slot ended at %s.", slot.EndsAt.UTC().Format(time.RFC3339)))
	default:
		return atVersion(slot, fault.BookingFinal.New("The slot has started, and the attendee is checked in."))
	}
}

// errInvalidTransition refuses a change to a status that cannot follow the present one.
func errInvalidTransition(b *Booking, to Status) *fault.Error {
	return fault.InvalidTransition.Newf("The booking is %s.", b.Status).With(fault.Members{From: new(string(b.Status)), To: new(string(to))})
}
