package booking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
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
	// deletedPages is how many pages of one user are done before others have their turn,
	// deletedPause how long a job pauses then.
	deletedPages = 10
	deletedPause = 10 * time.Millisecond
	// deletedUsers is how many users one poll of the backstop looks at.
	deletedUsers = 20
	// cancelAtOnce is how many cancellations are submitted at the same time.
	cancelAtOnce = 32
)

// CancelBookingsOfDeletedUser cancels the live bookings of a user who was deleted, but
// for those that were final by then: the past stays as it was, without the user's
// name. It says whether more may be left; it can stop anywhere and be repeated. The
// user makes no new bookings meanwhile, because the desk refuses deleted users.
func (s *Service) CancelBookingsOfDeletedUser(ctx context.Context, userID uuid.UUID) (more bool, err error) {
	after := uuid.Nil
	for range deletedPages {
		page, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfDeletedUserRow, error) {
			return db.New().BookingsOfDeletedUser(ctx, c, db.BookingsOfDeletedUserParams{UserID: userID, AfterID: after, Page: deletedPage})
		})
		if err != nil {
			return false, err
		}
		if len(page) == 0 {
			return false, s.noteLeft(ctx, userID)
		}
		var group errgroup.Group
		group.SetLimit(cancelAtOnce)
		for _, b := range page {
			group.Go(func() error { return s.cancelOfDeleted(ctx, userID, b) })
		}
		if err := group.Wait(); err != nil {
			return false, err
		}
		after = page[len(page)-1].ID
	}
	return true, nil
}

// cancelOfDeleted cancels one booking, unless it has expired or the attendee was
// checked in since. One that fails each time is left to the backstop, and is not in
// the way of others.
func (s *Service) cancelOfDeleted(ctx context.Context, userID uuid.UUID, b db.BookingsOfDeletedUserRow) error {
	_, err := s.desk.Do(ctx, desk.Submission{Internal: true, Command: seating.Cancel{
		SlotID: b.SlotID, BookingID: b.ID, UserID: userID, AsOf: b.DeletedAt, By: seating.System("the user was deleted")}})
	if err != nil && !errors.Is(err, fault.InvalidTransition) && !errors.Is(err, fault.BookingFinal) && !errors.Is(err, desk.ErrFailing) {
		return fmt.Errorf("cancel booking %s: %w", b.ID, err)
	}
	return nil
}

// noteLeft takes a user off the list of the backstop, unless a booking is left.
func (s *Service) noteLeft(ctx context.Context, userID uuid.UUID) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		q := db.New()
		if _, err := q.UsersLock(ctx, tx, []uuid.UUID{userID}); err != nil {
			return err
		}
		return q.UserLeft(ctx, tx, userID)
	})
}

// Leaving is the backstop for lost jobs of deleted users. It goes round the users who may
// still have bookings, so that some who cannot be finished do not keep others from their
// turn.
type Leaving struct {
	service *Service
	after   uuid.UUID
}

// NewLeaving returns the backstop.
func NewLeaving(service *Service) *Leaving { return &Leaving{service: service} }

// Poll goes on with the next users, and says whether the round has more.
func (l *Leaving) Poll(ctx context.Context) (more bool, err error) {
	users, err := postgres.Read(ctx, l.service.pool, func(c *pgxpool.Conn) ([]uuid.UUID, error) {
		return db.New().UsersLeaving(ctx, c, db.UsersLeavingParams{AfterID: l.after, Page: deletedUsers})
	})
	if err != nil {
		return false, err
	}
	if l.after = uuid.Nil; len(users) == deletedUsers {
		l.after, more = users[len(users)-1], true
	}
	var errs []error
	for _, userID := range users {
		_, err := l.service.CancelBookingsOfDeletedUser(ctx, userID)
		errs = append(errs, err)
	}
	return more, errors.Join(errs...)
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

// Work does some pages, and continues later if there are more.
func (w *cancelBookingsWorker) Work(ctx context.Context, job *river.Job[DeletedUserArgs]) error {
	more, err := w.service.CancelBookingsOfDeletedUser(ctx, job.Args.UserID)
	if err == nil && more {
		return river.JobSnooze(deletedPause)
	}
	return err
}
