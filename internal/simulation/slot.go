package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// timeLimit is how long one simulation may take, and wait for its turn.
const timeLimit = 5 * time.Second

// Service runs simulations for those who manage a slot. They are computing only,
// so one at a time must do.
type Service struct {
	pool    *pgxpool.Pool
	running chan struct{} // room for one
}

// New makes the service.
func New(pool *pgxpool.Pool) *Service {
	return &Service{pool: pool, running: make(chan struct{}, 1)}
}

// Run estimates how waitlist policies would come out. Refusals: fault.NotFound,
// fault.NotPermitted, fault.SlotCancelled, fault.SlotStarted, what is wrong with
// the assumptions, and fault.Overloaded when it takes too long.
func (s *Service) Run(ctx context.Context, caller access.Caller, slotID uuid.UUID, o Assumptions) (Simulation, error) {
	if err := access.CheckManagesSlot(ctx, s.pool, caller, slotID); err != nil {
		return Simulation{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	select {
	case s.running <- struct{}{}:
		defer func() { <-s.running }()
	case <-ctx.Done():
		return Simulation{}, errTooLong(ctx.Err())
	}
	simulation, err := OfSlot(ctx, s.pool, slotID, o)
	return simulation, errTooLong(err)
}

func errTooLong(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Overloaded.Newf("The simulation did not end within %s; fewer runs take less.", timeLimit).After(time.Second)
	}
	return err
}

// OfSlot loads a slot as it is now, and simulates on a copy of it.
func OfSlot(ctx context.Context, pool *pgxpool.Pool, slotID uuid.UUID, o Assumptions) (Simulation, error) {
	c, err := postgres.Read(ctx, pool, func(conn *pgxpool.Conn) (slotCopy, error) { return copySlot(ctx, conn, slotID) })
	if err != nil {
		return Simulation{}, err
	}
	if err := o.check(c.slot, c.now); err != nil {
		return Simulation{}, err
	}
	return Simulate(ctx, c.slot, c.bookings, c.now, o)
}

// slotCopy is a slot with its live bookings, all as of one moment.
type slotCopy struct {
	slot     seating.Slot
	bookings []seating.Booking
	now      time.Time
}

// copySlot reads in one snapshot.
func copySlot(ctx context.Context, conn *pgxpool.Conn, slotID uuid.UUID) (c slotCopy, err error) {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, conn, options, func(tx pgx.Tx) error {
		q := db.New()
		slots, err := q.SlotsLoad(ctx, tx, []uuid.UUID{slotID})
		switch {
		case err != nil:
			return err
		case len(slots) == 0:
			return fault.NotFound.New("There is no such slot.")
		}
		rows, err := q.BookingsToSimulate(ctx, tx, db.BookingsToSimulateParams{SlotID: slotID, Page: maxSimulated + 1})
		switch {
		case err != nil:
			return err
		case len(rows) > maxSimulated:
			return fault.Invalid(fault.Field{Code: "too_many_bookings",
				Detail: fmt.Sprintf("the slot has more than %d live bookings, which is more than a simulation plays", maxSimulated)})
		}
		c.slot, c.bookings = desk.SlotOf(slots[0]), nil
		for _, row := range rows {
			c.bookings = append(c.bookings, desk.BookingOf(row))
		}
		c.now, err = q.ClockRead(ctx, tx)
		return err
	})
	return c, err
}
