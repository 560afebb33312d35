package audit

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
)

// page is a range of ids, first and last included.
type page struct{ first, last uuid.UUID }

// pageRows is how many rows a page has at most, apart from those of its first id: the
// ledger of a slot is never split. Some tenths of a second and 64 MB are enough for it.
const pageRows = 50_000

// column is one that has the ids of pages, and says how many rows these have.
type column int

const (
	ofSlots  column = iota // the slots of the ledger
	ofUsers                // the users of bookings
	ofEvents               // the events of slots
	ofKeys                 // the users of idempotency keys
)

// end returns the first id after so many rows that begin after another id, or
// pgx.ErrNoRows.
func (c column) end(ctx context.Context, tx pgx.Tx, first uuid.UUID, rows int) (uuid.UUID, error) {
	switch c {
	case ofSlots:
		return q.DoctorSlotsEnd(ctx, tx, db.DoctorSlotsEndParams{First: first, Rows: int32(rows)})
	case ofUsers:
		return q.DoctorUsersEnd(ctx, tx, db.DoctorUsersEndParams{First: first, Rows: int32(rows)})
	case ofEvents:
		return q.DoctorEventsEnd(ctx, tx, db.DoctorEventsEndParams{First: first, Rows: int32(rows)})
	}
	return q.DoctorKeysEnd(ctx, tx, db.DoctorKeysEndParams{First: first, Rows: int32(rows)})
}

// split returns pages that have every id once, also ids that are not in the column. What
// is added while the doctor runs is in one of them.
func (x *examination) split(ctx context.Context, c column) ([]page, error) {
	if pages, ok := x.pages[c]; ok {
		return pages, nil
	}
	var pages []page
	for first := uuid.Nil; ; {
		end, err := inSnapshot(ctx, x.conn, false, func(tx pgx.Tx) (uuid.UUID, error) { return c.end(ctx, tx, first, x.rows) })
		if errors.Is(err, pgx.ErrNoRows) {
			x.pages[c] = append(pages, page{first, uuid.Max})
			return x.pages[c], nil
		}
		if err != nil {
			return nil, err
		}
		pages = append(pages, page{first, before(end)})
		first = end
	}
}

// before returns the id before another one that is not the first.
func before(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xff {
			break
		}
	}
	return id
}

// params and row are the parameters and the columns of the doctor's queries.
type (
	params = struct {
		First    uuid.UUID
		Last     uuid.UUID
		Findings int32
	}
	row = struct {
		SlotID    uuid.UUID
		BookingID uuid.UUID
		Version   int64
		Detail    string
	}
)

// query is one of them.
type query[P, R any] = func(context.Context, db.DBTX, P) ([]R, error)

func bySlot[P ~params, R ~row](find query[P, R]) part  { return part{ofSlots, findings(find)} }
func byUser[P ~params, R ~row](find query[P, R]) part  { return part{ofUsers, findings(find)} }
func byEvent[P ~params, R ~row](find query[P, R]) part { return part{ofEvents, findings(find)} }
func byKey[P ~params, R ~row](find query[P, R]) part   { return part{ofKeys, findings(find)} }

// findings turns the rows of a query into findings.
func findings[P ~params, R ~row](find query[P, R]) func(context.Context, pgx.Tx, page, int) ([]Finding, error) {
	return func(ctx context.Context, tx pgx.Tx, p page, most int) ([]Finding, error) {
		rows, err := find(ctx, tx, P(params{First: p.first, Last: p.last, Findings: int32(most)}))
		found := make([]Finding, len(rows))
		for i, r := range rows {
			r := row(r)
			found[i] = Finding{SlotID: r.SlotID, BookingID: r.BookingID, Version: r.Version, Detail: r.Detail}
		}
		return found, err
	}
}
