//go:build unix

package event_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// pages reads a list page by page and returns the titles.
func (h *env) pages(ctx context.Context, p api.ListEventsParams) (titles []string) {
	h.Helper()
	for more, n := true, 0; more; n++ {
		if n > 100 {
			h.Fatalf("the list does not end: %q", titles)
		}
		r, err := h.handler.ListEvents(ctx, api.ListEventsRequestObject{Params: p})
		must(h, err)
		list := r.(api.ListEvents200JSONResponse).Body
		if p.Limit != nil && len(list.Data) > *p.Limit {
			h.Fatalf("a page of %d has %d", *p.Limit, len(list.Data))
		}
		for _, e := range list.Data {
			titles = append(titles, e.Title)
		}
		p.Cursor, more = ptr(value(list.NextCursor)), list.HasMore
	}
	return titles
}

// openWithEvents is a database with events in every phase and status. Their titles say
// which; they are not created in the order of their starts.
func openWithEvents(t *testing.T) *env {
	h := open(t)
	minute := 0
	add := func(title string, status seating.EventStatus, slots ...func(*seating.Slot)) db.Event {
		e := h.event(func(e *db.Event) { e.Title, e.Status = title, string(status) })
		h.exec(`UPDATE events SET created_at = '2026-01-01'::timestamptz + $2 * interval '1 minute' WHERE id = $1`, e.ID, minute)
		minute++
		for _, times := range slots {
			testkit.Slot(t, h.pool, e.ID, times, testkit.Capacity(2))
		}
		return e
	}
	hours := func(starts, ends time.Duration) func(*seating.Slot) {
		return testkit.Times(starts*time.Hour, ends*time.Hour)
	}
	add("upcoming 2", seating.EventPublished, hours(20, 21), hours(30, 31))
	add("dateless 1", seating.EventPublished)
	full := add("upcoming 1", seating.EventPublished, hours(10, 11))
	add("draft", seating.EventDraft, hours(15, 16))
	add("cancelled", seating.EventCancelled, hours(25, 26))
	add("ongoing", seating.EventPublished, hours(-1, 1), hours(40, 41))
	add("past 2", seating.EventPublished, hours(-20, -19))
	add("dateless draft", seating.EventDraft)
	add("past 1", seating.EventPublished, hours(-30, -29))
	add("dateless 2", seating.EventPublished)
	add("ongoing, over", seating.EventPublished, hours(0, 2))
	slot := list[uuid.UUID](h, `SELECT id FROM slots WHERE event_id = $1`, full.ID)[0]
	testkit.Book(t, h.desk, slot, testkit.User(t, h.pool, access.Attendee).UserID, 2)
	return h
}

func TestListIsSortedInEveryOrderWithAnyPageSize(t *testing.T) {
	h := openWithEvents(t)
	dated := []string{"past 1", "past 2", "ongoing", "ongoing, over", "upcoming 1", "draft", "upcoming 2", "cancelled"}
	dateless := []string{"dateless 1", "dateless draft", "dateless 2"}
	created := list[string](h, `SELECT title FROM events ORDER BY created_at`)
	backwards := func(list []string) []string {
		list = slices.Clone(list)
		slices.Reverse(list)
		return list
	}
	for sort, want := range map[api.EventSort][]string{
		api.EventSortStartsAt:            slices.Concat(dated, dateless),
		api.EventSortStartsAtDescending:  slices.Concat(backwards(dated), backwards(dateless)),
		api.EventSortCreatedAt:           created,
		api.EventSortCreatedAtDescending: backwards(created),
	} {
		for _, limit := range []int{1, 2, 3, 8, 11, 20} {
			got := h.pages(h.mine(), api.ListEventsParams{When: ptr(api.EventWhenAll), Sort: &sort, Limit: &limit})
			if !slices.Equal(got, want) {
				t.Errorf("by %s, %d a page:\ngot  %q\nwant %q", sort, limit, got, want)
			}
		}
	}
}

func TestListOfEventsAtTheSameTimeIsComplete(t *testing.T) {
	h := open(t)
	starts := time.Now().UTC().Truncate(time.Second).Add(time.Hour)
	for i := range 7 {
		e := h.event(func(e *db.Event) { e.Title = fmt.Sprint(i) })
		testkit.Slot(t, h.pool, e.ID, func(s *seating.Slot) { s.StartsAt, s.EndsAt = starts, starts.Add(time.Hour) })
	}
	h.exec(`UPDATE events SET created_at = '2026-01-01'`)
	for _, sort := range []api.EventSort{api.EventSortStartsAt, api.EventSortStartsAtDescending, api.EventSortCreatedAt, api.EventSortCreatedAtDescending} {
		got := h.pages(h.mine(), api.ListEventsParams{Sort: &sort, Limit: ptr(2)})
		want := strings.Split("0123456", "")
		if strings.HasPrefix(string(sort), "-") {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %s: got %q", sort, got)
		}
	}
}

