package seating_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// attended is a fixture with a confirmed booking of two seats.
func attended(t *testing.T) (*fixture, seating.Book) {
	f := newFixture(t, aSlot(4))
	b := f.book(2)
	f.must(b)
	return f, b
}

// at sets the clock relative to the slot's start; the slot lasts two hours.
func (f *fixture) at(after time.Duration) { f.state.Now = f.findSlot(f.slot).StartsAt.Add(after) }

func (f *fixture) checkIn(b seating.Book, undo bool) seating.CheckIn {
	return seating.CheckIn{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, Undo: undo, By: organizer}
}

var organizer = seating.Actor{Role: seating.ActorOrganizer}

func (f *fixture) resize(b seating.Book, seats int, by seating.Actor) seating.Resize {
	return seating.Resize{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, Seats: seats, By: by}
}

// A confirmed booking is final once its slot has ended, or once the attendee is
// checked in and the slot has started: for everybody.
func TestFinalBookingsDoNotChange(t *testing.T) {
	t.Parallel()
	const end = 2 * time.Hour
	for name, c := range map[string]struct {
		isCheckedIn bool
		at          time.Duration
		want        *fault.Code
	}{
		"before the start":                {false, -time.Hour, nil},
		"checked in, before the start":    {true, -time.Hour, nil},
		"while it runs":                   {false, time.Hour, nil},
		"checked in, at the start":        {true, 0, fault.BookingFinal},
		"checked in, while it runs":       {true, time.Hour, fault.BookingFinal},
		"just before the end":             {false, end - time.Nanosecond, nil},
		"at the end":                      {false, end, fault.BookingFinal},
		"checked in, long after the end":  {true, 1000 * time.Hour, fault.BookingFinal},
		"not checked in, long afterwards": {false, 1000 * time.Hour, fault.BookingFinal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, command := range []string{"cancel", "move", "fewer", "more"} {
				f, b := attended(t)
				other := aSlot(4)
				other.EventID = f.findSlot(f.slot).EventID
				other.StartsAt, other.EndsAt = noon.Add(9000*time.Hour), noon.Add(9001*time.Hour)
				f.state.AddSlot(other)
				if c.isCheckedIn {
					f.must(f.checkIn(b, false))
				}
				f.at(c.at)
				_, err := f.apply(map[string]seating.Command{
					"cancel": seating.Cancel{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, By: organizer},
					"move": seating.Move{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, ToSlotID: other.ID,
						NewID: uuid.New(), By: organizer},
					"fewer": f.resize(b, 1, organizer),
					"more":  f.resize(b, 3, organizer),
				}[command])
				switch {
				case c.want != nil:
					wantFault(t, err, c.want)
					f.want(confirmed)
				case command == "more" && c.at >= 0:
					wantFault(t, err, fault.SlotStarted)
				case err != nil:
					t.Errorf("%s: %v", command, err)
				}
			}
		})
	}
}

// Until the slot has started, a checked-in attendee's booking changes only by the
// organizer: the seat is taken.
func TestCheckedInAttendeesKeepTheirSeats(t *testing.T) {
	t.Parallel()
	f, b := attended(t)
	attendee := seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}
	f.must(f.checkIn(b, false))
	_, err := f.apply(f.cancel(b))
	wantFault(t, err, fault.CheckedIn)
	_, err = f.apply(f.resize(b, 1, attendee))
	wantFault(t, err, fault.CheckedIn)
	other := aSlot(4)
	other.EventID = f.findSlot(f.slot).EventID
	f.state.AddSlot(other)
	_, err = f.apply(seating.Move{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, ToSlotID: other.ID, NewID: uuid.New(), By: attendee})
	wantFault(t, err, fault.CheckedIn)
	upgrade := seating.Book{BookingID: uuid.New(), SlotID: other.ID, UserID: b.UserID, Seats: 1, Replaces: b.BookingID, ReplacesSlotID: b.SlotID, By: attendee}
	_, err = f.apply(upgrade)
	wantFault(t, err, fault.CheckedIn)
	f.want(confirmed)

	f.must(f.resize(b, 3, attendee))
	f.must(f.resize(b, 1, organizer))
	f.must(f.checkIn(b, true))
	f.must(f.cancel(b))
	f.want(cancelled)
}

