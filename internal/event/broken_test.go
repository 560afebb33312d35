//go:build unix

package event_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/event"
	"eventbooking/internal/page"
	"eventbooking/internal/testkit"
)

// cutter is a tracer that ends a connection right before a statement is sent on it: the
// nth one that contains a text.
type cutter struct {
	t        *testing.T
	url      string
	text     string
	nth      int32
	seen     atomic.Int32
	wasBroke atomic.Bool
}

// TraceQueryStart implements pgx.QueryTracer.
func (c *cutter) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, c.text) && c.seen.Add(1) == c.nth {
		c.wasBroke.Store(testkit.QueryOn[bool](c.t, c.url, fmt.Sprintf("SELECT pg_terminate_backend(%d, 5000)", conn.PgConn().PID())))
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (c *cutter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// The events without a date are read by a second statement. If its connection breaks,
// both are read again, from the page's beginning.
func TestListLosesNothingWhenItsConnectionBreaks(t *testing.T) {
	testkit.SkipIfPooled(t, "it ends a certain session")
	t.Parallel()
	url := testkit.DatabaseURL(t)
	plain := testkit.Connect(t, url)
	for range 3 {
		testkit.Slot(t, plain, testkit.Event(t, plain).ID)
		testkit.Event(t, plain, func(e *db.Event) { e.Title = "Dateless" })
	}
	config, err := pgxpool.ParseConfig(url)
	must(t, err)
	broken := &cutter{t: t, url: url, text: "-- name: EventList ", nth: 2}
	config.ConnConfig.Tracer = broken
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	must(t, err)
	defer pool.Close()

	list, err := event.New(pool, nil, nil).List(t.Context(), testkit.Caller(testkit.ID(), "attendee"),
		event.Filter{Phase: event.Always, ByStart: true}, page.Ask{})
	must(t, err)
	titles := ""
	for _, e := range list.Items {
		titles += e.Title + ", "
	}
	if want := strings.Repeat("Some Event, ", 3) + strings.Repeat("Dateless, ", 3); titles != want || !broken.wasBroke.Load() {
		t.Errorf("the list is %q, want %q; the connection broke: %t", titles, want, broken.wasBroke.Load())
	}
}
