package seating

import (
	"time"

	"github.com/google/uuid"
)

// Entry is one step in a slot's ledger, with the slot's counters after it.
type Entry struct {
	SlotID  uuid.UUID
	Version int64
	Kind    Kind

	// The booking that the step is about, if there is one, with its seats and its
	// status after the step.
	BookingID, UserID uuid.UUID
	Seats             int
	Status            Status

	Capacity, SeatsTaken, WaitlistLength int

	// Times are those before and after the step, if it changed the slot's times.
	Times TimeChange

	By    Actor
	Cause Cause
	At    time.Time
}

// TimeChange are the times of a slot before and after an edit; the zero TimeChange
// means that they stayed.
type TimeChange struct{ OldStartsAt, OldEndsAt, NewStartsAt, NewEndsAt time.Time }

// Kind is what happened.
type Kind string

// Everything that can happen.
const (
	KindOpened         Kind = "opened"
	KindConfirmed      Kind = "confirmed"
	KindWaitlisted     Kind = "waitlisted"
	KindHeld           Kind = "held"
	KindPromoted       Kind = "promoted"
	KindOffered        Kind = "offered"
	KindPassed         Kind = "passed"
	KindBlocked        Kind = "blocked"
	KindUnblocked      Kind = "unblocked"
	KindAccepted       Kind = "accepted"
	KindDeclined       Kind = "declined"
	KindResized        Kind = "resized"
	KindMoved          Kind = "moved"
	KindCheckedIn      Kind = "checked_in"
	KindCheckInUndone  Kind = "check_in_undone"
	KindCancelled      Kind = "cancelled"
	KindExpired        Kind = "expired"
	KindEdited         Kind = "edited"
	KindClosed         Kind = "closed"
	KindReopened       Kind = "reopened"
	KindSlotCancelled  Kind = "slot_cancelled"
	KindEventCancelled Kind = "event_cancelled"
	KindDeleted        Kind = "deleted"
)

// Actor is who did something, in which role, and for which reason, if one was given.
type Actor struct {
	Role   ActorRole
	ID     uuid.UUID // of the user; nil: the system
	Reason string
}

// ActorRole is the role in which somebody acts; access.ActorFor says which one it is.
type ActorRole string

// The roles of actors.
const (
	ActorAttendee  ActorRole = "attendee"
	ActorOrganizer ActorRole = "organizer"
	ActorAdmin     ActorRole = "admin"
	ActorSystem    ActorRole = "system"
)

// user returns the user who acts, if there is one: their row is locked, so that they keep
// their role until the command is carried out.
func (a Actor) user() []uuid.UUID {
	if a.ID == uuid.Nil {
		return nil
	}
	return []uuid.UUID{a.ID}
}

// isOpenTo says whether a user with a role, as they have it now, may act in this one. It
// is what ActorFor has decided, before the user was locked.
func (r ActorRole) isOpenTo(userRole string) bool {
	switch r {
	case ActorAdmin:
		return userRole == "admin"
	case ActorOrganizer:
		return userRole == "organizer" || userRole == "admin"
	}
	return true
}

// System returns the actor of what the service does by itself.
func System(reason string) Actor { return Actor{Role: ActorSystem, Reason: reason} }

// Cause names the entry that made another one possible, in the same ledger or
// another slot's. The zero Cause means that there is none.
type Cause struct {
	SlotID  uuid.UUID
	Version int64
}