// A check-in can be recorded and undone until seven days after the end. Undoing it
// is the way to cancel after a mistake, while the slot runs.
func TestAttendanceIsRecordedUntilAWeekAfterTheEnd(t *testing.T) {
	t.Parallel()
	f, b := attended(t)
	f.at(time.Hour)
	f.must(f.checkIn(b, false))
	f.at(2*time.Hour + 7*24*time.Hour - time.Nanosecond)
	f.must(f.checkIn(b, true))
	f.must(f.checkIn(b, false))
	f.at(2*time.Hour + 7*24*time.Hour)
	for _, undo := range []bool{true, false} {
		_, err := f.apply(f.checkIn(b, undo))
		wantFault(t, err, fault.CheckInClosed)
	}

	f, b = attended(t)
	f.must(f.checkIn(b, false))
	f.at(time.Hour)
	f.must(f.checkIn(b, true))
	f.must(seating.Cancel{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, By: organizer})
	f.want(cancelled)
}

// What is cancelled by a job is judged as of the time at which it was decided.
func TestACancellationIsJudgedAsOfItsTime(t *testing.T) {
	t.Parallel()
	f, b := attended(t)
	starts := f.findSlot(f.slot).StartsAt
	f.at(3 * time.Hour)
	cancel := seating.Cancel{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, By: seating.System("the user was deleted")}
	cancel.AsOf = starts.Add(2 * time.Hour)
	_, err := f.apply(cancel)
	wantFault(t, err, fault.BookingFinal)
	cancel.AsOf = starts.Add(time.Hour)
	f.must(cancel)
	f.want(cancelled)
}

// A slot that runs keeps the attendees who are checked in when it is cancelled, and
// those only, even if the job comes after its end. One that has ended stays.
func TestCancellingASlotKeepsWhoAttended(t *testing.T) {
	t.Parallel()
	f, b := attended(t)
	absent := f.book(1)
	f.must(absent)
	f.must(f.checkIn(b, false))
	cancel := cancelSlot(f)

	f.at(time.Hour)
	f.must(cancel)
	_, err := f.apply(f.checkIn(absent, false))
	wantFault(t, err, fault.SlotCancelled)
	f.at(3 * time.Hour)
	if r := f.must(seating.CancelAllBookings{SlotID: f.slot}); r.More {
		t.Error("there is more to cancel")
	}
	f.want(confirmed, cancelled)
	f.must(cancel) // Repeating it changes nothing.

	f, _ = attended(t)
	f.at(2 * time.Hour)
	_, err = f.apply(cancelSlot(f))
	wantFault(t, err, fault.SlotEnded)
	f.must(seating.CancelAllBookings{SlotID: f.slot})
	f.want(confirmed)
}

// cancelSlot cancels the fixture's slot.
func cancelSlot(f *fixture) seating.EditSlot {
	to := seating.SlotCancelled
	return seating.EditSlot{SlotID: f.slot, Status: &to, By: organizer}
}

// An event's cancellation leaves alone the slots that had ended by then.
func TestCancellingAnEventKeepsSlotsThatHaveEnded(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]seating.Status{time.Hour: cancelled, 2 * time.Hour: confirmed} {
		slot := aSlot(4)
		f := newFixture(t, slot)
		b := f.book(2)
		f.must(b)
		next := f.findSlot(f.slot)
		next.EventStatus, next.CancelledAt = seating.EventCancelled, next.StartsAt.Add(after)
		later := seating.NewState(next.StartsAt.Add(5 * time.Hour))
		later.AddSlot(next)
		later.AddBooking(f.booking(b.BookingID))
		f.state = later
		f.must(seating.CancelAllBookings{SlotID: f.slot})
		f.want(want)
		if want == confirmed {
			f.must(f.checkIn(b, false)) // Late attendance lists are normal.
		}
	}
}

// Who waits for other seats instead of a booking that may not be given back any
// more waits like anybody else, and keeps it.
func TestAnUpgradeWithoutAWayBackIsAnOrdinaryWait(t *testing.T) {
	t.Parallel()
	for name, close := range map[string]func(f *fixture, kept seating.Book){
		"its slot has started":   func(f *fixture, _ seating.Book) { f.at(time.Minute) },
		"cancelling has closed":  func(f *fixture, _ seating.Book) { f.at(-time.Hour) },
		"its user is checked in": func(f *fixture, kept seating.Book) { f.must(f.checkIn(kept, false)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := aSlot(4)
			old.Policy.CancellationCloses = 2 * time.Hour
			f := newFixture(t, old)
			kept := f.book(1)
			f.must(kept)
			wanted := aSlot(1)
			wanted.StartsAt, wanted.EndsAt = old.StartsAt.Add(10*time.Hour), old.EndsAt.Add(10*time.Hour)
			f.state.AddSlot(wanted)
			rival := f.book(1)
			rival.SlotID = wanted.ID
			f.must(rival)
			upgrade := f.book(1)
			upgrade.SlotID, upgrade.UserID, upgrade.Replaces, upgrade.ReplacesSlotID = wanted.ID, kept.UserID, kept.BookingID, old.ID
			f.must(upgrade)
			f.want(confirmed, confirmed, waitlisted)

			close(f, kept)
			f.must(seating.Cancel{SlotID: wanted.ID, BookingID: rival.BookingID, UserID: rival.UserID, By: organizer})
			f.must(seating.Promote{SlotID: wanted.ID, Also: []uuid.UUID{old.ID}})
			f.want(confirmed, cancelled, confirmed)
		})
	}
}

