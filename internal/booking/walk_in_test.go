package booking_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// running is a slot of two seats that started an hour ago and ends in an hour.
func (e env) running(t *testing.T, event db.Event) seating.Slot {
	t.Helper()
	return testkit.Slot(t, e.pool, event.ID, testkit.Capacity(2), testkit.Times(-time.Hour, time.Hour))
}

func walkIns(event *db.Event) { event.WalkIns = true }

// With walk_ins a running slot is booked until it ends or booking closes, whichever is
// earlier; without, booking ends at the start, whatever booking_closes_at says.
func TestWalkInsBookRunningSlots(t *testing.T) {
	t.Parallel()
	e := open(t)
	now := time.Now().UTC()
	at := func(after time.Duration) func(*db.Event) {
		return func(event *db.Event) { event.BookingClosesAt = new(now.Add(after)) }
	}
	for name, c := range map[string]struct {
		edits      []func(*db.Event)
		starts, to time.Duration
		want       *fault.Code
	}{
		"without":                      {nil, -time.Hour, time.Hour, fault.SlotStarted},
		"without, closing later":       {[]func(*db.Event){at(time.Minute)}, -time.Hour, time.Hour, fault.SlotStarted},
		"with":                         {[]func(*db.Event){walkIns}, -time.Hour, time.Hour, nil},
		"with, closing later":          {[]func(*db.Event){walkIns, at(time.Minute)}, -time.Hour, time.Hour, nil},
		"with, closing after the end":  {[]func(*db.Event){walkIns, at(9 * time.Hour)}, -time.Hour, time.Hour, nil},
		"with, closed":                 {[]func(*db.Event){walkIns, at(-time.Minute)}, -time.Hour, time.Hour, fault.BookingClosed},
		"with, ended":                  {[]func(*db.Event){walkIns}, -time.Hour, -time.Minute, fault.BookingClosed},
		"with, ended, closing later":   {[]func(*db.Event){walkIns, at(time.Minute)}, -time.Hour, -time.Minute, fault.BookingClosed},
		"with, closed before it start": {[]func(*db.Event){walkIns, at(-time.Minute)}, time.Hour, 2 * time.Hour, fault.BookingClosed},
	} {
		slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool, c.edits...).ID, testkit.Times(c.starts, c.to))
		b, err := e.book(e.attendee(t), slot.ID, 1)
		switch {
		case c.want == nil && (err != nil || b.Status != seating.Confirmed):
			t.Errorf("%s: %s, %v", name, b.Status, err)
		case c.want != nil && !errors.Is(err, c.want):
			t.Errorf("%s: %v, want %s", name, err, c.want.Name)
		}
	}
	testkit.Sound(t, e.pool)
}

// After the start there are no holds, no waiting, and no cancelling by the owner. What
// waited has expired before a walk-in comes.
func TestWalkInsNeitherHoldNorWaitNorCancel(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, walkIns)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(2))
	early := e.mustBook(t, e.attendee(t), slot.ID, 1)
	waits := e.mustBook(t, e.attendee(t), slot.ID, 2)
	testkit.Exec(t, e.pool, "UPDATE slots SET starts_at = now() - interval '1 hour' WHERE id = $1", slot.ID)

	_, err := e.hold(e.attendee(t), slot.ID, 1)
	wantFault(t, err, fault.SlotStarted)
	one := e.attendee(t)
	walkIn := e.mustBook(t, one, slot.ID, 1)
	if got := e.status(t, waits.ID); walkIn.Status != seating.Confirmed || got != seating.Expired {
		t.Errorf("the walk-in is %s, and who waited is %s", walkIn.Status, got)
	}
	_, err = e.book(e.attendee(t), slot.ID, 1) // or wait
	wantFault(t, err, fault.SlotFull)
	if f := fault.Of(err); f == nil || f.Members.WaitlistOpen == nil || *f.Members.WaitlistOpen {
		t.Errorf("a full slot says %+v", f)
	}
	_, err = e.cancel(one, walkIn.ID, "")
	wantFault(t, err, fault.CancellationWindowClosed)
	preview, err := e.service.Preview(t.Context(), one, walkIn.ID)
	if err != nil || preview.Refusal == nil || !preview.ClosesAt.Before(walkIn.CreatedAt) {
		t.Errorf("the preview says %+v, %v", preview, err)
	}
	if _, err := e.cancel(organizerOf(event), walkIn.ID, "Mistaken."); err != nil {
		t.Error(err)
	}
	if _, err := e.service.CheckIn(t.Context(), organizerOf(event), early.ID, desk.Submission{}); err != nil {
		t.Error(err)
	}
	testkit.Sound(t, e.pool)
}

// Of a long queue only a page expires at once when the slot starts. Until the last has,
// its free seats are for nobody else; that passes, so a walk-in is asked to try again.
func TestWalkInsComeAfterALongQueueHasExpired(t *testing.T) {
	testkit.SkipIfShort(t, "it makes a long queue")
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, walkIns)
	testkit.InsertFullSlots(t, e.pool, event.ID, testkit.FullSlots{Slots: 1, Seated: 1, Waiting: seating.ExpirePage + 1, Expires: time.Now().Add(-time.Second)})
	var slotID uuid.UUID
	if err := e.pool.QueryRow(t.Context(), "UPDATE slots SET starts_at = now() - interval '1 hour' WHERE event_id = $1 RETURNING id", event.ID).Scan(&slotID); err != nil {
		t.Fatal(err)
	}
	walkIn := e.attendee(t)
	_, err := e.book(walkIn, slotID, 1)
	wantFault(t, err, fault.Contention)
	if b := e.mustBook(t, walkIn, slotID, 1); b.Status != seating.Confirmed {
		t.Errorf("the walk-in is %s", b.Status)
	}
	testkit.Sound(t, e.pool)
}

