package seating

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// broken is a command with a mistake in it.
type broken struct {
	slotID  uuid.UUID
	mistake func(s *State, slot *Slot, first *Booking)
}

func (c broken) Needs() Needs { return Needs{Slots: []uuid.UUID{c.slotID}} }

func (c broken) apply(s *State) (Result, error) {
	slot := s.slots[c.slotID]
	c.mistake(s, slot, slot.ready[0])
	return Result{}, nil
}

// queueOfTwo is a slot of one seat, which is taken, and of two who wait.
func queueOfTwo(t *testing.T) (s *State, slot *Slot, taken *Booking) {
	t.Helper()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s = NewState(now)
	s.AddSlot(Slot{ID: uuid.New(), EventStatus: EventPublished, Status: SlotOpen, Capacity: 1,
		StartsAt: now.Add(time.Hour), EndsAt: now.Add(2 * time.Hour),
		Policy: Policy{WaitlistMode: WaitlistAutomatic, WaitlistLimit: NoLimit, Fit: FitStrict}})
	slot = s.Slots()[0]
	for i := range 3 {
		r, err := s.Apply(Book{BookingID: uuid.UUID{15: byte(i + 1)}, SlotID: slot.ID, UserID: uuid.New(), Seats: 1, IfFull: Wait})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			taken = s.bookings[r.Booking.ID]
		}
	}
	return s, slot, taken
}

func TestACommandThatBreaksTheBooksOfItsSlotPanics(t *testing.T) {
	t.Parallel()
	for name, mistake := range map[string]func(s *State, slot *Slot, first *Booking){
		"seats that no booking has": func(s *State, slot *Slot, _ *Booking) {
			slot.SeatsTaken--
			s.record(slot, nil, KindEdited, System(""), Cause{})
		},
		"a waiter who is not counted": func(s *State, slot *Slot, first *Booking) {
			slot.WaitlistLength--
			s.record(slot, first, KindPassed, System(""), Cause{})
		},
		"a status without its counters": func(s *State, slot *Slot, first *Booking) {
			first.Status = Cancelled
			s.record(slot, first, KindCancelled, System(""), Cause{})
		},
		"a final booking in the queue": func(s *State, slot *Slot, first *Booking) {
			first.Status = Cancelled
			slot.WaitlistLength, slot.WaitlistReady = slot.WaitlistLength-1, slot.WaitlistReady-1
			s.record(slot, first, KindCancelled, System(""), Cause{})
		},
		"somebody twice in the queue": func(s *State, slot *Slot, first *Booking) {
			slot.ready = append([]*Booking{first}, slot.ready...)
			s.record(slot, first, KindPassed, System(""), Cause{})
		},
		"a queue in another order": func(s *State, slot *Slot, first *Booking) {
			slot.ready[0], slot.ready[1] = slot.ready[1], slot.ready[0]
			s.record(slot, first, KindPassed, System(""), Cause{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, slot, _ := queueOfTwo(t)
			defer func() {
				if recover() == nil {
					t.Error("nobody noticed")
				}
			}()
			_, _ = s.Apply(broken{slot.ID, mistake})
		})
	}
}

// What was wrong when it was loaded is reported, and does not stop anybody.
func TestASlotThatWasWrongBeforeStillTakesCancellations(t *testing.T) {
	t.Parallel()
	found, slot, taken := queueOfTwo(t)
	s := NewState(found.Now)
	wrong := *slot
	wrong.SeatsTaken, wrong.ready = 2, nil
	s.AddSlot(wrong)
	s.AddBooking(*taken)
	s.AddHead(*slot.ready[1])
	s.AddHead(*slot.ready[0])
	if errs := s.Wrong(); len(errs) != 1 {
		t.Errorf("reported: %v", errs)
	}
	if _, err := s.Apply(Cancel{SlotID: slot.ID, BookingID: taken.ID, UserID: taken.UserID}); err != nil {
		t.Fatal(err)
	}
	if after := s.Slots()[0]; after.SeatsTaken != 1 || s.bookings[taken.ID].Status != Cancelled {
		t.Errorf("%d seats taken, the booking is %s", after.SeatsTaken, s.bookings[taken.ID].Status)
	}
}
