package event

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
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

// A part of a list; see EventList in db/queries/event.sql.
type part string

const (
	everything part = "all"
	running    part = "running"
	starting   part = "starting"
	dateless   part = "dateless"
)

// A way to read a page of a part; see EventList.
type way string

const (
	walk   way = "walk"
	near   way = "near"
	weekly way = "weekly"
	gather way = "gather"
)

// How many events the way near looks at, where it is tried before another: most pages are
// full by then, and the second way takes about as long where they are not.
const (
	nearWeekly = 200
	nearGather = 2000
)

// parts are those that the list consists of. By start they follow each other.
func (f Filter) parts() []part {
	available := f.Available != nil && *f.Available
	switch {
	case f.Phase == Ongoing:
		return []part{running}
	case f.Phase == Past && available:
		return nil // what has free seats has not ended
	case f.From != nil || available && f.Phase == Always:
		if f.ByStart && f.Backwards {
			return []part{starting, running}
		}
		return []part{running, starting}
	case f.ByStart && f.Phase == Always && f.To == nil:
		return []part{everything, dateless}
	}
	return []part{everything}
}

// ways are those to read a part: if a page of the first comes out short, the second has it.
func (f Filter) ways(p part) []way {
	inTime := f.Phase != Always || p == starting || f.To != nil
	switch {
	case p == running, p == dateless && f.Words != nil:
		return []way{gather}
	case p == dateless:
		return []way{walk}
	case f.Words != nil:
		return []way{near, gather}
	case !f.ByStart && inTime && f.OrganizerID == nil:
		return []way{near, weekly}
	}
	return []way{walk}
}

// List returns a page of the events that match a filter and that the caller may see.
// Refusals: fault.InvalidTimeRange, fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) List(ctx context.Context, caller access.Caller, f Filter, ask page.Ask) (page.Page[Event], error) {
	if f.From != nil && f.To != nil && !f.From.Before(*f.To) {
		return page.Page[Event]{}, fault.InvalidTimeRange.New("to must be after from.")
	}
	return page.Read(ask, f, f.firstKey(), func(after listKey, n int32) ([]Event, error) {
		return postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]Event, error) {
			return f.load(ctx, conn, caller, after, n)
		})
	}, f.keyOf)
}

// load reads the next n events after a key.
func (f Filter) load(ctx context.Context, conn db.DBTX, caller access.Caller, after listKey, n int32) ([]Event, error) {
	var events []Event
	for _, p := range f.parts() {
		rest := n
		if f.ByStart {
			rest -= int32(len(events))
		}
		key := after
		switch {
		case rest == 0, after.Dateless && p != dateless:
			continue
		case p == dateless && !after.Dateless:
			key = f.firstKey()
		}
		more, err := f.loadPart(ctx, conn, caller, p, key, rest)
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	if !f.ByStart {
		slices.SortFunc(events, f.compare)
	}
	return events[:min(len(events), int(n))], nil
}

// compare is the order of a list by creation.
func (f Filter) compare(a, b Event) int {
	if f.Backwards {
		a, b = b, a
	}
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]))
}

// loadPart reads the next n events of a part after a key.
func (f Filter) loadPart(ctx context.Context, conn db.DBTX, caller access.Caller, p part, after listKey, n int32) (events []Event, err error) {
	params := db.EventListParams{
		OrganizerID: f.OrganizerID, Words: f.Words, EndsAfter: f.From, StartsBefore: f.To, Phase: string(f.Phase), Available: f.Available,
		ByStart: f.ByStart && p != dateless, Backwards: f.Backwards, AfterKey: after.At, AfterID: after.ID, Page: n,
		Part: string(p), Steps: nearWeekly,
	}
	if f.Words != nil {
		params.Steps = nearGather
	}
	switch { // Which drafts the caller may see; the same rule as canSee.
	case !caller.Can(access.AbilityEventsRead):
	case caller.Role == access.Admin:
		params.AllDrafts = true
	case caller.Role == access.Organizer:
		params.DraftsOf = &caller.UserID
	}
	for _, w := range f.ways(p) {
		params.Way = string(w)
		rows, err := db.New().EventList(ctx, postgres.Planned(conn), params)
		if err != nil {
			return nil, err
		}
		events = make([]Event, len(rows))
		for i, row := range rows {
			events[i] = eventOf(db.EventGetRow(row))
		}
		if len(events) == int(n) {
			break
		}
	}
	return events, nil
}
