package event

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Service has the use cases of events and slots.
type Service struct {
	pool *pgxpool.Pool
	desk *desk.Desk
	jobs *river.Client[pgx.Tx]
	// maxDrafts is how many drafts an organizer may have; 0 is any number.
	maxDrafts int
}

// New returns the service. jobs is only used to insert jobs.
func New(pool *pgxpool.Pool, d *desk.Desk, jobs *river.Client[pgx.Tx]) *Service {
	return &Service{pool: pool, desk: d, jobs: jobs}
}

// LimitDrafts sets how many drafts an organizer may have. It comes before the first request.
func (s *Service) LimitDrafts(most int) *Service {
	s.maxDrafts = most
	return s
}

// Once makes a repeated request have one effect. Key is nil if none was sent. Render
// makes the response, which is stored with the effect.
type Once[T any] struct {
	Key    *idempotency.Key
	Render func(T) (idempotency.Response, error)
}

// do runs effect in a transaction and returns the response, or returns the stored
// response to the same key. The event's row is locked before the key's user, as the
// lock order wants; uuid.Nil is an event that is being made.
func (o Once[T]) do(ctx context.Context, pool *pgxpool.Pool, eventID uuid.UUID, effect func(tx pgx.Tx) (T, error)) (idempotency.Response, error) {
	lock := func(tx pgx.Tx) error {
		if eventID == uuid.Nil {
			return nil
		}
		_, err := db.New().EventLock(ctx, tx, eventID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // It was a draft and is deleted; the key still has its response.
		}
		return err
	}
	return idempotency.InTx(ctx, pool, o.Key, lock, func(tx pgx.Tx) (idempotency.Response, error) {
		result, err := effect(tx)
		if err != nil {
			return idempotency.Response{}, err
		}
		return o.Render(result)
	})
}

// managed reads an event for who manages it. Refusals: fault.NotFound,
// fault.NotPermitted.
func (s *Service) managed(ctx context.Context, caller access.Caller, eventID uuid.UUID) (Event, error) {
	event, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (Event, error) { return get(ctx, conn, eventID) })
	if err != nil {
		return Event{}, err
	}
	return event, caller.CheckManages(event.OrganizerID, event.Status, errNoEvent())
}

func get(ctx context.Context, conn db.DBTX, eventID uuid.UUID) (Event, error) {
	row, err := db.New().EventGet(ctx, conn, eventID)
	if errors.Is(err, pgx.ErrNoRows) {
		return Event{}, errNoEvent()
	}
	return eventOf(row), err
}

// lockTx locks an event's row for who manages the event, and then their user: it is by the
// role that they have now. Refusals: fault.NotFound, fault.NotPermitted,
// fault.TokenInvalid.
func lockTx(ctx context.Context, tx pgx.Tx, caller access.Caller, eventID uuid.UUID) (db.EventLockRow, error) {
	row, err := db.New().EventLock(ctx, tx, eventID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return row, errNoEvent()
	case err != nil:
		return row, err
	}
	if caller, err = caller.AgainTx(ctx, tx); err != nil {
		return row, err
	}
	return row, caller.CheckManages(row.OrganizerID, seating.EventStatus(row.Status), errNoEvent())
}

// lockAllTx locks all slots of an event, then its row.
func lockAllTx(ctx context.Context, tx pgx.Tx, caller access.Caller, eventID uuid.UUID) (row db.EventLockRow, slots []db.EventSlotsLockRestRow, err error) {
	q := db.New()
	if err = q.EventSlotsLock(ctx, tx, eventID); err != nil {
		return row, nil, err
	}
	if row, err = lockTx(ctx, tx, caller, eventID); err != nil {
		return row, nil, err
	}
	slots, err = q.EventSlotsLockRest(ctx, tx, eventID)
	return row, slots, err
}

// insertTx inserts jobs. They must be in the order of their slots, like all locks.
func (s *Service) insertTx(ctx context.Context, tx pgx.Tx, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := s.jobs.InsertManyTx(ctx, tx, jobs)
	return err
}
