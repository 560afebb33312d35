package seating_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

func TestSecondCancellationChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(1))
	a := f.book(1)
	f.must(a)
	f.must(f.cancel(a))
	before := len(f.state.Entries())
	if r := f.must(f.cancel(a)); r.Booking.Status != cancelled || len(f.state.Entries()) != before {
		t.Error("the second cancellation did something")
	}
}

func TestResizeTakesFreeSeatsOnlyIfNobodyWaits(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(3))
	mine := f.book(2)
	f.must(mine)
	to := func(b seating.Book, seats int) (seating.Result, error) {
		return f.apply(seating.Resize{SlotID: f.slot, BookingID: b.BookingID, UserID: b.UserID, Seats: seats, By: seating.Actor{Role: seating.ActorAttendee}})
	}
	if r, err := to(mine, 3); err != nil || r.Slot.SeatsTaken != 3 {
		t.Fatalf("%v, %d taken", err, r.Slot.SeatsTaken)
	}
	_, err := to(mine, 4)
	wantFault(t, err, fault.SeatsExceedCapacity)
	one, two := f.book(2), f.book(1)
	f.must(one)
	f.must(two)
	_, err = to(mine, 2) // frees one seat, the head wants two
	must(t, err)
	_, err = to(mine, 3) // somebody waits now
	wantFault(t, err, fault.SlotFull)

	// A waiting booking keeps its position with fewer seats, and rejoins with more.
	_, err = to(one, 1)
	must(t, err)
	f.must(seating.Promote{SlotID: f.slot})
	f.want(confirmed, confirmed, waitlisted)
	before := f.booking(two.BookingID).QueuedVersion
	_, err = to(two, 3)
	must(t, err)
	if after := f.booking(two.BookingID); after.QueuedVersion <= before || after.QueuedVersion != after.Version {
		t.Errorf("queued version was %d, is %d", before, after.QueuedVersion)
	}
	_, err = f.apply(seating.Resize{SlotID: f.slot, BookingID: two.BookingID, Version: 1, Seats: 1})
	wantFault(t, err, fault.VersionMismatch)
}

func TestRefusedMoveChangesNothing(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 1, 1)
	mine, theirs := f.book(1), f.book(1)
	theirs.SlotID = slots[1].ID
	f.must(mine)
	f.must(theirs)
	move := seating.Move{SlotID: slots[0].ID, BookingID: mine.BookingID, UserID: mine.UserID, ToSlotID: slots[1].ID, NewID: uuid.New(), By: seating.Actor{Role: seating.ActorAttendee}}
	entries := len(f.state.Entries())
	_, err := f.apply(move)
	wantFault(t, err, fault.SlotFull)
	if len(f.state.Entries()) != entries {
		t.Error("a refused move made an entry")
	}
	f.must(seating.Cancel{SlotID: slots[1].ID, BookingID: theirs.BookingID, UserID: theirs.UserID, By: seating.Actor{Role: seating.ActorAttendee}})
	r := f.must(move)
	if r.Booking.Status != confirmed || r.Booking.MovedFrom != mine.BookingID || r.Booking.SlotID != slots[1].ID {
		t.Errorf("new booking is %+v", r.Booking)
	}
	if old := f.booking(mine.BookingID); old.Status != cancelled {
		t.Errorf("old booking is %s", old.Status)
	}
	last := f.state.Entries()[len(f.state.Entries())-1]
	if last.Cause.SlotID != slots[0].ID {
		t.Errorf("the new booking's cause is %+v", last.Cause)
	}
	_, err = f.apply(move)
	wantFault(t, err, fault.InvalidTransition)
	_, err = f.apply(seating.Move{SlotID: slots[1].ID, BookingID: r.Booking.ID, UserID: mine.UserID, ToSlotID: slots[1].ID, NewID: uuid.New()})
	wantFault(t, err, fault.ValidationFailed)
}

func TestCheckInCanBeUndone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(1))
	b := f.book(1)
	f.must(b)
	in := seating.CheckIn{SlotID: f.slot, BookingID: b.BookingID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorOrganizer}}
	f.must(in)
	f.must(in)
	if at := f.booking(b.BookingID).CheckedInAt; !at.Equal(noon) || f.now().Version != 2 {
		t.Errorf("checked in at %s, version %d", at, f.now().Version)
	}
	in.Undo = true
	f.must(in)
	if at := f.booking(b.BookingID).CheckedInAt; !at.IsZero() {
		t.Errorf("still checked in at %s", at)
	}
	waiting := f.book(1)
	f.must(waiting)
	_, err := f.apply(seating.CheckIn{SlotID: f.slot, BookingID: waiting.BookingID})
	wantFault(t, err, fault.InvalidTransition)
}
