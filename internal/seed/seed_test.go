package seed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seed"
	"eventbooking/internal/testkit"
)

// A scale of 10 is written without the indexes, the smaller ones with them.
func TestSeededDataPassesTheDoctor(t *testing.T) {
	t.Parallel()
	options := []seed.Options{{Number: 0}, {Number: 1}, {Number: 2}, {Number: -3}, {Number: 1, Scale: 2}, {Number: 4, Scale: 10}}
	if testing.Short() {
		options = options[:1]
	}
	for _, o := range options {
		t.Run(fmt.Sprintf("number %d, scale %d", o.Number, o.Scale), func(t *testing.T) {
			t.Parallel()
			pool := testkit.Database(t)
			report := run(t, pool, o)
			testkit.Sound(t, pool)
			scale := int64(max(o.Scale, 1))
			if c := report.Counts; c.Users != 300*scale || c.Events != 100*scale {
				t.Errorf("%d users and %d events, want %d and %d", c.Users, c.Events, 300*scale, 100*scale)
			}
			for table, reported := range map[string]int64{"users": report.Counts.Users, "events": report.Counts.Events,
				"slots": report.Counts.Slots, "bookings": report.Counts.Bookings, "ledger": report.Counts.Entries} {
				if got := count(t, pool, "SELECT count(*) FROM "+table); got != reported {
					t.Errorf("%d rows of %s, reported %d", got, table, reported)
				}
			}
		})
	}
}

func TestSeededDataHasItsSizesAndEveryKindOfEntry(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	run(t, pool, seed.Options{Number: 5})
	for sql, want := range map[string]int64{
		"FROM users":                                      300,
		"FROM users WHERE role = 'admin'":                 1,
		"FROM users WHERE email LIKE 'user%@example.com'": 296,
		"FROM events":                                     100,
		"FROM events WHERE status = 'draft'":              0,
		"FROM events WHERE status = 'cancelled'":          1,
		"FROM events WHERE ends_at <= now()":              30,
		"FROM events WHERE starts_at > now()":             70,
		// They stay upcoming for some days.
		"FROM events WHERE starts_at > now() + interval '5 days'":                                                                         70,
		"FROM slots WHERE promotion_due_at IS NOT NULL":                                                                                   0,
		"FROM bookings b JOIN users u ON u.id = b.user_id WHERE b.created_at < u.created_at":                                              0,
		"FROM users WHERE ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint <> floor(1000 * extract(epoch FROM created_at))": 0,
	} {
		if got := count(t, pool, "SELECT count(*) "+sql); got != want {
			t.Errorf("%d %s, want %d", got, sql, want)
		}
	}
	if several := count(t, pool, "SELECT count(*) FROM (SELECT FROM slots GROUP BY event_id HAVING count(*) > 1) e"); several <= 50 {
		t.Errorf("%d of 100 events have several slots, want most", several)
	}
	for kind, want := range map[string]int64{"opened": 100, "confirmed": 1000, "waitlisted": 100, "promoted": 20, "cancelled": 100,
		"offered": 3, "expired": 20, "blocked": 1, "passed": 1, "held": 20, "edited": 2, "accepted": 1, "declined": 1,
		"moved": 5, "resized": 5, "checked_in": 100, "check_in_undone": 1} {
		if got := count(t, pool, fmt.Sprintf("SELECT count(*) FROM ledger WHERE kind = '%s'", kind)); got < want {
			t.Errorf("%d entries of kind %s, want at least %d", got, kind, want)
		}
	}
}

func TestSeededUsersCanLogIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pool := testkit.Database(t)
	run(t, pool, seed.Options{Number: 6})
	service := account.New(pool, account.Options{})
	for _, want := range []struct {
		email, password, name string
		role                  access.Role
	}{
		{"admin@example.com", "password123", "Alex Example", access.Attendee},
		{"busy@test.com", "password", "Busy Bee", access.Attendee},
		{"admin@test.com", "password", "Ada Admin", access.Admin},
		{"organizer@test.com", "password", "Olga Organizer", access.Organizer},
		{"user001@example.com", "password", "", access.Attendee},
	} {
		login, err := service.LogIn(ctx, account.Credentials{Email: want.email, Password: want.password})
		if err != nil {
			t.Errorf("%s: %v", want.email, err)
			continue
		}
		if u := login.User; u.Role != want.role || want.name != "" && u.Name != want.name {
			t.Errorf("%s is %s, %s", want.email, u.Name, u.Role)
		}
	}
}

