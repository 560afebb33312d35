// Package audit checks what the service has stored: the doctor computes every
// invariant again on a live database, and Replay does so from a slot's ledger alone.
package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/postgres"
)

// Finding is something that is not as promised.
type Finding struct {
	// Check is the name of the promise.
	Check string
	// Warning says that nothing is broken, but something is late.
	Warning bool
	// The slot, the booking and the version that it is about; nil or 0 if none.
	SlotID, BookingID uuid.UUID
	Version           int64
	// Detail describes it in a sentence.
	Detail string
}

func (f Finding) String() string {
	text := f.Check + ": " + f.Detail
	if f.Warning {
		text = "warning: " + text
	}
	if f.SlotID != uuid.Nil {
		text += fmt.Sprintf(" (slot %s", f.SlotID)
		if f.BookingID != uuid.Nil {
			text += fmt.Sprintf(", booking %s", f.BookingID)
		}
		if f.Version != 0 {
			text += fmt.Sprintf(", version %d", f.Version)
		}
		text += ")"
	}
	return text
}

// check is a promise, with the query that finds where it is broken.
type check struct {
	name    string
	warning bool
	find    func(ctx context.Context, tx pgx.Tx) ([]Finding, error)
}

// row has the columns of every query of the doctor.
type row = struct {
	SlotID    uuid.UUID
	BookingID uuid.UUID
	Version   int64
	Detail    string
}

var q = db.New()

// checks are the promises, in the order in which they are checked.
var checks = []check{
	promise("no oversell", q.DoctorOversell),
	promise("seats taken as the bookings say", q.DoctorSeatsTaken),
	promise("waitlist as the bookings say", q.DoctorWaitlist),
	promise("one live booking per user and slot", q.DoctorOneLive),
	promise("no overlap", q.DoctorOverlaps),
	promise("bookings at their slots' times", q.DoctorTimes),
	promise("events span their slots", q.DoctorEventSpans),
	promise("versions without gaps", q.DoctorVersions),
	promise("counters follow from entry to entry", q.DoctorCounters),
	promise("slots as their last entries say", q.DoctorLastEntries),
	promise("bookings as their last entries say", q.DoctorBookings),
	promise("bookings live as they may", q.DoctorLives),
	promise("queues as the ledger says", q.DoctorQueues),
	promise("seats as asked for", q.DoctorSeats),
	promise("no queue jumping", q.DoctorQueueJumping),
	promise("nobody waits who could be served", q.DoctorServable),
	promise("blocked waiters are hindered", q.DoctorBlocked),
	promise("causes come before", q.DoctorCauses),
	promise("promotions and answers have causes", q.DoctorPromotions),
	promise("replacements", q.DoctorReplacements),
	promise("moves", q.DoctorMoves),
	promise("check-ins", q.DoctorCheckIns),
	promise("actors in their roles", q.DoctorActors),
	promise("final bookings stay", q.DoctorFinal),
	promise("deadlines before the start", q.DoctorDeadlines),
	promise("held seats are bounded", q.DoctorHeld),
	promise("idempotency keys", q.DoctorIdempotencyKeys),
	promise("nothing overdue", q.DoctorOverdue).late(),
	promise("nothing left undone", q.DoctorPending).late(),
	promise("no queue held up", q.DoctorHeldUp).late(),
}

// promise makes a check of a query.
func promise[R ~struct {
	SlotID    uuid.UUID
	BookingID uuid.UUID
	Version   int64
	Detail    string
}](name string, query func(context.Context, db.DBTX, int32) ([]R, error)) check {
	return check{name: name, find: func(ctx context.Context, tx pgx.Tx) ([]Finding, error) {
		rows, err := query(ctx, tx, findingsPage)
		findings := make([]Finding, len(rows))
		for i, r := range rows {
			r := row(r)
			findings[i] = Finding{Check: name, SlotID: r.SlotID, BookingID: r.BookingID, Version: r.Version, Detail: r.Detail}
		}
		return findings, err
	}}
}

// late returns the check with its findings as warnings: nothing is broken, but
// something is late.
func (c check) late() check {
	c.warning = true
	return c
}

const (
	// findingsPage is how many findings a check reports at most.
	findingsPage = 20
	// checkTimeout bounds one check.
	checkTimeout = 10 * time.Minute
	// rollbackTimeout bounds the rollback after the last one.
	rollbackTimeout = time.Second
)

// doctorSettings suit queries of whole tables: more memory to sort and hash, and no
// nested loops, which the planner would choose after a wrong estimate.
const doctorSettings = "SELECT set_config('work_mem', '128MB', true), set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)"

// Doctor checks all promises on one snapshot of a live database, and returns what
// is not as promised. Before each check it calls progress, unless that is nil, with
// the number of checks done and the name of the next one; at the end, with an empty
// name.
func Doctor(ctx context.Context, pool *pgxpool.Pool, progress func(done, total int, name string)) ([]Finding, error) {
	if progress == nil {
		progress = func(int, int, string) {}
	}
	conn, err := postgres.Acquire(ctx, pool)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
	timeouts := postgres.Timeouts{Statement: checkTimeout}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin + timeouts.SQL() + "; " + doctorSettings})
	if err != nil {
		return nil, postgres.Translate(err)
	}
	defer func() {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(detached) // nothing was written
	}()
	var findings []Finding
	for i, check := range checks {
		progress(i, len(checks), check.name)
		found, err := check.find(ctx, tx)
		if err != nil {
			return nil, fmt.Errorf("check %q: %w", check.name, postgres.Translate(err))
		}
		for _, f := range found {
			f.Warning = check.warning
			findings = append(findings, f)
		}
	}
	progress(len(checks), len(checks), "")
	return findings, nil
}
