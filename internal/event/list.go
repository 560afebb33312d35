package event

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
)

// Filter selects events and their order. A cursor belongs to one filter.
type Filter struct {
	// Words is a full-text search, in the syntax of websearch_to_tsquery.
	Words       *string
	Phase       Phase
	From, To    *time.Time
	Available   *bool
	OrganizerID *uuid.UUID
	// ByStart sorts by the start of the first slot, otherwise by creation.
	ByStart, Backwards bool
}

// Phase selects events by their time, compared with the database's clock.
type Phase string

// The phases.
const (
	Upcoming Phase = "upcoming"
	Ongoing  Phase = "ongoing"
	Past     Phase = "past"
	Always   Phase = "all"
)

// listKey is the position of an event in the list. Events without a start come last,
// by their creation.
type listKey struct {
	Dateless bool      `json:"d,omitempty"`
	At       time.Time `json:"t"`
	ID       uuid.UUID `json:"i"`
}

// firstKey is before the first event.
func (f Filter) firstKey() listKey {
	if f.Backwards {
		return listKey{At: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), ID: uuid.Max}
	}
	return listKey{}
}

func (f Filter) keyOf(e Event) listKey {
	switch {
	case !f.ByStart:
		return listKey{At: e.CreatedAt, ID: e.ID}
	case e.StartsAt == nil:
		return listKey{Dateless: true, At: e.CreatedAt, ID: e.ID}
	}
	return listKey{At: *e.StartsAt, ID: e.ID}
}

// includesDateless says whether the list ends with the events without a start.
func (f Filter) includesDateless() bool {
	return f.ByStart && f.Phase == Always && f.From == nil && f.To == nil
}

// List returns a page of the events that match a filter and that the caller may see.
// Refusals: fault.InvalidTimeRange, fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) List(ctx context.Context, caller access.Caller, f Filter, ask page.Ask) (page.Page[Event], error) {
	if f.From != nil && f.To != nil && !f.From.Before(*f.To) {
		return page.Page[Event]{}, fault.InvalidTimeRange.New("to must be after from.")
	}
	return page.Read(ask, f, f.firstKey(), func(after listKey, n int32) ([]Event, error) {
		return postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]Event, error) {
			events, err := f.load(ctx, conn, caller, after, n)
			if rest := n - int32(len(events)); err == nil && rest > 0 && !after.Dateless && f.includesDateless() {
				first := f.firstKey()
				first.Dateless = true
				var last []Event
				last, err = f.load(ctx, conn, caller, first, rest)
				events = append(events, last...)
			}
			return events, err
		})
	}, f.keyOf)
}

// load reads the next n events after a key.
func (f Filter) load(ctx context.Context, conn db.DBTX, caller access.Caller, after listKey, n int32) ([]Event, error) {
	p := db.EventListParams{
		OrganizerID: f.OrganizerID, Words: f.Words, EndsAfter: f.From, StartsBefore: f.To, Phase: string(f.Phase), Available: f.Available,
		ByStart: f.ByStart && !after.Dateless, Backwards: f.Backwards, AfterKey: after.At, AfterID: after.ID, Page: n,
	}
	if f.ByStart {
		p.Dateless = &after.Dateless
	}
	switch { // Which drafts the caller may see; the same rule as canSee.
	case !caller.Can(access.AbilityEventsRead):
	case caller.Role == access.Admin:
		p.AllDrafts = true
	case caller.Role == access.Organizer:
		p.DraftsOf = &caller.UserID
	}
	rows, err := db.New().EventList(ctx, planned{conn}, p)
	events := make([]Event, len(rows))
	for i, row := range rows {
		events[i] = eventOf(db.EventGetRow(row))
	}
	return events, err
}

// planned makes PostgreSQL plan a query for its parameters each time, instead of
// once for all. That costs less than a millisecond; a plan for all parameters would
// be bad for most of them, because many conditions are optional.
type planned struct{ db.DBTX }

// Query implements db.DBTX.
func (p planned) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return p.DBTX.Query(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
}
