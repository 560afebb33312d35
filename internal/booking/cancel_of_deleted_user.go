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
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

const (
	// deletedPage is how many bookings are read at once.
	deletedPage = 100
	// cancelAtOnce is how many cancellations are submitted at the same time.
	cancelAtOnce = 32
)

// CancelBookingsOfDeletedUser cancels the live bookings of a user who was deleted, but
// for those that were final by then: the past stays as it was, without the user's
// name. It can stop anywhere and be repeated. The user makes no new bookings meanwhile,
// because the desk refuses deleted users.
func (s *Service) CancelBookingsOfDeletedUser(ctx context.Context, userID uuid.UUID) error {
	for after := uuid.Nil; ; {
		page, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfDeletedUserRow, error) {
			return db.New().BookingsOfDeletedUser(ctx, c, db.BookingsOfDeletedUserParams{UserID: userID, AfterID: after, Page: deletedPage})
		})
		if err != nil || len(page) == 0 {
			return err
		}
		var group errgroup.Group
		group.SetLimit(cancelAtOnce)
		for _, b := range page {
			group.Go(func() error { return s.cancelOfDeleted(ctx, userID, b) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}

// cancelOfDeleted cancels one booking, unless it has expired or the attendee was
// checked in since.
func (s *Service) cancelOfDeleted(ctx context.Context, userID uuid.UUID, b db.BookingsOfDeletedUserRow) error {
	_, err := s.desk.Do(ctx, desk.Submission{Internal: true, Command: seating.Cancel{
		SlotID: b.SlotID, BookingID: b.ID, UserID: userID, AsOf: b.DeletedAt, By: seating.System("the user was deleted")}})
	if err != nil && !errors.Is(err, fault.InvalidTransition) && !errors.Is(err, fault.BookingFinal) {
		return fmt.Errorf("cancel booking %s: %w", b.ID, err)
	}
	return nil
}

// DeletedUserArgs is the job that cancels the bookings of a deleted user. The
// transaction that deletes the user inserts it.
type DeletedUserArgs struct {
	UserID uuid.UUID `json:"user_id"`
}

// Kind names the job. The name cannot change while such jobs are queued.
func (DeletedUserArgs) Kind() string { return "leave" }

// AddWorkers adds the worker of that job.
func AddWorkers(workers *river.Workers, service *Service) {
	river.AddWorker(workers, &cancelBookingsWorker{service: service})
}

type cancelBookingsWorker struct {
	river.WorkerDefaults[DeletedUserArgs]
	service *Service
}

// Work does one job.
func (w *cancelBookingsWorker) Work(ctx context.Context, job *river.Job[DeletedUserArgs]) error {
	return w.service.CancelBookingsOfDeletedUser(ctx, job.Args.UserID)
}