// Except for the password hashes, which have random salts.
func TestSameNumberAndTimeSeedTheSameRows(t *testing.T) {
	testkit.SkipIfShort(t, "it seeds four databases")
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)
	contents := func(o seed.Options) (rows string, report seed.Report) {
		pool := testkit.Database(t)
		report = run(t, pool, o)
		err := pool.QueryRow(context.Background(), `
			SELECT md5(string_agg(row, '' ORDER BY row)) FROM (
				SELECT to_jsonb(u)::text FROM (SELECT id, email, name, role, created_at FROM users) u
				UNION ALL SELECT e::text FROM events e UNION ALL SELECT s::text FROM slots s
				UNION ALL SELECT b::text FROM bookings b UNION ALL SELECT l::text FROM ledger l) all_rows (row)`).Scan(&rows)
		if err != nil {
			t.Fatal(err)
		}
		return rows, report
	}
	first, report := contents(seed.Options{Number: 3, Now: now, Scale: 2})
	again, reportAgain := contents(seed.Options{Number: 3, Now: now, Scale: 2})
	if first != again || fmt.Sprint(report) != fmt.Sprint(reportAgain) {
		t.Error("the same number and time made different rows")
	}
	for name, o := range map[string]seed.Options{
		"other number": {Number: 4, Now: now, Scale: 2}, "other time": {Number: 3, Now: now.Add(time.Hour), Scale: 2},
	} {
		if other, _ := contents(o); other == first {
			t.Errorf("%s: the same rows", name)
		}
	}
	if !report.Now.Equal(now) {
		t.Errorf("seeded as of %s, want %s", report.Now, now)
	}
}

func TestSeedRefusesOtherDataUnlessFresh(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pool := testkit.Database(t)
	slot := testkit.Slot(t, pool, testkit.Event(t, pool).ID)
	if _, err := seed.Run(ctx, pool, seed.Options{}); !errors.Is(err, seed.ErrOthersData) {
		t.Fatalf("got %v, want ErrOthersData", err)
	}
	if got := count(t, pool, "SELECT count(*) FROM users"); got != 1 {
		t.Fatalf("%d users after a refusal, want the one before", got)
	}
	run(t, pool, seed.Options{Fresh: true})
	if got := count(t, pool, "SELECT count(*) FROM ledger WHERE slot_id = '"+slot.ID.String()+"'"); got != 0 {
		t.Error("the other data was not deleted")
	}
	testkit.Sound(t, pool)
	if _, err := pool.Exec(ctx, "TRUNCATE ledger"); err == nil {
		t.Error("the ledger can be emptied now")
	}
	if _, err := pool.Exec(ctx, "DELETE FROM ledger"); err == nil {
		t.Error("the ledger can be deleted from now")
	}
}

func TestSeedReplacesSeededData(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pool := testkit.Database(t)
	first := run(t, pool, seed.Options{Number: 1})
	login, err := account.New(pool, account.Options{}).LogIn(ctx, account.Credentials{Email: "busy@test.com", Password: "password"})
	if err != nil {
		t.Fatal(err)
	}
	second := run(t, pool, seed.Options{Number: 2})
	if first.Scenarios[0].Steps[0].Request == second.Scenarios[0].Steps[0].Request {
		t.Error("nothing was replaced")
	}
	if got := count(t, pool, "SELECT count(*) FROM users"); got != 300 {
		t.Errorf("%d users, want 300", got)
	}
	if got := count(t, pool, "SELECT count(*) FROM tokens WHERE user_id = '"+login.User.ID.String()+"'"); got != 0 {
		t.Error("a token outlived its user")
	}
	// After one registration there is other data.
	testkit.User(t, pool, access.Attendee)
	if _, err := seed.Run(ctx, pool, seed.Options{}); !errors.Is(err, seed.ErrOthersData) {
		t.Errorf("got %v, want ErrOthersData", err)
	}
}

