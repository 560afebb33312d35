package access_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

func as(userID uuid.UUID, role access.Role) access.Caller {
	return access.Caller{UserID: userID, Role: role}
}

// In which role somebody acts depends on whose event and whose booking it is; an
// administrator is no exception.
func TestActorForTellsTheRoleInWhichSomebodyActs(t *testing.T) {
	t.Parallel()
	owner, organizer, other := uuid.New(), uuid.New(), uuid.New()
	for name, test := range map[string]struct {
		caller access.Caller
		userID uuid.UUID // of the booking; nil: it is about the event or a slot
		want   seating.ActorRole
	}{
		"the booking's owner":                             {as(owner, access.Attendee), owner, seating.ActorAttendee},
		"an administrator with their own booking":         {as(owner, access.Admin), owner, seating.ActorAttendee},
		"an organizer with a booking at another's event":  {as(owner, access.Organizer), owner, seating.ActorAttendee},
		"the event's organizer":                           {as(organizer, access.Organizer), owner, seating.ActorOrganizer},
		"the event's organizer, about the event":          {as(organizer, access.Organizer), uuid.Nil, seating.ActorOrganizer},
		"the event's organizer with their own booking":    {as(organizer, access.Organizer), organizer, seating.ActorOrganizer},
		"an administrator on their own event":             {as(organizer, access.Admin), uuid.Nil, seating.ActorOrganizer},
		"an administrator with a booking at their event":  {as(organizer, access.Admin), organizer, seating.ActorOrganizer},
		"a demoted organizer with a booking at the event": {as(organizer, access.Attendee), organizer, seating.ActorAttendee},
		"another administrator":                           {as(other, access.Admin), owner, seating.ActorAdmin},
		"another administrator, about the event":          {as(other, access.Admin), uuid.Nil, seating.ActorAdmin},
	} {
		got := access.ActorFor(test.caller, organizer, test.userID, "because")
		if want := (seating.Actor{Role: test.want, ID: test.caller.UserID, Reason: "because"}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestOnlyOrganizersAndAdministratorsManage(t *testing.T) {
	t.Parallel()
	organizer := uuid.New()
	missing := fault.NotFound.New("There is no such event.")
	for name, test := range map[string]struct {
		caller access.Caller
		status seating.EventStatus
		want   error
	}{
		"the organizer":       {as(organizer, access.Organizer), seating.EventDraft, nil},
		"an administrator":    {as(uuid.New(), access.Admin), seating.EventDraft, nil},
		"a demoted organizer": {as(organizer, access.Attendee), seating.EventPublished, fault.NotPermitted},
		"another organizer":   {as(uuid.New(), access.Organizer), seating.EventPublished, fault.NotPermitted},
		"another one's draft": {as(uuid.New(), access.Organizer), seating.EventDraft, fault.NotFound},
		"nobody":              {access.Nobody, seating.EventDraft, fault.NotFound},
	} {
		if err := test.caller.CheckManages(organizer, test.status, missing); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestABookingIsItsOwnersAndTheEventsManagers(t *testing.T) {
	t.Parallel()
	owner, organizer := uuid.New(), uuid.New()
	for name, test := range map[string]struct {
		caller access.Caller
		want   bool
	}{
		"the owner":           {as(owner, access.Attendee), true},
		"the organizer":       {as(organizer, access.Organizer), true},
		"an administrator":    {as(uuid.New(), access.Admin), true},
		"another attendee":    {as(uuid.New(), access.Attendee), false},
		"another organizer":   {as(uuid.New(), access.Organizer), false},
		"a demoted organizer": {as(organizer, access.Attendee), false},
	} {
		if got := test.caller.CanSeeBooking(owner, organizer); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
