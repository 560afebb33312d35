package waitlist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
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

// promoteWorker promotes a page of a queue. If more is to be done, the desk has
// inserted the next job in the same transaction. That job names the slots that it
// must lock; repeating the command here would not lock them.
type promoteWorker struct {
	river.WorkerDefaults[desk.PromoteArgs]
	pool *pgxpool.Pool
	desk *desk.Desk
}

// peekPage is for how many bookings at the head of a queue a job finds out which
// further slots their promotion locks.
const peekPage = 5

// Work does one job. First it reads, without locks, in which further slots the next
// in the queue would give seats back. If it misses one, the command requests another
// job that names it.
func (w *promoteWorker) Work(ctx context.Context, job *river.Job[desk.PromoteArgs]) error {
	also, err := postgres.InTxReturning(ctx, w.pool, func(tx pgx.Tx) ([]uuid.UUID, error) { // for its timeouts
		return db.New().SlotsGivenBack(ctx, tx, db.SlotsGivenBackParams{SlotID: job.Args.SlotID, Heads: seating.HeadsPage, Page: peekPage, Hops: seating.MaxReplacements})
	})
	if err != nil {
		return fmt.Errorf("peek at the queue: %w", err)
	}
	_, err = submit(ctx, w.desk, seating.Promote{SlotID: job.Args.SlotID, Also: append(also, job.Args.Also...)})
	return err
}

// NextRetry is soon, because people wait for their seats.
func (w *promoteWorker) NextRetry(job *river.Job[desk.PromoteArgs]) time.Time {
	return retryAt(job.Attempt)
}

// cancelWorker cancels the bookings of a cancelled slot.
type cancelWorker struct {
	river.WorkerDefaults[desk.CancelBookingsArgs]
	desk *desk.Desk
}

const (
	// cancelPages is how many pages one run of the job does, so that one slot does not
	// keep a worker busy for long.
	cancelPages = 10
	// cancelPause is how long the job then pauses.
	cancelPause = 10 * time.Millisecond
)

// Work does some pages, and continues later if there are more.
func (w *cancelWorker) Work(ctx context.Context, job *river.Job[desk.CancelBookingsArgs]) error {
	for range cancelPages {
		result, err := submit(ctx, w.desk, seating.CancelAllBookings{SlotID: job.Args.SlotID})
		if err != nil || !result.More {
			return err
		}
	}
	return river.JobSnooze(cancelPause)
}

// NextRetry is soon, because people wait for their seats.
func (w *cancelWorker) NextRetry(job *river.Job[desk.CancelBookingsArgs]) time.Time {
	return retryAt(job.Attempt)
}

// submit submits an internal command. If the slot does not exist any more, there is
// nothing to do. What fails each time is left to the ticker: a job would only repeat it.
func submit(ctx context.Context, d *desk.Desk, c seating.Command) (seating.Result, error) {
	outcome, err := d.Do(ctx, desk.Submission{Command: c, Internal: true})
	if errors.Is(err, fault.NotFound) || errors.Is(err, desk.ErrFailing) {
		return seating.Result{}, nil
	}
	return outcome.Result, err
}

const (
	retryFirst = 100 * time.Millisecond
	retryLast  = 10 * time.Second
)

// retryAt is when to try again after a number of attempts: soon at first, then after
// twice the time each time. The ticker does what a job has given up.
func retryAt(attempt int) time.Time {
	return time.Now().Add(min(retryFirst<<min(max(attempt-1, 0), 10), retryLast))
}