// A walk-in keeps the other rules: nobody is at two places at once, and a move and a
// bundle may end in a running slot.
func TestWalkInsDoNotOverlap(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, walkIns)
	slot, beside, later := e.running(t, event), e.running(t, event), testkit.Slot(t, e.pool, event.ID)
	busy, mover := e.attendee(t), e.attendee(t)
	e.mustBook(t, busy, slot.ID, 1)
	_, err := e.book(busy, beside.ID, 1)
	wantFault(t, err, fault.BookingOverlap)
	b := e.mustBook(t, mover, later.ID, 1)
	if _, err := e.move(mover, b.ID, beside.ID); err != nil {
		t.Error(err)
	}
	more := e.attendee(t)
	outcome, err := e.service.Bundle(t.Context(), more, []booking.Item{{SlotID: slot.ID, Seats: 1}, {SlotID: later.ID, Seats: 1}}, desk.Submission{})
	if err != nil || len(outcome.Result.Items) != 2 {
		t.Errorf("%+v, %v", outcome.Result, err)
	}
	testkit.Sound(t, e.pool)
}

func (e env) editTimes(event db.Event, slotID uuid.UUID, starts, ends *time.Time, displace bool) error {
	_, err := e.desk.Do(context.Background(), desk.Submission{Command: seating.EditSlot{SlotID: slotID, StartsAt: starts, EndsAt: ends, Displace: displace,
		By: seating.Actor{Role: seating.ActorOrganizer, ID: event.OrganizerID}}})
	return err
}

// A running slot is prolonged and shortened, not moved; an ended one stays as it was; the
// slots of drafts are free.
func TestTimesOfRunningAndEndedSlots(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	draft := testkit.Event(t, e.pool, func(event *db.Event) { event.Status = "draft" })
	now := time.Now().UTC().Truncate(time.Microsecond)
	in := func(d time.Duration) *time.Time { return new(now.Add(d)) }
	for name, c := range map[string]struct {
		event        db.Event
		from, to     time.Duration
		starts, ends *time.Time
		want         *fault.Code
	}{
		"prolonged":                 {event, -time.Hour, time.Hour, nil, in(3 * time.Hour), nil},
		"shortened":                 {event, -time.Hour, time.Hour, nil, in(time.Minute), nil},
		"ended in the past":         {event, -time.Hour, time.Hour, nil, in(-time.Minute), fault.InvalidTimeRange},
		"ended before its start":    {event, -time.Hour, time.Hour, nil, in(-2 * time.Hour), fault.InvalidTimeRange},
		"moved":                     {event, -time.Hour, time.Hour, in(time.Hour), in(2 * time.Hour), fault.SlotStarted},
		"begun earlier":             {event, -time.Hour, time.Hour, in(-2 * time.Hour), nil, fault.SlotStarted},
		"prolonged after its end":   {event, -2 * time.Hour, -time.Hour, nil, in(time.Hour), fault.SlotEnded},
		"moved after its end":       {event, -2 * time.Hour, -time.Hour, in(time.Hour), in(2 * time.Hour), fault.SlotEnded},
		"moved into the past":       {event, time.Hour, 2 * time.Hour, in(-time.Hour), nil, fault.InvalidTimeRange},
		"a draft's past slot":       {draft, -2 * time.Hour, -time.Hour, in(time.Hour), in(2 * time.Hour), nil},
		"a draft's running slot":    {draft, -2 * time.Hour, time.Hour, in(time.Hour), in(2 * time.Hour), nil},
		"a draft's, into the past":  {draft, time.Hour, 2 * time.Hour, in(-time.Hour), nil, fault.InvalidTimeRange},
		"a draft's, ends before it": {draft, time.Hour, 2 * time.Hour, nil, in(30 * time.Minute), fault.InvalidTimeRange},
	} {
		slot := testkit.Slot(t, e.pool, c.event.ID, testkit.Times(c.from, c.to))
		err := e.editTimes(c.event, slot.ID, c.starts, c.ends, false)
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	testkit.Sound(t, e.pool)
}

// Prolonging a slot displaces, if asked to, who has not come, but not who is there.
func TestProlongedSlotKeepsWhoIsCheckedIn(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, walkIns)
	slot := e.running(t, event)
	next := testkit.Slot(t, e.pool, event.ID, hours(1))
	present := e.attendee(t)
	b := e.mustBook(t, present, slot.ID, 1)
	e.mustBook(t, present, next.ID, 1)
	if _, err := e.service.CheckIn(t.Context(), organizerOf(event), b.ID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
	ends := next.StartsAt.Add(time.Minute)
	wantFault(t, e.editTimes(event, slot.ID, nil, &ends, true), fault.EventHasBookings)
	if _, err := e.service.UndoCheckIn(t.Context(), organizerOf(event), b.ID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
	if err := e.editTimes(event, slot.ID, nil, &ends, true); err != nil {
		t.Error(err)
	}
	if got := e.status(t, b.ID); got != seating.Cancelled {
		t.Errorf("who has not come is %s", got)
	}
	testkit.Sound(t, e.pool)
}
