//go:build unix

package booking_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
)

// changes are all that somebody else can do with a booking.
func (e env) changes(elsewhere uuid.UUID) map[string]func(by access.Caller, id uuid.UUID) error {
	of := func(_ desk.Outcome, err error) error { return err }
	return map[string]func(access.Caller, uuid.UUID) error{
		"cancel": func(by access.Caller, id uuid.UUID) error {
			return of(e.service.Cancel(context.Background(), by, id, "Rain", desk.Submission{}))
		},
		"confirm": func(by access.Caller, id uuid.UUID) error {
			return of(e.service.Confirm(context.Background(), by, id, desk.Submission{}))
		},
		"move": func(by access.Caller, id uuid.UUID) error {
			return of(e.service.Move(context.Background(), by, id, elsewhere, desk.Submission{}))
		},
		"check in": func(by access.Caller, id uuid.UUID) error {
			return of(e.service.CheckIn(context.Background(), by, id, desk.Submission{}))
		},
		"undo the check-in": func(by access.Caller, id uuid.UUID) error {
			return of(e.service.UndoCheckIn(context.Background(), by, id, desk.Submission{}))
		},
		"resize": func(by access.Caller, id uuid.UUID) error {
			seats := 1
			_, err := e.service.Resize(context.Background(), by, id, view.AnyState, booking.Patch{Seats: &seats})
			return err
		},
	}
}

// Whoever is demoted or deleted after their request was authenticated changes nothing more.
func TestTheRoleIsLookedAtAgainBeforeAWrite(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot, elsewhere := testkit.Slot(t, e.pool, event.ID), testkit.Slot(t, e.pool, event.ID, hours(90))
	owner, admin, organizer := e.attendee(t), testkit.User(t, e.pool, access.Admin), organizerOf(event)
	b := e.mustBook(t, owner, slot.ID, 2)
	for _, c := range []struct {
		by     access.Caller
		change string
		want   *fault.Code
	}{
		{organizer, "role = 'attendee'", fault.NotFound},
		{admin, "role = 'organizer'", fault.NotFound},
		{organizer, "role = 'organizer', deleted_at = now(), password_hash = NULL", fault.TokenInvalid},
		{owner, "deleted_at = now(), password_hash = NULL", fault.TokenInvalid},
	} {
		e.exec(t, "UPDATE users SET "+c.change+" WHERE id = $1", c.by.UserID)
		for name, change := range e.changes(elsewhere.ID) {
			if c.by.UserID == owner.UserID && (name == "check in" || name == "undo the check-in") {
				continue // which owners never do
			}
			t.Log(c.by.Role, c.change, name)
			wantFault(t, change(c.by, b.ID), c.want)
		}
	}
	if n := e.count(t, "SELECT count(*) FROM ledger WHERE slot_id IN ($1, $2)", slot.ID, elsewhere.ID); n != 3 {
		t.Errorf("%d entries, want two openings and a booking", n)
	}
}
