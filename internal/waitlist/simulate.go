package waitlist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// simulationLimit is how long one simulation may take, and wait for its turn.
const simulationLimit = 5 * time.Second

// Simulate estimates how waitlist policies would come out, for who manages the
// slot. It is computing only, so one at a time must do.
func (s *Service) Simulate(ctx context.Context, caller account.Caller, slotID uuid.UUID, o Assumptions) (Simulation, error) {
	if err := s.managed(ctx, caller, slotID); err != nil {
		return Simulation{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, simulationLimit)
	defer cancel()
	select {
	case s.simulating <- struct{}{}:
		defer func() { <-s.simulating }()
	case <-ctx.Done():
		return Simulation{}, tooLong(ctx.Err())
	}
	simulation, err := SimulateSlot(ctx, s.pool, slotID, o)
	return simulation, tooLong(err)
}

func tooLong(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Overloaded.Newf("The simulation did not end within %s; fewer runs take less.", simulationLimit).After(time.Second)
	}
	return err
}

// SimulateSlot loads a slot as it is now, and plays a copy of it on.
func SimulateSlot(ctx context.Context, pool *pgxpool.Pool, slotID uuid.UUID, o Assumptions) (Simulation, error) {
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
		c.slot, c.bookings = simulatedSlot(slots[0]), nil
		for _, row := range rows {
			c.bookings = append(c.bookings, seating.BookingOf(row))
		}
		c.now, err = q.ClockRead(ctx, tx)
		return err
	})
	return c, err
}

// simulatedSlot reads what matters to those who have seats or wait for some.
func simulatedSlot(r db.SlotsLoadRow) seating.Slot {
	return seating.Slot{
		ID: r.ID, EventID: r.EventID, OrganizerID: r.OrganizerID,
		EventStatus: seating.EventStatus(r.EventStatus), Status: seating.SlotStatus(r.Status),
		StartsAt: r.StartsAt, EndsAt: r.EndsAt, Capacity: int(r.Capacity),
		Policy: seating.Policy{
			CancellationCloses: time.Duration(r.CancellationClosesMinutes) * time.Minute,
			WaitlistMode:       seating.WaitlistMode(r.WaitlistMode), WaitlistLimit: seating.NoLimit,
			OfferFor: time.Duration(r.OfferMinutes) * time.Minute,
			Fit:      seating.Fit(r.Fit), MaxPasses: int(r.MaxPasses),
		},
		Version: r.Version, SeatsTaken: int(r.SeatsTaken),
		WaitlistLength: int(r.WaitlistLength), WaitlistReady: int(r.WaitlistReady), FreedVersion: r.FreedVersion,
	}
}
