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

// part is a stretch of a list; see EventList in db/queries/event.sql. Its times are bounds,
// nil is none.
type part struct {
	startsAfter, startsBy, endsBy *time.Time
	// runningAt is when its events have begun and not ended.
	runningAt *time.Time
	// dateless are those without a start, by creation.
	dateless bool
}

// How many events a search looks at in order before it asks the index of words: most pages
// are full by then, and that index takes about as long where they are not. They are fewer
// where each lies on a page of its own, or they are counted for each period.
const (
	nearSteps  = 2000
	apartSteps = 1000
)

// parts are those that the list consists of at a time. By start they follow each other.
func (f Filter) parts(now time.Time) []part {
	var all part
	available := f.Available != nil && *f.Available
	running := f.From // what has ended by then is not on the list
	if available || f.Phase == Ongoing {
		running = later(running, now) // what has free seats has not ended
	}
	switch f.Phase {
	case Upcoming:
		all.startsAfter = &now
	case Ongoing:
		all.startsBy = &now
	case Past:
		all.startsBy, all.endsBy = &now, &now // the first follows from the second; the index needs it
	}
	if f.To != nil {
		all.startsBy = earlier(all.startsBy, f.To.Add(-time.Microsecond)) // the database's unit
	}
	switch {
	case f.Phase == Ongoing:
		return []part{all.running(*running)}
	case f.Phase == Past && available:
		return nil
	case f.From != nil || available && f.Phase == Always:
		if f.ByStart && f.Backwards {
			return []part{all.starting(*running), all.running(*running)}
		}
		return []part{all.running(*running), all.starting(*running)}
	case f.ByStart && f.Phase == Always && f.To == nil:
		return []part{all, {dateless: true}}
	}
	return []part{all}
}

// running is what goes on at a time. That it has begun by then is not said twice: the
// planner would look for it among all that has.
func (p part) running(at time.Time) part {
	p.runningAt = &at
	if p.startsBy != nil && !p.startsBy.Before(at) {
		p.startsBy = nil
	}
	return p
}

// starting is what starts after a time.
func (p part) starting(after time.Time) part {
	p.startsAfter = later(p.startsAfter, after)
	return p
}

func later(bound *time.Time, at time.Time) *time.Time {
	if bound != nil && bound.After(at) {
		return bound
	}
	return &at
}

func earlier(bound *time.Time, at time.Time) *time.Time {
	if bound != nil && bound.Before(at) {
		return bound
	}
	return &at
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
func (f Filter) load(ctx context.Context, conn postgres.DB, caller access.Caller, after listKey, n int32) ([]Event, error) {
	now, err := db.New().ClockRead(ctx, conn)
	if err != nil {
		return nil, err
	}
	var events []Event
	for _, p := range f.parts(now) {
		rest := n
		if f.ByStart {
			rest -= int32(len(events))
		}
		if rest == 0 || after.Dateless && !p.dateless {
			continue
		}
		more, err := f.loadPart(ctx, postgres.Planned(conn), f.params(caller, p, after, rest))
		if err != nil {
			return nil, err
		}
		for _, row := range more {
			events = append(events, eventOf(db.EventGetRow(row)))
		}
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

// params ask for the next n events of a part after a key, in order.
func (f Filter) params(caller access.Caller, p part, after listKey, n int32) db.EventListParams {
	params := db.EventListParams{
		OrganizerID: f.OrganizerID, Words: f.Words, Available: f.Available,
		StartsAfter: p.startsAfter, StartsBy: p.startsBy, EndsBy: p.endsBy, RunningAt: p.runningAt, Dateless: p.dateless,
		ByStart: f.ByStart && !p.dateless, Backwards: f.Backwards, Periods: undivided, Page: n,
	}
	if p.dateless && !after.Dateless {
		after = f.firstKey()
	}
	params.AfterKey, params.AfterID = after.At, after.ID
	if params.ByStart {
		// The bound is in the key too: a comparison of rows in an index starts at the key.
		bound := p.startsAfter
		if f.Backwards {
			bound = p.startsBy
		}
		if bound != nil && bound.After(after.At) != f.Backwards {
			params.AfterKey, params.AfterID = *bound, uuid.Max
		}
	}
	switch { // Which drafts the caller may see; the same rule as canSee.
	case !caller.Can(access.AbilityEventsRead):
	case caller.Role == access.Admin:
		params.AllDrafts = true
	case caller.Role == access.Organizer:
		params.DraftsOf = &caller.UserID
	}
	return params
}

// undivided are the periods of a list that has none.
var undivided = []time.Time{{}}

// loadPart reads what params ask for. By creation, no index has the events of some time in
// order, except an organizer's few: those of each period are merged.
func (f Filter) loadPart(ctx context.Context, conn postgres.DB, params db.EventListParams) (rows []db.EventListRow, err error) {
	q := db.New()
	params.ByPeriod = !f.ByStart && (params.StartsAfter != nil || params.StartsBy != nil) && params.RunningAt == nil && f.OrganizerID == nil
	if params.ByPeriod {
		if params.Periods, err = q.EventPeriods(ctx, conn, db.EventPeriodsParams{StartsAfter: params.StartsAfter, StartsBy: params.StartsBy}); err != nil {
			return nil, err
		}
	}
	if f.Words == nil || params.RunningAt != nil {
		return q.EventList(ctx, conn, params)
	}
	until, err := q.EventHorizon(ctx, conn, horizon(params))
	if err != nil {
		return nil, err
	}
	if len(until) > 0 {
		params.Until = &until[0]
	}
	rows, err = q.EventList(ctx, conn, params)
	if err != nil || params.Until == nil || len(rows) == int(params.Page) {
		return rows, err
	}
	params.Until, params.Periods, params.ByPeriod, params.ByWords = nil, undivided, false, true
	return q.EventList(ctx, conn, params)
}

// horizon asks how far a search looks in order.
func horizon(list db.EventListParams) db.EventHorizonParams {
	steps := int32(nearSteps)
	if list.ByPeriod || list.Dateless || list.OrganizerID != nil {
		steps = apartSteps
	}
	return db.EventHorizonParams{
		OrganizerID: list.OrganizerID, StartsAfter: list.StartsAfter, StartsBy: list.StartsBy, Dateless: list.Dateless,
		ByStart: list.ByStart, Backwards: list.Backwards, Periods: list.Periods, ByPeriod: list.ByPeriod,
		AfterKey: list.AfterKey, Steps: steps,
	}
}
