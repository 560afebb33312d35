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

// timeLimit is how long a simulation may take, waiting for another one included.
const timeLimit = 5 * time.Second

// Service runs simulations for those who manage a slot. They take much computing
// time, so it runs one at a time.
type Service struct {
	pool    *pgxpool.Pool
	running chan struct{} // holds an element while a simulation runs
}

// New returns the service.
func New(pool *pgxpool.Pool) *Service {
	return &Service{pool: pool, running: make(chan struct{}, 1)}
}

// Run simulates a slot for who manages it. Refusals: fault.NotFound,
// fault.NotPermitted, those of OfSlot, and fault.Overloaded if it takes longer than
// five seconds.
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

// errTooLong translates the end of the time limit; other errors stay as they are.
func errTooLong(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Overloaded.Newf("The simulation took longer than %s. Ask for fewer runs.", timeLimit).After(time.Second)
	}
	return err
}

// OfSlot loads a slot as it is now, and simulates it. Refusals: fault.NotFound,
// fault.SlotCancelled, fault.SlotStarted, fault.InvalidTimeRange,
// fault.ValidationFailed.
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

// slotCopy is a slot with its live bookings, all read at the same time.
type slotCopy struct {
	slot     seating.Slot
	bookings []seating.Booking
	now      time.Time
}

// copySlot reads a slot and its live bookings in one snapshot.
func copySlot(ctx context.Context, conn *pgxpool.Conn, slotID uuid.UUID) (c slotCopy, err error) {
	options := pgx.TxOptions{BeginQuery: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + postgres.DefaultTimeouts.SQL()}
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
				Detail: fmt.Sprintf("the slot has more than %d live bookings, too many to simulate", maxSimulated)})
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
