package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"eventbooking/gen/db"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

const (
	rollbackTimeout = time.Second
	retryAfter      = time.Second
)

// write is the third round trip: the final states, each row once, and COMMIT. Jobs
// take two more, because River inserts them itself.
func (b *batch) write(ctx context.Context, conn *pgxpool.Conn, s *seating.State) error {
	w := &writing{ctx: ctx, queries: db.New(), state: s, was: b.loaded}
	w.bookings()
	w.slots()
	w.ledger()
	w.keys(b.commands, b.results)
	if w.err != nil {
		return w.err
	}
	if jobs := jobsOf(s); len(jobs) > 0 {
		if err := w.pipe.send(ctx, conn.Conn()); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		if _, err := b.desk.jobs.InsertManyTx(ctx, transaction{conn.Conn()}, jobs); err != nil {
			return fmt.Errorf("insert jobs: %w", err)
		}
		w.pipe = pipeline{}
	}
	return w.commit(conn.Conn())
}

// commit sends what is queued, and then COMMIT. It has a deadline of its own: no
// timeout of the database bounds COMMIT, and ending it with the batch would only
// make the outcome unknown.
func (w *writing) commit(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), postgres.CommitTimeout)
	defer cancel()
	var tag string
	q := w.pipe.batch.Queue("COMMIT")
	q.Exec(func(ct commandTag) error { tag = ct.String(); return nil })
	err := w.pipe.send(ctx, conn)
	if err == nil && tag == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return postgres.Committed(conn, err)
}

// writing queues the rows of a State that differ from what was loaded.
type writing struct {
	ctx     context.Context
	queries *db.Queries
	state   *seating.State
	was     *loaded
	pipe    pipeline
	err     error
}

func (w *writing) note(err error) { w.err = errors.Join(w.err, err) }

// bookings writes each changed booking once: first those that take no seats,
// then those that do, then new ones.
func (w *writing) bookings() {
	before := map[uuid.UUID]db.Booking{}
	for b := range w.was.bookings() {
		before[b.ID] = b
	}
	moves, changed := w.moves()
	var releasing, taking db.BookingsUpdateParams
	var created db.BookingsInsertParams
	releasing.Now, taking.Now, created.Now = w.state.Now, w.state.Now, w.state.Now
	for _, b := range w.state.Bookings() {
		switch old, known := before[b.ID]; {
		case known && old.Version == b.Version && old.Status == string(b.Status):
		case known && b.Version == moves[b.SlotID] && !changed[b.ID]: // moved with its slot, below
		case known && b.Status.TakesSeats():
			update(&taking, b, old.Version)
		case known:
			update(&releasing, b, old.Version)
		case w.state.IsNew(b.ID):
			insert(&created, b)
		}
	}
	if len(releasing.Ids) > 0 {
		w.note(w.queries.BookingsUpdate(w.ctx, &w.pipe, releasing))
	}
	if len(taking.Ids) > 0 {
		w.note(w.queries.BookingsUpdate(w.ctx, &w.pipe, taking))
	}
	if len(created.Ids) > 0 {
		w.note(w.queries.BookingsInsert(w.ctx, &w.pipe, created))
	}
	for slotID, version := range moves {
		w.note(w.queries.BookingsMoveWithSlot(w.ctx, &w.pipe, db.BookingsMoveWithSlotParams{SlotID: slotID, Version: version, Now: w.state.Now}))
	}
}

// moves returns the slots whose times change, with the versions of these entries, and
// the bookings that have entries of their own.
func (w *writing) moves() (moves map[uuid.UUID]int64, changed map[uuid.UUID]bool) {
	moves, changed = map[uuid.UUID]int64{}, map[uuid.UUID]bool{}
	for _, e := range w.state.Entries() {
		changed[e.BookingID] = true
		if e.Times != (seating.TimeChange{}) {
			moves[e.SlotID] = e.Version
		}
	}
	return moves, changed
}

func update(p *db.BookingsUpdateParams, b *seating.Booking, expected int64) {
	p.Ids = append(p.Ids, b.ID)
	p.Expected = append(p.Expected, expected)
	p.Seats = append(p.Seats, int32(b.Seats))
	p.Statuses = append(p.Statuses, string(b.Status))
	p.Versions = append(p.Versions, b.Version)
	p.QueuedVersions = append(p.QueuedVersions, b.QueuedVersion)
	p.Passes = append(p.Passes, int32(b.Passes))
	p.Blocked = append(p.Blocked, string(b.Blocked))
	p.BlockedBy = append(p.BlockedBy, b.BlockedBy)
	p.Replaces = append(p.Replaces, b.Replaces)
	p.ReplacedBy = append(p.ReplacedBy, b.ReplacedBy)
	p.SeatsMin = append(p.SeatsMin, int32(b.SeatsMin))
	p.CheckedInAt = append(p.CheckedInAt, b.CheckedInAt)
	p.CheckedInBy = append(p.CheckedInBy, b.CheckedInBy)
	p.ExpiresAt = append(p.ExpiresAt, b.ExpiresAt)
	p.CancellationClosesMinutes = append(p.CancellationClosesMinutes, int32(b.CancellationCloses/time.Minute))
}

