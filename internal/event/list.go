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

// Filter says which events are wanted, and in which order. It is also what makes
// up the list, for its cursors.
type Filter struct {
	// Words is a full text search, as people write it into search boxes.
	Words       *string
	Phase       Phase
	From, To    *time.Time
	Available   *bool
	OrganizerID *uuid.UUID
	// ByStart sorts by the start of the first slot, otherwise by creation.
	ByStart, Backwards bool
}

// Phase is where an event is in time, by the database's clock.
type Phase string

// The phases.
const (
	Upcoming Phase = "upcoming"
	Ongoing  Phase = "ongoing"
	Past     Phase = "past"
	Always   Phase = "all"
)

// Events are a page of events; Next is the cursor of the one after, if there is more.
type Events struct {
	Events []Event
	Next   string
}

// listKey is where in the list an event stands. Those without a start come last,
// by their creation.
type listKey struct {
	Dateless bool      `json:"d,omitempty"`
	At       time.Time `json:"t"`
	ID       uuid.UUID `json:"i"`
}

// beginning is before the first event.
func (f Filter) beginning() listKey {
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

// dateless says whether events without a start follow those that have one.
func (f Filter) dateless() bool {
	return f.ByStart && f.Phase == Always && f.From == nil && f.To == nil
}

// List is a page of the events that match a filter and that the caller may see.
func (s *Service) List(ctx context.Context, caller access.Caller, f Filter, limit *int, cursor *string) (Events, error) {
	if f.From != nil && f.To != nil && !f.From.Before(*f.To) {
		return Events{}, fault.InvalidTimeRange.New("to must be after from.")
	}
	after := f.beginning()
	if err := page.After(cursor, f, &after); err != nil {
		return Events{}, err
	}
	size := page.Limit(limit)
	events, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]Event, error) {
		events, err := f.load(ctx, conn, caller, after, size+1)
		if rest := size + 1 - len(events); err == nil && rest > 0 && !after.Dateless && f.dateless() {
			var last []Event
			after = f.beginning()
			after.Dateless = true
			last, err = f.load(ctx, conn, caller, after, rest)
			events = append(events, last...)
		}
		return events, err
	})
	if err != nil {
		return Events{}, err
	}
	events, next, _, err := page.Cut(events, size, f, func(e Event) any { return f.keyOf(e) })
	return Events{Events: events, Next: next}, err
}

// load reads at most n events after a key.
func (f Filter) load(ctx context.Context, conn db.DBTX, caller access.Caller, after listKey, n int) ([]Event, error) {
	p := db.EventListParams{
		OrganizerID: f.OrganizerID, Words: f.Words, EndsAfter: f.From, StartsBefore: f.To, Phase: string(f.Phase), Available: f.Available,
		ByStart: f.ByStart && !after.Dateless, Backwards: f.Backwards, AfterKey: after.At, AfterID: after.ID, Page: int32(n),
	}
	if f.ByStart {
		p.Dateless = &after.Dateless
	}
	switch { // Whose drafts are shown: see canSee.
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
// once for all. That costs less than a millisecond, and saves a query with many
// optional conditions from a plan that fits none of them.
type planned struct{ db.DBTX }

// Query implements db.DBTX.
func (p planned) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return p.DBTX.Query(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
}
