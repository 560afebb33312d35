package access

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Manages says whether the caller may manage what belongs to an organizer: an
// administrator may, and the organizer, unless they have lost that role.
func (c Caller) Manages(organizerID uuid.UUID) bool {
	return c.Role == Admin || c.Role == Organizer && c.UserID == organizerID
}

// CanSeeBooking says whether the caller may see a user's booking at an organizer's
// event: its owner may, and who manages the event. For everybody else it does not
// exist.
func (c Caller) CanSeeBooking(userID, organizerID uuid.UUID) bool {
	return c.UserID == userID || c.Manages(organizerID)
}

// CanSeeOtherBookings says whether the caller may see which other bookings a user
// has: those that block, overlap or are replaced by the one in question. Only the user
// may. They can be at other organizers' events, so who manages this one, and who acts
// for the user, learns only that there are some.
func (c Caller) CanSeeOtherBookings(userID uuid.UUID) bool { return c.UserID == userID }

// CanOrganize says whether the caller may make events of their own.
func (c Caller) CanOrganize() bool { return c.Role == Organizer || c.Role == Admin }

// AgainTx locks the caller's user and returns the caller as they are now. Whoever was
// deleted, or has lost a role, since the request was authenticated is noticed before what
// they do is written. In the lock order, users come last. A deleted user is
// fault.TokenInvalid.
func (c Caller) AgainTx(ctx context.Context, tx pgx.Tx) (Caller, error) {
	users, err := db.New().UsersLock(ctx, tx, []uuid.UUID{c.UserID})
	if err != nil {
		return Nobody, err
	}
	if len(users) == 0 || users[0].DeletedAt != nil {
		return Nobody, fault.TokenInvalid.New("The token's user was deleted.")
	}
	c.Role = Role(users[0].Role)
	return c, nil
}

// CheckManages refuses a caller who does not manage an event with
// fault.NotPermitted, or, if it is a draft, with missing: the same error as for an
// event that does not exist, because nobody else may know of a draft.
func (c Caller) CheckManages(organizerID uuid.UUID, status seating.EventStatus, missing error) error {
	switch {
	case c.Manages(organizerID):
		return nil
	case status == seating.EventDraft:
		return missing
	}
	return fault.NotPermitted.New("Only the event's organizer and administrators may do this.")
}

// CheckManagesSlot is CheckManages for the event of a slot. If the slot does not
// exist, or is of somebody else's draft, it is fault.NotFound.
func CheckManagesSlot(ctx context.Context, pool *pgxpool.Pool, caller Caller, slotID uuid.UUID) error {
	row, err := postgres.Read(ctx, pool, func(c *pgxpool.Conn) (db.SlotOrganizerGetRow, error) {
		return db.New().SlotOrganizerGet(ctx, c, slotID)
	})
	return checkOwner(caller, owner(row), err, fault.NotFound.New("There is no such slot."))
}

// CheckManagesEvent is CheckManages for an event. If it does not exist, or is
// somebody else's draft, it is fault.NotFound.
func CheckManagesEvent(ctx context.Context, pool *pgxpool.Pool, caller Caller, eventID uuid.UUID) error {
	row, err := postgres.Read(ctx, pool, func(c *pgxpool.Conn) (db.EventOrganizerGetRow, error) {
		return db.New().EventOrganizerGet(ctx, c, eventID)
	})
	return checkOwner(caller, owner(row), err, fault.NotFound.New("There is no such event."))
}

// owner is the organizer of an event, and its status.
type owner struct {
	OrganizerID uuid.UUID
	Status      string
}

func checkOwner(caller Caller, o owner, err, missing error) error {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return missing
	case err != nil:
		return err
	}
	return caller.CheckManages(o.OrganizerID, seating.EventStatus(o.Status), missing)
}

// ActorFor returns the caller in the role that the ledger records, for something of
// an organizer's event and, if it is a booking, of the user userID: organizer on an
// event of their own, attendee on their own booking elsewhere, and admin otherwise.
// That goes for administrators too. The role does not say what the caller may do;
// Manages does.
func ActorFor(caller Caller, organizerID, userID uuid.UUID, reason string) seating.Actor {
	actor := seating.Actor{Role: seating.ActorAdmin, ID: caller.UserID, Reason: reason}
	switch caller.UserID {
	case organizerID:
		if caller.Manages(organizerID) {
			actor.Role = seating.ActorOrganizer
		} else {
			actor.Role = seating.ActorAttendee
		}
	case userID:
		actor.Role = seating.ActorAttendee
	}
	return actor
}