func TestConcurrentProcessesSeedOnce(t *testing.T) {
	testkit.SkipIfShort(t, "it seeds from several processes")
	t.Parallel()
	ctx := context.Background()
	url := testkit.DatabaseURL(t)
	first := testkit.Connect(t, url)
	if empty, err := seed.Empty(ctx, first); err != nil || !empty {
		t.Fatalf("Empty = %t, %v before", empty, err)
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	times := 0
	for range 4 {
		pool := testkit.Connect(t, url)
		wait.Go(func() {
			report, seeded, err := seed.RunIfEmpty(ctx, pool, seed.Options{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if seeded {
				times++
			}
			if seeded != (len(report.Scenarios) > 0) {
				t.Error("only who seeded has a report")
			}
		})
	}
	wait.Wait()
	if times != 1 {
		t.Errorf("seeded %d times, want once", times)
	}
	if empty, err := seed.Empty(ctx, first); err != nil || empty {
		t.Errorf("Empty = %t, %v after", empty, err)
	}
	testkit.Sound(t, first)
}

// Writing in bulk drops indexes and constraints, and restores them.
func TestWritingInBulkKeepsTheSchema(t *testing.T) {
	testkit.SkipIfShort(t, "it seeds ten times the data")
	t.Parallel()
	ctx := context.Background()
	pool := testkit.Database(t)
	schema := func() []string {
		rows, err := pool.Query(ctx, `
			SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT format('%s %s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
			ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	before := schema()
	var progress bytes.Buffer
	run(t, pool, seed.Options{Scale: 10, Progress: &progress})
	if after := schema(); !slices.Equal(before, after) {
		t.Errorf("the schema was\n%s\nand is\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	for _, line := range []string{"10 of 10", "ADD CONSTRAINT bookings_no_overlap"} {
		if !strings.Contains(progress.String(), line) {
			t.Errorf("the progress does not say %q:\n%s", line, progress.String())
		}
	}
}

func TestSeedRefusesScalesOutOfBounds(t *testing.T) {
	t.Parallel()
	for _, scale := range []int{-1, seed.MaxScale + 1} {
		if _, err := seed.Run(context.Background(), nil, seed.Options{Scale: scale}); err == nil {
			t.Errorf("scale %d was accepted", scale)
		}
	}
}

func TestInterruptedSeedChangesNothing(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := seed.Run(ctx, pool, seed.Options{Scale: 3, Progress: writer(func(line []byte) {
		if bytes.HasPrefix(line, []byte("2 of 3")) {
			cancel()
		}
	})})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the cancellation", err)
	}
	if empty, err := seed.Empty(context.Background(), pool); err != nil || !empty {
		t.Errorf("Empty = %t, %v", empty, err)
	}
}

func TestReportListsEveryScenarioWithExistingIDs(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	report := run(t, pool, seed.Options{})
	var out strings.Builder
	if err := report.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{seed.FullSlot, seed.MixedAvailability, seed.CancellationChain, seed.BusyUser, seed.OverlappingTimes,
		seed.KeepAndUpgrade, seed.UpgradeChain, seed.Holds, seed.Offers, seed.FirstFit, seed.FewerSeats, seed.MovedBooking,
		seed.SeveralSlots, seed.CheckIns, seed.CancelledEvent, seed.SeatLimits} {
		if len(report.Scenario(name).Steps) == 0 || !strings.Contains(out.String(), name) {
			t.Errorf("no steps for %q", name)
		}
	}
	if len(report.Scenario("another").Steps) > 0 {
		t.Error("an unknown name has a scenario")
	}
	for _, id := range ids.FindAllString(out.String(), -1) {
		if id[14:18] != "75ed" {
			t.Errorf("id %s does not have the mark of seeded ids", id)
		}
		if got := count(t, pool, `SELECT (SELECT count(*) FROM events WHERE id = '`+id+`') + (SELECT count(*) FROM slots WHERE id = '`+id+`')
			+ (SELECT count(*) FROM bookings WHERE id = '`+id+`')`); got != 1 {
			t.Errorf("id %s does not exist", id)
		}
	}
}

var ids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// idsIn returns the ids in a step's request; idIn returns the first.
func idsIn(s seed.Step) (all []uuid.UUID) {
	for _, id := range ids.FindAllString(s.Request, -1) {
		all = append(all, uuid.MustParse(id))
	}
	return all
}

func idIn(s seed.Step) uuid.UUID { return idsIn(s)[0] }

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func run(t *testing.T, pool *pgxpool.Pool, o seed.Options) seed.Report {
	t.Helper()
	report, err := seed.Run(context.Background(), pool, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func count(t *testing.T, pool *pgxpool.Pool, sql string) (n int64) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, postgres.Translate(err))
	}
	return n
}

// Whatever has happened since, the same requests are to be tried, with the same ids.
func TestRecallReturnsTheSameScenarios(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, o := range map[string]seed.Options{
		"now":     {Number: 1},
		"evening": {Number: 5, Now: time.Date(2026, 11, 20, 23, 30, 12, 345_678_000, time.UTC)},
		"morning": {Number: 1, Now: time.Date(2027, 3, 28, 0, 0, 0, 999, time.UTC)},
	} {
		pool := testkit.Database(t)
		report := run(t, pool, o)
		if _, err := pool.Exec(ctx, `
			UPDATE users SET email = 'gone-' || id, name = '-', deleted_at = clock_timestamp(), password_hash = NULL
			WHERE email = 'admin@example.com'`); err != nil {
			t.Fatal(err)
		}
		testkit.Slot(t, pool, testkit.Event(t, pool).ID)
		recalled, err := seed.Recall(ctx, pool, o.Number)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if fmt.Sprint(recalled.Scenarios) != fmt.Sprint(report.Scenarios) || !recalled.Now.Equal(report.Now) || len(recalled.Scenarios) == 0 {
			t.Errorf("%s: other scenarios: as of %s, seeded as of %s", name, recalled.Now, report.Now)
		}
		if _, err := seed.Recall(ctx, pool, o.Number+1); !errors.Is(err, seed.ErrNotSeeded) {
			t.Errorf("%s: another number: %v", name, err)
		}
	}
	if _, err := seed.Recall(ctx, testkit.Database(t), 1); !errors.Is(err, seed.ErrNotSeeded) {
		t.Errorf("an empty database: %v", err)
	}
}
