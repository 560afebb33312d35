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
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// AddWorkers adds the workers of the jobs that the desk inserts.
func AddWorkers(workers *river.Workers, pool *pgxpool.Pool, desk *seating.Desk) {
	river.AddWorker(workers, &promoteWorker{pool: pool, desk: desk})
	river.AddWorker(workers, &clearWorker{desk: desk})
}

// promoteWorker promotes a page of a queue. When that is not all of it, the desk
// has inserted the next job, with the slots that it needs, in the same
// transaction: doing the same command again here would only miss those.
type promoteWorker struct {
	river.WorkerDefaults[seating.PromoteArgs]
	pool *pgxpool.Pool
	desk *seating.Desk
}

// peekPage is of how many in a queue the promotion looks ahead whose slots it
// has to lock.
const peekPage = 5

// Work does one job. It looks first, without locks, which further slots the next
// in the queue would give seats back in; what it misses, the desk notices.
func (w *promoteWorker) Work(ctx context.Context, job *river.Job[seating.PromoteArgs]) error {
	also, err := postgres.Read(ctx, w.pool, func(c *pgxpool.Conn) ([]uuid.UUID, error) {
		return db.New().SlotsPeek(ctx, c, db.SlotsPeekParams{SlotID: job.Args.SlotID, Page: peekPage})
	})
	if err != nil {
		return fmt.Errorf("peek at the queue: %w", err)
	}
	_, err = do(ctx, w.desk, seating.Promote{SlotID: job.Args.SlotID, Also: append(also, job.Args.Also...)})
	return err
}

// NextRetry is soon, because people wait.
func (w *promoteWorker) NextRetry(job *river.Job[seating.PromoteArgs]) time.Time {
	return retryAt(job.Attempt)
}

// clearWorker cancels the bookings of a cancelled slot.
type clearWorker struct {
	river.WorkerDefaults[seating.ClearArgs]
	desk *seating.Desk
}

const (
	// clearPages is how many pages one run of the job does, so that no slot keeps
	// the worker from others.
	clearPages = 10
	// clearPause is how long the job then lets others go first.
	clearPause = 10 * time.Millisecond
)

// Work does some pages, and asks for another turn if there are more.
func (w *clearWorker) Work(ctx context.Context, job *river.Job[seating.ClearArgs]) error {
	for range clearPages {
		result, err := do(ctx, w.desk, seating.Clear{SlotID: job.Args.SlotID})
		if err != nil || !result.More {
			return err
		}
	}
	return river.JobSnooze(clearPause)
}

// NextRetry is soon, because people wait.
func (w *clearWorker) NextRetry(job *river.Job[seating.ClearArgs]) time.Time {
	return retryAt(job.Attempt)
}

// do hands an internal command in. A slot that is gone needs nothing any more.
func do(ctx context.Context, desk *seating.Desk, c seating.Command) (seating.Result, error) {
	outcome, err := desk.Do(ctx, seating.Order{Command: c, Internal: true})
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
