package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Update edits an event's settings. An edit that changes nothing makes no revision.
func (s *Service) Update(ctx context.Context, caller account.Caller, eventID uuid.UUID, match Match, edit func(*Settings)) (Event, error) {
	before, err := s.managed(ctx, caller, eventID)
	if err != nil {
		return Event{}, err
	}
	if err := match.check(before.Revision); err != nil {
		return Event{}, err
	}
	if before.Status == seating.EventCancelled {
		return Event{}, transition(before.Status, before.Status, "The event was cancelled, and stays as it is.")
	}
	settings := before.Settings
	edit(&settings)
	if settings.equals(before.Settings) {
		return before, nil
	}
	if err := settings.check(); err != nil {
		return Event{}, err
	}
	var after Event
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.replaceTx(ctx, tx, caller, before, settings); err != nil {
			return err
		}
		after, err = get(ctx, tx, eventID)
		return err
	})
	return after, err
}

// replaceTx writes settings over those of the event as it was read. Everything
// was decided on that revision, so it must still be the present one.
func (s *Service) replaceTx(ctx context.Context, tx pgx.Tx, caller account.Caller, before Event, settings Settings) error {
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
	if err := (Match{Revision: before.Revision}).check(row.Revision); err != nil {
		return err
	}
	if err := s.applyTx(ctx, tx, caller, settings.Rules, slots); err != nil {
		return err
	}
	return db.New().EventUpdate(ctx, tx, db.EventUpdateParams{
		ID: before.ID, Title: settings.Title, Description: settings.Description, Location: settings.Location, TimeZone: settings.TimeZone,
		BookingOpensAt: settings.BookingOpensAt, BookingClosesAt: settings.BookingClosesAt,
		CancellationClosesMinutes: int32(settings.CancellationClosesMinutes),
		WaitlistMode:              string(settings.WaitlistMode), WaitlistLimit: convert[int32](settings.WaitlistLimit),
		OfferMinutes: int32(settings.OfferMinutes), Fit: string(settings.Fit), MaxPasses: int32(settings.MaxPasses),
		HoldMinutes: int32(settings.HoldMinutes),
	})
}

// applyTx holds new rules against who waits under the old ones: nobody may be
// left waiting without a waitlist, and who can be served now comes before any
// newcomer.
func (s *Service) applyTx(ctx context.Context, tx pgx.Tx, caller account.Caller, rules Rules, slots []db.EventSlotsLockRestRow) error {
	waiting := 0
	var edits []seating.Command
	for _, slot := range slots {
		waiting += int(slot.WaitlistLength)
		edits = append(edits, seating.EditRules{
			SlotID: slot.ID, WaitlistMode: rules.WaitlistMode, Fit: rules.Fit, MaxPasses: rules.MaxPasses, By: by(caller, "")})
	}
	if waiting > 0 && rules.WaitlistMode == seating.WaitlistOff {
		return fault.WaitlistInUse.Newf("%d bookings wait for slots of this event.", waiting).With("count", waiting)
	}
	return s.desk.ApplyTx(ctx, tx, edits...)
}
