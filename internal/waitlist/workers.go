package waitlist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"eventbooking/gen/db"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// AddWorkers adds the workers of the jobs that the desk inserts.
func AddWorkers(workers *river.Workers, pool *pgxpool.Pool, d *desk.Desk) {
	river.AddWorker(workers, &promoteWorker{pool: pool, desk: d})
	river.AddWorker(workers, &cancelWorker{desk: d})
}

// promoteWorker promotes a page of a queue. When that is not all of it, the desk
// has inserted the next job, with the slots that it needs, in the same
// transaction: doing the same command again here would only miss those.
type promoteWorker struct {
	river.WorkerDefaults[desk.PromoteArgs]
	pool *pgxpool.Pool
	desk *desk.Desk
}

// peekPage is of how many in a queue the promotion looks ahead whose slots it
// has to lock.
const peekPage = 5

// Work does one job. It looks first, without locks, which further slots the next
// in the queue would give seats back in; what it misses, the desk notices.
func (w *promoteWorker) Work(ctx context.Context, job *river.Job[desk.PromoteArgs]) error {
	also, err := postgres.Read(ctx, w.pool, func(c *pgxpool.Conn) ([]uuid.UUID, error) {
		return db.New().SlotsPeek(ctx, c, db.SlotsPeekParams{SlotID: job.Args.SlotID, Page: peekPage})
	})
	if err != nil {
		return fmt.Errorf("peek at the queue: %w", err)
	}
	_, err = submit(ctx, w.desk, seating.Promote{SlotID: job.Args.SlotID, Also: append(also, job.Args.Also...)})
	return err
}

// NextRetry is soon, because people wait.
func (w *promoteWorker) NextRetry(job *river.Job[desk.PromoteArgs]) time.Time {
	return retryAt(job.Attempt)
}

// cancelWorker cancels the bookings of a cancelled slot.
type cancelWorker struct {
	river.WorkerDefaults[desk.CancelBookingsArgs]
	desk *desk.Desk
}

const (
	// cancelPages is how many pages one run of the job does, so that no slot keeps
	// the worker from others.
	cancelPages = 10
	// cancelPause is how long the job then lets others go first.
	cancelPause = 10 * time.Millisecond
)

// Work does some pages, and asks for another turn if there are more.
func (w *cancelWorker) Work(ctx context.Context, job *river.Job[desk.CancelBookingsArgs]) error {
	for range cancelPages {
		result, err := submit(ctx, w.desk, seating.CancelAllBookings{SlotID: job.Args.SlotID})
		if err != nil || !result.More {
			return err
		}
	}
	return river.JobSnooze(cancelPause)
}

// NextRetry is soon, because people wait.
func (w *cancelWorker) NextRetry(job *river.Job[desk.CancelBookingsArgs]) time.Time {
	return retryAt(job.Attempt)
}

// submit submits an internal command. A slot that is gone needs nothing any more.
func submit(ctx context.Context, d *desk.Desk, c seating.Command) (seating.Result, error) {
	outcome, err := d.Do(ctx, desk.Submission{Command: c, Internal: true})
	if errors.Is(err, fault.NotFound) {
		return seating.Result{}, nil
	}
	return outcome.Result, err
}

const (
	retryFirst = 100 * time.Millisecond
	retryLast  = 10 * time.Second
)

// retryAt is when to try again after a number of attempts: soon at first, then
// twice as late each time. What is given up in the end, the ticker finds.
func retryAt(attempt int) time.Time {
	return time.Now().Add(min(retryFirst<<min(max(attempt-1, 0), 10), retryLast))
}
