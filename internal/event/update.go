package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// Update edits an event's settings, for who manages it. An edit that changes nothing
// makes no revision. Refusals: fault.NotFound, fault.NotPermitted,
// fault.VersionMismatch, fault.InvalidTransition (cancelled),
// fault.ValidationFailed, fault.UnknownTimeZone, fault.InvalidTimeRange,
// fault.WaitlistInUse.
func (s *Service) Update(ctx context.Context, caller access.Caller, eventID uuid.UUID, match view.IfMatch, edit func(*Settings)) (Event, error) {
	before, err := s.managed(ctx, caller, eventID)
	if err != nil {
		return Event{}, err
	}
	if err := match.CheckRevision(before.Revision); err != nil {
		return Event{}, err
	}
	if before.Status == seating.EventCancelled {
		return Event{}, errInvalidTransition(before.Status, before.Status, "A cancelled event cannot be edited.")
	}
	settings := before.Settings
	edit(&settings)
	if err := settings.check(); err != nil {
		return Event{}, err
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (Event, error) {
		if err := s.replaceTx(ctx, tx, caller, before, settings); err != nil {
			return Event{}, err
		}
		return get(ctx, tx, eventID)
	})
}

// replaceTx replaces the settings of the event as it was read. The decisions were
// made on that revision, so it must still be the current one.
func (s *Service) replaceTx(ctx context.Context, tx pgx.Tx, caller access.Caller, before Event, settings Settings) error {
	var (
		row   db.EventLockRow
		slots []db.EventSlotsLockRestRow
		err   error
	)
	if settings.Rules.equals(before.Rules) {
		row, err = lockTx(ctx, tx, caller, before.ID)
	} else {
		row, slots, err = lockAllTx(ctx, tx, caller, before.ID)
	}
	if err != nil {
		return err
	}
	if row.Revision != before.Revision {
		return fault.VersionMismatch.Newf("The event is at revision %d, and the edit is of revision %d.", row.Revision, before.Revision)
	}
	if settings.equals(before.Settings) {
		// An earlier try may have made the edit and not reached the standby yet. The
		// lock makes this COMMIT wait for it; a mere read would acknowledge what a
		// failover can lose.
		return nil
	}
	actor := access.ActorFor(caller, before.OrganizerID, uuid.Nil, "")
	if err := s.applyTx(ctx, tx, actor, settings.Rules, slots); err != nil {
		return err
	}
	return db.New().EventUpdate(ctx, tx, settings.row(before.ID, before.OrganizerID))
}

// applyTx applies new rules to the slots. The waitlist cannot be turned off while
// somebody waits, and a booking that can be served under the new rules comes before
// any newcomer.
func (s *Service) applyTx(ctx context.Context, tx pgx.Tx, actor seating.Actor, rules Rules, slots []db.EventSlotsLockRestRow) error {
	waiting := 0
	var edits []seating.Command
	for _, slot := range slots {
		waiting += int(slot.WaitlistLength)
		edits = append(edits, seating.EditRules{
			SlotID: slot.ID, WaitlistMode: rules.WaitlistMode, Fit: rules.Fit, MaxPasses: rules.MaxPasses, By: actor})
	}
	if waiting > 0 && rules.WaitlistMode == seating.WaitlistOff {
		return fault.WaitlistInUse.Newf("The waitlists of this event still have %s.", fault.Count(waiting, "booking")).With(fault.Members{Count: new(waiting)})
	}
	return s.desk.ApplyTx(ctx, tx, edits...)
}
