package seating

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

// Finding is one thing that is not as promised.
type Finding struct {
	// Check is the promise that was looked at.
	Check string
	// Warning: nothing is broken, but something is late.
	Warning bool
	// What it is about, as far as it is about one; nil and 0 otherwise.
	SlotID, BookingID uuid.UUID
	Version           int64
	// Detail says it in a sentence.
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

// checks are the promises, with the query that finds what breaks them.
var checks = []struct {
	name, sql string
	warning   bool
}{
	{name: "no oversell", sql: db.DoctorOversell},
	{name: "seats taken as the bookings say", sql: db.DoctorSeatsTaken},
	{name: "waitlist as the bookings say", sql: db.DoctorWaitlist},
	{name: "one live booking per user and slot", sql: db.DoctorOneLive},
	{name: "no overlap", sql: db.DoctorOverlaps},
	{name: "bookings at their slots' times", sql: db.DoctorTimes},
	{name: "events span their slots", sql: db.DoctorEventSpans},
	{name: "versions without gaps", sql: db.DoctorVersions},
	{name: "counters follow from entry to entry", sql: db.DoctorCounters},
	{name: "slots as their last entries say", sql: db.DoctorLastEntries},
	{name: "bookings as their last entries say", sql: db.DoctorBookings},
	{name: "bookings live as they may", sql: db.DoctorLives},
	{name: "queues as the ledger says", sql: db.DoctorQueues},
	{name: "seats as asked for", sql: db.DoctorSeats},
	{name: "no queue jumping", sql: db.DoctorQueueJumping},
	{name: "nobody waits who could be served", sql: db.DoctorServable},
	{name: "blocked waiters are hindered", sql: db.DoctorBlocked},
	{name: "causes come before", sql: db.DoctorCauses},
	{name: "promotions and answers have causes", sql: db.DoctorPromotions},
	{name: "replacements", sql: db.DoctorReplacements},
	{name: "moves", sql: db.DoctorMoves},
	{name: "check-ins", sql: db.DoctorCheckIns},
	{name: "deadlines before the start", sql: db.DoctorDeadlines},
	{name: "held seats are bounded", sql: db.DoctorHeld},
	{name: "idempotency keys", sql: db.DoctorIdempotencyKeys},
	{name: "nothing overdue", sql: db.DoctorOverdue, warning: true},
	{name: "nothing left undone", sql: db.DoctorPending, warning: true},
}

const (
	// findingsPage is how many findings a check reports at most.
	findingsPage = 20
	// checkTimeout bounds one check.
	checkTimeout = 10 * time.Minute
)

// doctorSettings suit reading whole tables: room to sort and hash in, and no row
// by row lookups, to which a wrong estimate would tempt the planner.
const doctorSettings = "SELECT set_config('work_mem', '128MB', true), set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)"

// Doctor computes again what the code promises, on a live database, from one
// snapshot of it, and reports what differs: nothing, if all is well. Before each
// check it tells progress, if there is one, how many of them are done, and the
// name of the next; at the end, with an empty name, that all are.
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
		rows, err := tx.Query(ctx, check.sql, findingsPage)
		if err != nil {
			return nil, fmt.Errorf("check %q: %w", check.name, postgres.Translate(err))
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Finding, error) {
			var slotID, bookingID *uuid.UUID
			var version *int64
			f := Finding{Check: check.name, Warning: check.warning}
			err := row.Scan(&slotID, &bookingID, &version, &f.Detail)
			f.SlotID, f.BookingID, f.Version = given(slotID), given(bookingID), given(version)
			return f, err
		})
		if err != nil {
			return nil, fmt.Errorf("check %q: %w", check.name, postgres.Translate(err))
		}
		findings = append(findings, found...)
	}
	progress(len(checks), len(checks), "")
	return findings, nil
}