func insert(p *db.BookingsInsertParams, b *seating.Booking) {
	p.Ids = append(p.Ids, b.ID)
	p.SlotIds = append(p.SlotIds, b.SlotID)
	p.UserIds = append(p.UserIds, b.UserID)
	p.Starts = append(p.Starts, b.StartsAt)
	p.Ends = append(p.Ends, b.EndsAt)
	p.Seats = append(p.Seats, int32(b.Seats))
	p.Statuses = append(p.Statuses, string(b.Status))
	p.Versions = append(p.Versions, b.Version)
	p.QueuedVersions = append(p.QueuedVersions, b.QueuedVersion)
	p.Passes = append(p.Passes, int32(b.Passes))
	p.Blocked = append(p.Blocked, string(b.Blocked))
	p.BlockedBy = append(p.BlockedBy, b.BlockedBy)
	p.Replaces = append(p.Replaces, b.Replaces)
	p.MovedFrom = append(p.MovedFrom, b.MovedFrom)
	p.SeatsMin = append(p.SeatsMin, int32(b.SeatsMin))
	p.ExpiresAt = append(p.ExpiresAt, b.ExpiresAt)
	p.CancellationClosesMinutes = append(p.CancellationClosesMinutes, int32(b.CancellationCloses/time.Minute))
}

func (w *writing) slots() {
	p := db.SlotsUpdateParams{Now: w.state.Now}
	for _, s := range w.state.Slots() {
		old := w.was.slots[s.ID]
		if s.Version == old.Version && s.PromotionDueAt.Equal(old.PromotionDueAt) {
			continue
		}
		p.Ids = append(p.Ids, s.ID)
		p.Expected = append(p.Expected, old.Version)
		p.Versions = append(p.Versions, s.Version)
		p.SeatsTaken = append(p.SeatsTaken, int32(s.SeatsTaken))
		p.WaitlistLength = append(p.WaitlistLength, int32(s.WaitlistLength))
		p.WaitlistReady = append(p.WaitlistReady, int32(s.WaitlistReady))
		p.FreedVersions = append(p.FreedVersions, s.FreedVersion)
		p.PromotionDueAt = append(p.PromotionDueAt, s.PromotionDueAt)
		p.Capacities = append(p.Capacities, int32(s.Capacity))
		p.Starts = append(p.Starts, s.StartsAt)
		p.Ends = append(p.Ends, s.EndsAt)
		p.Statuses = append(p.Statuses, string(s.Status))
		p.CancelledAt = append(p.CancelledAt, s.CancelledAt)
		p.Revisions = append(p.Revisions, s.Revision)
	}
	if len(p.Ids) > 0 {
		w.note(w.queries.SlotsUpdate(w.ctx, &w.pipe, p))
	}
}

func (w *writing) ledger() {
	if len(w.state.Entries()) > 0 {
		w.note(w.queries.LedgerInsert(w.ctx, &w.pipe, ledgerRows(w.state.Now, w.state.Entries())))
	}
}

func ledgerRows(now time.Time, entries []seating.Entry) db.LedgerInsertParams {
	p := db.LedgerInsertParams{At: now}
	for _, e := range entries {
		p.SlotIds = append(p.SlotIds, e.SlotID)
		p.Versions = append(p.Versions, e.Version)
		p.Kinds = append(p.Kinds, string(e.Kind))
		p.BookingIds = append(p.BookingIds, e.BookingID)
		p.UserIds = append(p.UserIds, e.UserID)
		p.Seats = append(p.Seats, int32(e.Seats))
		p.Statuses = append(p.Statuses, string(e.Status))
		p.Capacities = append(p.Capacities, int32(e.Capacity))
		p.SeatsTaken = append(p.SeatsTaken, int32(e.SeatsTaken))
		p.WaitlistLengths = append(p.WaitlistLengths, int32(e.WaitlistLength))
		p.Reasons = append(p.Reasons, e.By.Reason)
		p.Actors = append(p.Actors, string(e.By.Role))
		p.ActorIds = append(p.ActorIds, e.By.ID)
		p.CauseSlotIds = append(p.CauseSlotIds, e.Cause.SlotID)
		p.CauseVersions = append(p.CauseVersions, e.Cause.Version)
		p.OldStarts = append(p.OldStarts, e.Times.OldStartsAt)
		p.OldEnds = append(p.OldEnds, e.Times.OldEndsAt)
		p.NewStarts = append(p.NewStarts, e.Times.NewStartsAt)
		p.NewEnds = append(p.NewEnds, e.Times.NewEndsAt)
	}
	return p
}

// keys stores the responses to requests with an idempotency key, in the order of
// the keys, because inserting them takes locks.
func (w *writing) keys(commands []*pending, results []result) {
	ring := keyring{}
	for i, c := range commands {
		if results[i].store {
			ring.keep(c.Key, results[i].outcome.Response)
		}
	}
	ids := make([]keyID, 0, len(ring))
	for id := range ring {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, keyID.compare)
	var p db.IdempotencyKeysInsertParams
	for _, id := range ids {
		a := ring[id]
		header, err := json.Marshal(a.response.Header)
		w.note(err)
		p.UserIds = append(p.UserIds, id.userID)
		p.Keys = append(p.Keys, id.value)
		p.Fingerprints = append(p.Fingerprints, a.fingerprint)
		p.Statuses = append(p.Statuses, int32(a.response.Status))
		p.Headers = append(p.Headers, header)
		p.Bodies = append(p.Bodies, a.response.Body)
	}
	if len(ids) > 0 {
		w.note(w.queries.IdempotencyKeysInsert(w.ctx, &w.pipe, p))
	}
}

// jobsOf returns the jobs that the changes require, at most one for each slot and
// kind, in the order of the slots like all locks.
func jobsOf(s *seating.State) []river.InsertManyParams {
	var jobs []river.InsertManyParams
	for _, p := range s.Promotions() {
		jobs = append(jobs, river.InsertManyParams{Args: PromoteArgs{SlotID: p.SlotID, Also: p.Also}})
	}
	for _, id := range s.Cancellations() {
		jobs = append(jobs, river.InsertManyParams{Args: CancelBookingsArgs{SlotID: id}})
	}
	return jobs
}
