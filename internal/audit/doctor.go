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

// check is a promise, with what finds where it is broken.
type check struct {
	name    string
	warning bool
	// nested lets it use nested loops.
	nested bool
	parts  []part
}

// part is a query of a check, which looks at one page of the ids of a column at a time.
type part struct {
	ids  column
	find func(ctx context.Context, tx pgx.Tx, p page, most int) ([]Finding, error)
}

var q = db.New()

// checks are the promises, in the order in which they are checked.
var checks = []check{
	promise("no oversell", bySlot(q.DoctorOversell)),
	promise("seats taken as the bookings say", bySlot(q.DoctorSeatsTaken)),
	promise("waitlist as the bookings say", bySlot(q.DoctorWaitlist)),
	promise("one live booking per user and slot", bySlot(q.DoctorOneLive)),
	promise("no overlap", byUser(q.DoctorOverlaps)),
	promise("bookings at their slots' times", bySlot(q.DoctorTimes)),
	promise("events span their slots", byEvent(q.DoctorEventSpans)),
	promise("versions without gaps", bySlot(q.DoctorVersions)),
	promise("counters follow from entry to entry", bySlot(q.DoctorCounters)),
	promise("slots as their last entries say", bySlot(q.DoctorLastEntries)),
	promise("bookings as their last entries say", bySlot(q.DoctorBookings)),
	promise("bookings live as they may", bySlot(q.DoctorLives)),
	promise("queues as the ledger says", bySlot(q.DoctorQueues)),
	promise("seats as asked for", bySlot(q.DoctorSeats), bySlot(q.DoctorSeatsMin)),
	promise("no queue jumping", part{ofSlots, findJumps}),
	promise("nobody waits who could be served", bySlot(q.DoctorServable)).looksUp(),
	promise("blocked waiters are hindered", bySlot(q.DoctorBlocked)),
	promise("causes come before", bySlot(q.DoctorCauses)),
	promise("promotions and answers have causes", bySlot(q.DoctorPromotions)),
	promise("replacements", bySlot(q.DoctorReplacements)),
	promise("moves", bySlot(q.DoctorMovesTo), bySlot(q.DoctorMovesFrom)),
	promise("check-ins", bySlot(q.DoctorCheckIns)),
	promise("actors in their roles", bySlot(q.DoctorActors)),
	promise("final bookings stay", bySlot(q.DoctorFinal)),
	promise("deadlines before the start", bySlot(q.DoctorDeadlines)),
	promise("held seats are bounded", byUser(q.DoctorHeld)),
	promise("seats within the limits of the event", bySlot(q.DoctorSeatsPerBooking), byUser(q.DoctorSeatsPerUser)).looksUp(),
	promise("idempotency keys", byKey(q.DoctorIdempotencyKeys)),
	promise("nothing overdue", bySlot(q.DoctorOverdue)).late(),
	promise("nothing left undone", bySlot(q.DoctorPending), byUser(q.DoctorLeaving)).late(),
	promise("no queue held up", bySlot(q.DoctorHeldUp)).looksUp().late(),
}

func promise(name string, parts ...part) check { return check{name: name, parts: parts} }

// late returns the check with its findings as warnings: nothing is broken, but
// something is late.
func (c check) late() check {
	c.warning = true
	return c
}

// looksUp returns the check with nested loops. It joins nothing that is large, and the
// function given_back, which it calls, looks for single rows.
func (c check) looksUp() check {
	c.nested = true
	return c
}

const (
	// findingsPage is how many findings a check reports at most.
	findingsPage = 20
	// pageTimeout bounds the examination of one page. It takes a fraction of a second, but
	// may be the ledger of a slot that was booked a million times.
	pageTimeout = 5 * time.Minute
	// rollbackTimeout bounds the rollback after it.
	rollbackTimeout = time.Second
)

// Progress is how far a check has come.
type Progress struct {
	// Check is its name, Number its place among all Checks, from 1.
	Check          string
	Number, Checks int
	// Page is the number of pages done, of Pages.
	Page, Pages int
	// Took is the time since the check began.
	Took time.Duration
}

// Doctor checks all promises on a live database, and returns what is not as promised.
// It calls progress, unless that is nil, when it begins a check and after each of its
// pages.
//
// It goes page by page, each in a snapshot of its own: all that a check compares it reads
// in one statement. One snapshot for all would keep the server from removing old rows for
// minutes, which slows whoever changes them; and sorting whole tables takes temporary
// files as large as they are.
func Doctor(ctx context.Context, pool *pgxpool.Pool, progress func(Progress)) ([]Finding, error) {
	return examine(ctx, pool, progress, pageRows)
}

func examine(ctx context.Context, pool *pgxpool.Pool, progress func(Progress), rows int) ([]Finding, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	conn, err := postgres.Acquire(ctx, pool)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	x := examination{conn: conn, rows: rows, progress: progress, pages: map[column][]page{}}
	var findings []Finding
	for i, c := range checks {
		found, err := x.check(ctx, c, i+1)
		if err != nil {
			return nil, fmt.Errorf("check %q: %w", c.name, postgres.Translate(err))
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

// examination is one run of the doctor.
type examination struct {
	conn *pgxpool.Conn
	// rows is the size of a page.
	rows     int
	progress func(Progress)
	// pages are those of the columns that were split already.
	pages map[column][]page
}

// check does all pages of a check, or as many as have a page of findings.
func (x *examination) check(ctx context.Context, c check, number int) ([]Finding, error) {
	began := time.Now()
	now := Progress{Check: c.name, Number: number, Checks: len(checks)}
	x.progress(now)
	for _, part := range c.parts {
		pages, err := x.split(ctx, part.ids)
		if err != nil {
			return nil, err
		}
		now.Pages += len(pages)
	}
	var findings []Finding
	for _, part := range c.parts {
		for _, p := range x.pages[part.ids] {
			if most := findingsPage - len(findings); most > 0 {
				found, err := inSnapshot(ctx, x.conn, c.nested, func(tx pgx.Tx) ([]Finding, error) { return part.find(ctx, tx, p, most) })
				if err != nil {
					return nil, err
				}
				findings = append(findings, found...)
			}
			now.Page++
			now.Took = time.Since(began)
			x.progress(now)
		}
	}
	for i := range findings {
		findings[i].Check, findings[i].Warning = c.name, c.warning
	}
	return findings, nil
}

// inSnapshot reads in a transaction of its own.
func inSnapshot[T any](ctx context.Context, conn *pgxpool.Conn, nested bool, read func(tx pgx.Tx) (T, error)) (result T, err error) {
	const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
	timeouts := postgres.Timeouts{Statement: pageTimeout}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin + timeouts.SQL() + "; " + pageSettings(nested)})
	if err != nil {
		return result, err
	}
	defer func() {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(detached) // nothing was written
	}()
	return read(tx)
}

// pageSettings suit queries of a page: memory enough to sort and hash it, and a plan for
// its ids, which reads them by one index and joins by hashes of all columns. The planner
// would rather read a table whole than many rows of it here and there, intersect the page
// with all of another index, merge rows that have only the slot in common, or choose
// nested loops after a wrong estimate.
func pageSettings(nested bool) string {
	return fmt.Sprintf("SELECT set_config('work_mem', '64MB', true), set_config('plan_cache_mode', 'force_custom_plan', true), "+
		"set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), "+
		"set_config('enable_mergejoin', 'off', true), set_config('enable_nestloop', '%t', true), "+
		"set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)", nested)
}
