package seating

import (
	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Move exchanges a confirmed booking for a new, linked one in another slot of the
// same event, in one step. If it is refused, nothing changes. The refusals are
// those of Cancel for the old booking and of Book for the new one, and
// fault.ValidationFailed for a slot of another event.
type Move struct {
	SlotID, BookingID uuid.UUID
	UserID            uuid.UUID // whose booking it is
	// ToSlotID is the other slot, NewID the id of the new booking there.
	ToSlotID, NewID uuid.UUID
	By              Actor
}

func (c Move) Needs() Needs {
	n := needsOfBooking(c.SlotID, c.BookingID, c.UserID, c.By)
	n.Slots = append(n.Slots, c.ToSlotID)
	n.Wanted = []UserSlot{{c.UserID, c.ToSlotID}}
	n.Serves = []uuid.UUID{c.ToSlotID}
	return n
}

func (c Move) apply(s *State) (Result, error) {
	from, old, err := s.findBooking(c.SlotID, c.BookingID, c.By)
	if err != nil {
		return Result{}, err
	}
	to := s.slots[c.ToSlotID]
	if to == nil || to == from || to.EventID != from.EventID {
		return Result{}, fault.Invalid(fault.Field{Pointer: "/slot_id", Code: "other_event", Detail: "must be another slot of the same event"})
	}
	if old.Status != Confirmed {
		return Result{}, atVersion(from, errInvalidTransition(old, Cancelled))
	}
	if s.deleted[c.UserID] && c.By.ID != c.UserID { // Book would refuse with the caller's token.
		return Result{}, atVersion(from, fault.InvalidTransition.New("The attendee was deleted, and the booking is being cancelled.").
			With(fault.Members{From: new(string(old.Status)), To: new(string(Confirmed))}))
	}
	if err := s.checkReturnable(from, old, c.By); err != nil {
		return Result{}, err
	}
	book := Book{BookingID: c.NewID, SlotID: to.ID, UserID: c.UserID, Seats: old.Seats, IfFull: Reject, Replaces: old.ID, By: c.By}
	s.expireDue(to)
	if err := book.checkAdmissible(s, to); err != nil {
		return Result{}, err
	}
	promoted, _ := s.promote(to)
	d := book.weigh(s, to) // The limits of seats do not matter: there are as many as before.
	if err := book.checkAvailable(s, to, d.served); err != nil {
		return Result{}, err
	}
	d.b.Replaces, d.b.MovedFrom = uuid.Nil, old.ID
	old.ReplacedBy = d.b.ID // Who waits for other seats instead of the old booking finds the new one.
	if c.By.Role != ActorAttendee {
		d.b.CancellationCloses = 0 // Whoever is moved by others may cancel until the start.
	}
	s.transition(old, Cancelled, KindMoved, c.By, Cause{})
	s.seatNewcomer(d.b, Confirmed, KindConfirmed, d.passed, c.By, Cause{from.ID, from.Version})
	return Result{Slot: *to, Booking: *d.b, Promoted: promoted}, nil
}