func TestListFiltersByTimeSeatsOrganizerAndWords(t *testing.T) {
	h := openWithEvents(t)
	now := time.Now()
	organizer := h.organizer.UserID
	all := ptr(api.EventWhenAll)
	for name, c := range map[string]struct {
		p    api.ListEventsParams
		want []string
	}{
		"default":      {api.ListEventsParams{}, []string{"upcoming 1", "upcoming 2", "cancelled"}},
		"ongoing":      {api.ListEventsParams{When: ptr(api.EventWhenOngoing)}, []string{"ongoing", "ongoing, over"}},
		"past":         {api.ListEventsParams{When: ptr(api.EventWhenPast)}, []string{"past 1", "past 2"}},
		"from":         {api.ListEventsParams{When: all, From: ptr(now.Add(21 * time.Hour))}, []string{"ongoing", "upcoming 2", "cancelled"}},
		"to":           {api.ListEventsParams{When: all, To: ptr(now.Add(-25 * time.Hour))}, []string{"past 1"}},
		"from and to":  {api.ListEventsParams{When: all, From: ptr(now.Add(-25 * time.Hour)), To: ptr(now.Add(-10 * time.Hour))}, []string{"past 2"}},
		"available":    {api.ListEventsParams{When: all, Available: ptr(true)}, []string{"ongoing", "upcoming 2"}},
		"unavailable":  {api.ListEventsParams{Available: ptr(false)}, []string{"upcoming 1", "cancelled"}},
		"organizer":    {api.ListEventsParams{OrganizerID: &organizer}, []string{"upcoming 1", "upcoming 2", "cancelled"}},
		"nobody's":     {api.ListEventsParams{OrganizerID: ptr(testkit.ID())}, nil},
		"words":        {api.ListEventsParams{Q: ptr("Upcoming")}, []string{"upcoming 1", "upcoming 2"}},
		"two words":    {api.ListEventsParams{Q: ptr("2 upcoming")}, []string{"upcoming 2"}},
		"or, not":      {api.ListEventsParams{Q: ptr("cancelled or upcoming -2")}, []string{"upcoming 1", "cancelled"}},
		"a phrase":     {api.ListEventsParams{When: all, Q: ptr(`"ongoing over"`)}, []string{"ongoing, over"}},
		"only a sign":  {api.ListEventsParams{When: all, Q: ptr(`"`)}, nil},
		"all together": {api.ListEventsParams{Q: ptr("upcoming"), Available: ptr(true), From: &now, OrganizerID: &organizer, Sort: ptr(api.EventSortCreatedAt)}, []string{"upcoming 2"}},
	} {
		c.p.Limit = ptr(2)
		if got := h.pages(context.Background(), c.p); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	_, err := h.handler.ListEvents(h.mine(), api.ListEventsRequestObject{Params: api.ListEventsParams{From: &now, To: &now}})
	wantFault(t, err, fault.InvalidTimeRange)
}

func TestListShowsDraftsToThoseWhoManageThem(t *testing.T) {
	h := openWithEvents(t)
	former, unable := h.organizer, h.organizer
	former.Role, unable.Abilities = access.Attendee, []string{access.AbilityEventsWrite}
	for name, c := range map[string]struct {
		caller access.Caller
		drafts bool
	}{
		"nobody":                      {access.Nobody, false},
		"the organizer":               {h.organizer, true},
		"another organizer":           {testkit.User(t, h.pool, access.Organizer), false},
		"an admin":                    {testkit.User(t, h.pool, access.Admin), true},
		"an attendee":                 {testkit.User(t, h.pool, access.Attendee), false},
		"a demoted organizer":         {former, false},
		"a token without the ability": {unable, false},
	} {
		got := h.pages(as(c.caller), api.ListEventsParams{When: ptr(api.EventWhenAll)})
		if slices.Contains(got, "draft") != c.drafts || slices.Contains(got, "dateless draft") != c.drafts {
			t.Errorf("%s sees %q", name, got)
		}
	}
}

func TestListShowsEventsLikeGet(t *testing.T) {
	h := openWithEvents(t)
	r, err := h.handler.ListEvents(h.mine(), api.ListEventsRequestObject{Params: api.ListEventsParams{When: ptr(api.EventWhenAll)}})
	must(t, err)
	seats := map[string]int{}
	for _, listed := range r.(api.ListEvents200JSONResponse).Body.Data {
		if got, _ := h.get(listed.ID); !sameJSON(t, got, listed) {
			t.Errorf("listed %+v\ngot    %+v", listed, got)
		}
		if listed.SlotCount > 0 {
			seats[listed.Title] = listed.SeatsAvailable
		}
	}
	want := map[string]int{"past 1": 0, "past 2": 0, "ongoing": 2, "ongoing, over": 0, "upcoming 1": 0, "draft": 2, "upcoming 2": 4, "cancelled": 0}
	if !maps.Equal(seats, want) {
		t.Errorf("seats %v, want %v", seats, want)
	}
}

func TestCursorsBelongToTheirList(t *testing.T) {
	h := openWithEvents(t)
	r, err := h.handler.ListEvents(h.mine(), api.ListEventsRequestObject{Params: api.ListEventsParams{Limit: ptr(1)}})
	must(t, err)
	cursor := value(r.(api.ListEvents200JSONResponse).Body.NextCursor)
	for _, p := range []api.ListEventsParams{{Q: ptr("x")}, {When: ptr(api.EventWhenAll)}, {Sort: ptr(api.EventSortStartsAtDescending)}, {Available: ptr(false)}} {
		p.Cursor = &cursor
		_, err := h.handler.ListEvents(h.mine(), api.ListEventsRequestObject{Params: p})
		wantFault(t, err, fault.CursorMismatch)
	}
	_, err = h.handler.ListEvents(h.mine(), api.ListEventsRequestObject{Params: api.ListEventsParams{Cursor: ptr("nonsense")}})
	wantFault(t, err, fault.InvalidCursor)
}
