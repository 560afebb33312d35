package booking

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

const (
	// leavePage is how many bookings are looked up at once.
	leavePage = 100
	// leaveAtOnce is how many of them are at the desk at the same time.
	leaveAtOnce = 32
)

// Leave cancels all live bookings of a user who was deleted. It may be cut off
// anywhere and begun again: what is cancelled is no longer live. Nothing new
// comes meanwhile, because the desk knows the user as deleted.
func (s *Service) Leave(ctx context.Context, userID uuid.UUID) error {
	for after := uuid.Nil; ; {
		page, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsLeavingRow, error) {
			return db.New().BookingsLeaving(ctx, c, db.BookingsLeavingParams{UserID: userID, AfterID: after, Page: leavePage})
		})
		if err != nil || len(page) == 0 {
			return err
		}
		var group errgroup.Group
		group.SetLimit(leaveAtOnce)
		for _, b := range page {
			group.Go(func() error { return s.abandon(ctx, userID, b) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}

// abandon cancels one booking, unless it has come to its end by itself.
func (s *Service) abandon(ctx context.Context, userID uuid.UUID, b db.BookingsLeavingRow) error {
	_, err := s.desk.Do(ctx, seating.Order{Internal: true, Command: seating.Cancel{
		SlotID: b.SlotID, BookingID: b.ID, UserID: userID, By: seating.System("the user was deleted")}})
	if err != nil && !errors.Is(err, fault.InvalidTransition) {
		return fmt.Errorf("cancel booking %s: %w", b.ID, err)
	}
	return nil
}

// LeaveArgs is the job that cancels the bookings of a deleted user. The
// transaction that deletes the user inserts it.
type LeaveArgs struct {
	UserID uuid.UUID `json:"user_id"`
}

// Kind names the job.
func (LeaveArgs) Kind() string { return "leave" }

// AddWorkers adds the worker of that job.
func AddWorkers(workers *river.Workers, service *Service) {
	river.AddWorker(workers, &leaveWorker{service: service})
}

type leaveWorker struct {
	river.WorkerDefaults[LeaveArgs]
	service *Service
}

// Work does one job.
func (w *leaveWorker) Work(ctx context.Context, job *river.Job[LeaveArgs]) error {
	return w.service.Leave(ctx, job.Args.UserID)
}
