package event

import (
	"context"
	"errors"

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
// fault.WaitlistInUse, fault.NoBookableSlot.
func (s *Service) Update(ctx context.Context, caller access.Caller, eventID uuid.UUID, match view.IfMatch, edit func(*Settings)) (Event, error) {
	before, err := s.managed(ctx, caller, eventID)
	if err != nil {
		return Event{}, err
	}
	if err := match.CheckRevision(before.Revision); err != nil {
		return Event{}, err
	}
	settings, err := before.edited(edit)
	if err != nil {
		return Event{}, err
	}
	replace := func(newRules bool) (Event, error) {
		return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (Event, error) {
			if err := s.replaceTx(ctx, tx, caller, before, match, edit, newRules); err != nil {
				return Event{}, err
			}
			return get(ctx, tx, eventID)
		})
	}
	after, err := replace(!settings.Rules.equals(before.Rules))
	if errors.Is(err, errRulesNotLocked) {
		return replace(true)
	}
	return after, err
}

// errRulesNotLocked says that an edit for any state turned out to change rules, since
// somebody else had changed them meanwhile. Slots cannot be locked after their event.
var errRulesNotLocked = errors.New("the slots are not locked")

// edited returns the settings after an edit. Refusals: fault.InvalidTransition
// (cancelled), fault.ValidationFailed, fault.UnknownTimeZone, fault.InvalidTimeRange.
func (e Event) edited(edit func(*Settings)) (Settings, error) {
	if e.Status == seating.EventCancelled {
		return Settings{}, errInvalidTransition(e.Status, e.Status, "A cancelled event cannot be edited.")
	}
	settings := e.Settings
	edit(&settings)
	return settings, settings.check()
}

// replaceTx replaces the settings of the event; newRules says whether its slots are
// locked too. The edit is of the event as it was read before, so that must still be
// the current revision; or, if match is any state, of the event as it is by now.
func (s *Service) replaceTx(ctx context.Context, tx pgx.Tx, caller access.Caller, before Event, match view.IfMatch, edit func(*Settings), newRules bool) error {
	slots, err := lockEditedTx(ctx, tx, caller, &before, match, newRules)
	if err != nil {
		return err
	}
	settings, err := before.edited(edit)
	switch {
	case err != nil:
		return err
	case settings.equals(before.Settings):
		// An earlier try may have made the edit and not reached the standby yet. The
		// lock makes this COMMIT wait for it; a mere read would acknowledge what a
		// failover can lose.
		return nil
	case !settings.Rules.equals(before.Rules):
		if !newRules {
			return errRulesNotLocked
		}
		if err := checkStillBookableTx(ctx, tx, before, settings.Rules); err != nil {
			return err
		}
		actor := access.ActorFor(caller, before.OrganizerID, uuid.Nil, "")
		if err := s.applyTx(ctx, tx, actor, settings.Rules, slots); err != nil {
			return err
		}
	}
	return db.New().EventUpdate(ctx, tx, settings.row(before.ID, before.OrganizerID))
}

// lockEditedTx locks what an edit changes: the event and, for new rules, its slots. If
// the event has changed, it is read again for any state; otherwise that is
// fault.VersionMismatch.
func lockEditedTx(ctx context.Context, tx pgx.Tx, caller access.Caller, before *Event, match view.IfMatch, newRules bool) (slots []db.EventSlotsLockRestRow, err error) {
	var row db.EventLockRow
	if newRules {
		row, slots, err = lockAllTx(ctx, tx, caller, before.ID)
	} else {
		row, err = lockTx(ctx, tx, caller, before.ID)
	}
	switch {
	case err != nil:
		return nil, err
	case match.IsAny():
		*before, err = get(ctx, tx, before.ID)
	case row.Revision != before.Revision:
		err = fault.VersionMismatch.Newf("The event is at revision %d, and the edit is of revision %d.", row.Revision, before.Revision)
	}
	return slots, err
}

// checkStillBookableTx refuses an edit of a published event that would leave no slot to
// be booked, ever. An event that is over can be edited: it was so before.
func checkStillBookableTx(ctx context.Context, tx pgx.Tx, before Event, rules Rules) error {
	if before.Status != seating.EventPublished {
		return nil
	}
	slots, err := db.New().EventLastSlots(ctx, tx, before.ID)
	if err != nil || before.checkBookable(slots) != nil {
		return err
	}
	return rules.checkBookable(slots)
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