// The wait follows a booking that is moved: what is given back is the one that took
// its place.
func TestAWaitFollowsTheBookingThatWasMoved(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 2, 2, 1)
	kept := f.book(1)
	f.must(kept)
	rival := f.book(1)
	rival.SlotID = slots[2].ID
	f.must(rival)
	upgrade := f.book(1)
	upgrade.SlotID, upgrade.UserID, upgrade.Replaces, upgrade.ReplacesSlotID = slots[2].ID, kept.UserID, kept.BookingID, slots[0].ID
	f.must(upgrade)
	moved := f.must(seating.Move{SlotID: slots[0].ID, BookingID: kept.BookingID, UserID: kept.UserID, ToSlotID: slots[1].ID, NewID: uuid.New(), By: kept.By})
	f.made = append(f.made, moved.Booking.ID)

	f.must(seating.Cancel{SlotID: slots[2].ID, BookingID: rival.BookingID, UserID: rival.UserID, By: organizer})
	f.must(seating.Promote{SlotID: slots[2].ID, Also: []uuid.UUID{slots[1].ID}})
	f.want(cancelled, cancelled, confirmed, cancelled)
	if old := f.booking(moved.Booking.ID); old.ReplacedBy != upgrade.BookingID {
		t.Errorf("the booking that was moved to is replaced by %s", old.ReplacedBy)
	}
}

// A wait for seats instead of a booking at the same time is blocked by that booking
// while it may not be given back, and is served once it may be again.
func TestAWaitIsUnblockedOnceItsBookingCanBeGivenBackAgain(t *testing.T) {
	t.Parallel()
	old := aSlot(4)
	f := newFixture(t, old)
	kept := f.book(1)
	f.must(kept)
	wanted := aSlot(1)
	f.state.AddSlot(wanted)
	rival := f.book(1)
	rival.SlotID = wanted.ID
	f.must(rival)
	upgrade := f.book(1)
	upgrade.SlotID, upgrade.UserID, upgrade.Replaces, upgrade.ReplacesSlotID = wanted.ID, kept.UserID, kept.BookingID, old.ID
	f.must(upgrade)
	promote := seating.Promote{SlotID: wanted.ID, Also: []uuid.UUID{old.ID}}

	f.must(f.checkIn(kept, false))
	f.must(seating.Cancel{SlotID: wanted.ID, BookingID: rival.BookingID, UserID: rival.UserID, By: organizer})
	f.must(promote)
	f.want(confirmed, cancelled, waitlisted)
	if b := f.booking(upgrade.BookingID); b.BlockedBy != kept.BookingID {
		t.Fatalf("it is blocked by %s", b.BlockedBy)
	}
	f.state.AddBlock(kept.BookingID, wanted.ID)
	isRequested := func() bool {
		return slices.ContainsFunc(f.state.Promotions(), func(p seating.Promote) bool { return p.SlotID == wanted.ID })
	}
	if isRequested() {
		t.Fatal("a promotion is requested already")
	}
	f.must(f.checkIn(kept, true))
	if !isRequested() {
		t.Error("undoing the check-in requests no promotion")
	}
	f.must(promote)
	f.want(cancelled, cancelled, confirmed)
}

// The booking of a deleted user is about to be cancelled. Whoever moves it meanwhile is
// told so, and not that their own token is invalid.
func TestTheBookingOfADeletedUserIsNotMoved(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 2, 2)
	b := f.book(1)
	f.must(b)
	f.state.AddDeleted(b.UserID)
	_, err := f.apply(seating.Move{SlotID: slots[0].ID, BookingID: b.BookingID, UserID: b.UserID, ToSlotID: slots[1].ID, NewID: uuid.New(),
		By: seating.Actor{Role: seating.ActorOrganizer, ID: uuid.New()}})
	wantFault(t, err, fault.InvalidTransition)
	f.want(confirmed)
}

// A slot that the previous version cancelled does not say when: what is final now stays.
func TestASlotCancelledAtAnUnknownTimeKeepsWhoAttended(t *testing.T) {
	t.Parallel()
	f, b := attended(t)
	slot := f.findSlot(f.slot)
	slot.Status = seating.SlotCancelled
	later := seating.NewState(slot.EndsAt)
	later.AddSlot(slot)
	later.AddBooking(f.booking(b.BookingID))
	f.state = later
	f.must(seating.CancelAllBookings{SlotID: f.slot})
	f.want(confirmed)
}
