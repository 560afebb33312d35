package waitlist_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// position is what the owner of a booking is told about its wait. Whether it is said to
// be blocked agrees with the reasons.
func (e env) position(t *testing.T, b seating.Booking) api.WaitlistPosition {
	t.Helper()
	r, err := e.handler.GetWaitlistPosition(access.WithCaller(t.Context(), owner(b)), api.GetWaitlistPositionRequestObject{BookingID: b.ID})
	if err != nil {
		t.Fatal(err)
	}
	p := api.WaitlistPosition(r.(api.GetWaitlistPosition200JSONResponse))
	blocked := false
	for _, reason := range p.Reasons {
		blocked = blocked || reason.Code == api.WaitReasonCodeBlockedByOverlap || reason.Code == api.WaitReasonCodeExceedsCapacity
	}
	if p.Blocked != blocked {
		t.Errorf("blocked is %t, and the reasons are %v", p.Blocked, p.Reasons)
	}
	return p
}

// queue are the slot's waiting bookings, as who manages it sees them.
func (e env) queue(t *testing.T, event db.Event, slotID uuid.UUID) (blocked []bool) {
	t.Helper()
	list, err := e.service.List(t.Context(), testkit.Caller(event.OrganizerID, access.Organizer), slotID, page.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list.Items {
		if (b.BlockedBy != uuid.Nil) != (b.Blocked == seating.BlockedOverlap) {
			t.Errorf("%s is blocked %q by %s", b.ID, b.Blocked, b.BlockedBy)
		}
		blocked = append(blocked, b.Blocked != seating.NotBlocked)
	}
	return blocked
}

func (e env) setCapacity(t *testing.T, slotID uuid.UUID, capacity int) {
	t.Helper()
	if _, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.EditSlot{SlotID: slotID, Capacity: &capacity, By: seating.System("")}}); err != nil {
		t.Fatal(err)
	}
}

// After a cut of the capacity, those who do not fit any more are blocked at once, and
// nobody is told to wait behind them; after a rise they come first again.
func TestCutOfCapacityBlocksWhoDoesNotFit(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(6))
	seated := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 4)
	large := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 5)
	small := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 3)
	e.setCapacity(t, slot.ID, 4) // entries 5, and 6: blocked

	p := e.position(t, large)
	if !p.Blocked || p.Reasons[0].Code != api.WaitReasonCodeExceedsCapacity || p.Reasons[0].SinceVersion.MustGet() != 6 {
		t.Errorf("the large one is told %+v", p)
	}
	p = e.position(t, small)
	if p.Position.MustGet() != 2 || p.SeatsNeeded != 3 || p.BookingsAhead != 1 || len(p.Reasons) != 1 || p.Reasons[0].Code != api.WaitReasonCodeSeatsTaken {
		t.Errorf("the small one is told %+v", p)
	}
	if got := e.queue(t, event, slot.ID); !got[0] || got[1] {
		t.Errorf("blocked in the queue: %v", got)
	}
	testkit.Sound(t, e.pool)

	e.setCapacity(t, slot.ID, 5)
	if p := e.position(t, large); p.Blocked || p.SeatsNeeded != 4 {
		t.Errorf("after a rise the large one is told %+v", p)
	}
	if p := e.position(t, small); p.SeatsNeeded != 7 {
		t.Errorf("after a rise the small one is told %+v", p)
	}
	e.setCapacity(t, slot.ID, 4)
	e.cancel(t, seated)
	if _, err := e.service.Promote(t.Context(), testkit.Caller(uuid.Nil, access.Admin), slot.ID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
	if got := e.status(t, small); got != "confirmed" {
		t.Errorf("the small one is %s", got)
	}
	testkit.Sound(t, e.pool)
}

// A booking that accepts fewer seats fits as long as these do.
func TestCutOfCapacityLeavesWhoAcceptsFewerSeats(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(6))
	testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 6-2)
	flexible := e.attendee(t)
	outcome, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.Book{BookingID: testkit.ID(), SlotID: slot.ID, UserID: flexible.UserID,
		Seats: 5, SeatsMin: 3, IfFull: seating.Wait, By: seating.Actor{Role: seating.ActorAttendee, ID: flexible.UserID}}})
	if err != nil {
		t.Fatal(err)
	}
	e.setCapacity(t, slot.ID, 4)
	if p := e.position(t, outcome.Result.Booking); p.Blocked || p.SeatsNeeded != 3 {
		t.Errorf("it is told %+v", p)
	}
	testkit.Sound(t, e.pool)
}

// A head whose user has seats elsewhere at that time holds nobody up, whether a
// promotion has found that out or not, and is told so. What it would give back does
// not hinder it.
func TestBusyHeadDoesNotCount(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	elsewhere := testkit.Slot(t, e.pool, event.ID)
	testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	busy, upgrading := e.attendee(t), e.attendee(t)
	head := testkit.Book(t, e.desk, slot.ID, busy.UserID, 1)
	kept := testkit.Book(t, e.desk, elsewhere.ID, upgrading.UserID, 1)
	outcome, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.Book{BookingID: testkit.ID(), SlotID: slot.ID, UserID: upgrading.UserID,
		Seats: 1, IfFull: seating.Wait, Replaces: kept.ID, ReplacesSlotID: elsewhere.ID, By: seating.Actor{Role: seating.ActorAttendee, ID: upgrading.UserID}}})
	if err != nil {
		t.Fatal(err)
	}
	upgrade := outcome.Result.Booking
	last := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	blocker := testkit.Book(t, e.desk, elsewhere.ID, busy.UserID, 1) // nobody has looked at the head since

	if p := e.position(t, head); !p.Blocked || p.BlockedBy.MustGet() != blocker.ID || p.Reasons[0].Code != api.WaitReasonCodeBlockedByOverlap {
		t.Errorf("the head is told %+v", p)
	}
	if p := e.position(t, upgrade); p.Blocked || p.SeatsNeeded != 1 || p.BookingsAhead != 1 {
		t.Errorf("the upgrade is told %+v", p)
	}
	if p := e.position(t, last); p.SeatsNeeded != 2 || p.BookingsAhead != 2 || p.Position.MustGet() != 3 {
		t.Errorf("the last is told %+v", p)
	}
	if got := e.queue(t, event, slot.ID); !got[0] || got[1] || got[2] {
		t.Errorf("blocked in the queue: %v", got)
	}
	e.cancel(t, blocker)
	if p := e.position(t, head); p.Blocked || p.SeatsNeeded != 1 {
		t.Errorf("after the blocker has gone, the head is told %+v", p)
	}
	testkit.Sound(t, e.pool)
}

// Under first_fit, at most a hundred who do not fit are passed, and who waits behind
// them is told that this is why.
func TestWhoWaitsBeyondTheLookAheadIsToldSo(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.Fit, event.MaxPasses = "first_fit", 100 })
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(4), testkit.Times(48*time.Hour, 49*time.Hour))
	testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 3)
	leaves := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	for range seating.LookAhead {
		testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 2)
	}
	beyond := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	e.cancel(t, leaves)
	if _, err := e.service.Promote(t.Context(), testkit.Caller(uuid.Nil, access.Admin), slot.ID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
	p := e.position(t, beyond)
	if p.Status != api.BookingStatusWaitlisted || p.SeatsAvailable != 1 || p.Reasons[0].Code != api.WaitReasonCode(waitlist.BeyondLookAhead) {
		t.Errorf("it is told %+v", p)
	}
	testkit.Sound(t, e.pool)
}
