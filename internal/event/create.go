package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/idempotency"
)

// Create makes a draft that belongs to the caller.
func (s *Service) Create(ctx context.Context, caller account.Caller, settings Settings, once Once[Event]) (idempotency.Response, error) {
	if err := settings.check(); err != nil {
		return idempotency.Response{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return idempotency.Response{}, err
	}
	return once.do(ctx, s.pool, func(tx pgx.Tx) (Event, error) {
		err := db.New().EventInsert(ctx, tx, db.EventInsertParams{
			ID: id, OrganizerID: caller.UserID,
			Title: settings.Title, Description: settings.Description, Location: settings.Location, TimeZone: settings.TimeZone,
			BookingOpensAt: settings.BookingOpensAt, BookingClosesAt: settings.BookingClosesAt,
			CancellationClosesMinutes: int32(settings.CancellationClosesMinutes),
			WaitlistMode:              string(settings.WaitlistMode), WaitlistLimit: convert[int32](settings.WaitlistLimit),
			OfferMinutes: int32(settings.OfferMinutes), Fit: string(settings.Fit), MaxPasses: int32(settings.MaxPasses),
			HoldMinutes: int32(settings.HoldMinutes),
		})
		if err != nil {
			return Event{}, err
		}
		return get(ctx, tx, id)
	})
}
