package desk_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// env is a desk on a database with some users and slots.
type env struct {
	t     testing.TB
	pool  *pgxpool.Pool
	desk  *desk.Desk
	event uuid.UUID
	users []uuid.UUID
}

func newEnv(t testing.TB, users int) *env {
	t.Helper()
	pool := testkit.DatabaseWith(t, testkit.MaxConns(desk.Connections+4))
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: "river"})
	must(t, err)
	e := &env{t: t, pool: pool, desk: desk.New(pool, jobs, slog.New(slog.DiscardHandler)), event: uuid.New()}
	t.Cleanup(e.desk.Close)
	for range users {
		e.users = append(e.users, uuid.New())
	}
	e.exec(`INSERT INTO users (id, email, name, password_hash) SELECT u, u || '@test.com', 'User', 'x' FROM unnest($1::uuid[]) u`, e.users)
	e.exec(`INSERT INTO events (id, organizer_id, title, time_zone, status, published_at,
		cancellation_closes_minutes, waitlist_mode, offer_minutes, fit, max_passes, hold_minutes)
		VALUES ($1, $2, 'Event', 'UTC', 'published', now(), 0, 'automatic', 60, 'strict', 3, 10)`, e.event, e.users[0])
	return e
}

func (e *env) exec(sql string, args ...any) {
	e.t.Helper()
	_, err := e.pool.Exec(context.Background(), sql, args...)
	must(e.t, err)
}

// slot opens a slot that starts in some hours and lasts one.
func (e *env) slot(capacity, hours int) uuid.UUID {
	e.t.Helper()
	now := time.Now()
	slot := seating.Slot{ID: uuid.New(), EventID: e.event, Capacity: capacity, Status: seating.SlotOpen, CreatedAt: now,
		StartsAt: now.Add(time.Duration(hours) * time.Hour), EndsAt: now.Add(time.Duration(hours+1) * time.Hour)}
	must(e.t, postgres.InTx(context.Background(), e.pool, func(tx pgx.Tx) error {
		_, err := desk.OpenTx(context.Background(), tx, slot, seating.System(""))
		return err
	}))
	return slot.ID
}

func (e *env) do(c seating.Command) (seating.Result, error) {
	out, err := e.desk.Do(context.Background(), desk.Submission{Command: c})
	return out.Result, err
}

func (e *env) book(slot, user uuid.UUID, seats int, ifFull seating.IfFull) (seating.Result, error) {
	return e.do(seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: user, Seats: seats, IfFull: ifFull, By: seating.Actor{Role: seating.ActorAttendee, ID: user}})
}

func (e *env) mustBook(slot, user uuid.UUID, seats int, ifFull seating.IfFull) seating.Booking {
	e.t.Helper()
	r, err := e.book(slot, user, seats, ifFull)
	must(e.t, err)
	return r.Booking
}

func (e *env) cancel(b seating.Booking) (seating.Result, error) {
	return e.do(seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}})
}

// status reads a booking's status from the database.
func (e *env) status(id uuid.UUID) (s seating.Status) {
	e.t.Helper()
	must(e.t, e.pool.QueryRow(context.Background(), `SELECT status FROM bookings WHERE id = $1`, id).Scan(&s))
	return s
}

func (e *env) count(sql string, args ...any) (n int) {
	e.t.Helper()
	must(e.t, e.pool.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault fails the test unless err has the code, and returns its members.
func wantFault(t testing.TB, err error, code *fault.Code) fault.Members {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("error is %v, want %s", err, code.Name)
	}
	return fault.Of(err).Members
}

func wantStatus(t testing.TB, got, want seating.Status) {
	t.Helper()
	if got != want {
		t.Fatalf("status is %s, want %s", got, want)
	}
}

func TestBookingFillsThenWaitsThenIsPromoted(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4)
	slot := e.slot(1, 24)

	first := e.mustBook(slot, e.users[0], 1, seating.Reject)
	wantStatus(t, first.Status, seating.Confirmed)
	_, err := e.book(slot, e.users[1], 1, seating.Reject)
	m := wantFault(t, err, fault.SlotFull)
	if !*m.WaitlistOpen || *m.SlotVersion != 2 {
		t.Errorf("members are %v", m)
	}
	second := e.mustBook(slot, e.users[1], 1, seating.Wait)
	wantStatus(t, second.Status, seating.Waitlisted)
	third := e.mustBook(slot, e.users[2], 1, seating.Wait)

	_, err = e.cancel(first)
	must(t, err)
	if n := e.count(`SELECT count(*) FROM river.river_job WHERE kind = 'promote'`); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}
	// The freed seat is not for a newcomer.
	_, err = e.book(slot, e.users[3], 1, seating.Reject)
	wantFault(t, err, fault.SlotFull)
	wantStatus(t, e.status(second.ID), seating.Confirmed)
	wantStatus(t, e.status(third.ID), seating.Waitlisted)
	if n := e.count(`SELECT count(*) FROM ledger p JOIN ledger c ON c.slot_id = p.cause_slot_id AND c.version = p.cause_version
		WHERE p.kind = 'promoted' AND c.kind = 'cancelled' AND c.booking_id = $1`, first.ID); n != 1 {
		t.Error("the promotion does not name the cancellation as its cause")
	}
}

func TestOverlapIsRefusedAndBlocksWaitingBookings(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 3)
	here, there := e.slot(1, 24), e.slot(1, 24)
	busy, other := e.users[1], e.users[2]

	elsewhere := e.mustBook(there, busy, 1, seating.Reject)
	_, err := e.book(here, busy, 1, seating.Reject)
	m := wantFault(t, err, fault.BookingOverlap)
	if ids := m.BookingIDs; len(ids) != 1 || ids[0] != elsewhere.ID {
		t.Errorf("booking_ids are %v", ids)
	}
	taken := e.mustBook(here, other, 1, seating.Reject)
	waiting := e.mustBook(here, busy, 1, seating.Wait) // a busy user may wait

	_, err = e.cancel(taken)
	must(t, err)
	_, err = e.do(seating.Promote{SlotID: here})
	must(t, err)
	if n := e.count(`SELECT count(*) FROM bookings WHERE id = $1 AND blocked = 'overlap' AND blocked_by = $2`, waiting.ID, elsewhere.ID); n != 1 {
		t.Fatal("the waiting booking is not blocked")
	}
	// The blocker ends: its user's other slot gets a job, which unblocks and promotes.
	_, err = e.cancel(elsewhere)
	must(t, err)
	if n := e.count(`SELECT count(*) FROM river.river_job WHERE kind = 'promote' AND args->>'slot_id' = $1`, here.String()); n == 0 {
		t.Error("no job for the slot with the blocked booking")
	}
	_, err = e.do(seating.Promote{SlotID: here})
	must(t, err)
	wantStatus(t, e.status(waiting.ID), seating.Confirmed)
	if n := e.count(`SELECT count(*) FROM ledger u JOIN ledger c ON c.slot_id = u.cause_slot_id AND c.version = u.cause_version
		WHERE u.kind = 'unblocked' AND u.slot_id = $1 AND c.slot_id = $2 AND c.kind = 'cancelled'`, here, there); n != 1 {
		t.Error("unblocking does not name the other slot's entry as its cause")
	}
}

func TestRepeatedKeyHasOneEffect(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 2)
	slot := e.slot(5, 24)
	user := e.users[1]
	submission := func(fingerprint byte) desk.Submission {
		return desk.Submission{
			Command: seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: user, Seats: 1, By: seating.Actor{Role: seating.ActorAttendee, ID: user}},
			Key:     &idempotency.Key{UserID: user, Value: "k", Fingerprint: append(make([]byte, 31), fingerprint)},
			Render: func(r seating.Result) (idempotency.Response, error) {
				return idempotency.Record(func(w http.ResponseWriter) error {
					w.WriteHeader(http.StatusCreated)
					_, err := fmt.Fprint(w, r.Booking.ID)
					return err
				})
			},
		}
	}
	var group sync.WaitGroup
	bodies := make([]string, 20)
	for i := range bodies {
		group.Go(func() {
			out, err := e.desk.Do(context.Background(), submission(1))
			if err != nil {
				t.Error(err)
			}
			bodies[i] = string(out.Response.Body)
		})
	}
	group.Wait()
	for _, body := range bodies {
		if body == "" || body != bodies[0] {
			t.Fatalf("bodies differ: %q", bodies)
		}
	}
	if n := e.count(`SELECT count(*) FROM bookings`); n != 1 {
		t.Errorf("%d bookings, want 1", n)
	}
	_, err := e.desk.Do(context.Background(), submission(2))
	wantFault(t, err, fault.IdempotencyKeyReused)
}

func TestRefusalLeavesItsKeyUnused(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 3)
	slot := e.slot(1, 24)
	taken := e.mustBook(slot, e.users[0], 1, seating.Reject)
	book := func(fingerprint byte) (idempotency.Response, error) {
		out, err := e.desk.Do(context.Background(), desk.Submission{
			Command: seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: e.users[1], Seats: 1, By: seating.System("")},
			Key:     &idempotency.Key{UserID: e.users[1], Value: "k", Fingerprint: append(make([]byte, 31), fingerprint)},
			Render: func(r seating.Result) (idempotency.Response, error) {
				return idempotency.Response{Status: http.StatusCreated, Body: []byte(r.Booking.ID.String())}, nil
			},
		})
		return out.Response, err
	}
	for range 2 {
		_, err := book(1)
		wantFault(t, err, fault.SlotFull)
	}
	if n := e.count(`SELECT count(*) FROM idempotency_keys`); n != 0 {
		t.Errorf("%d refusals were kept", n)
	}

	// A seat becomes free while others with the key are under way, some in the same batch.
	unlock := e.lockSlot(slot)
	var group sync.WaitGroup
	responses, errs := make([]idempotency.Response, 20), make([]error, 20)
	for i := range responses {
		if i == len(responses)/2 {
			group.Go(func() { _, errs[i] = e.cancel(taken) })
			continue
		}
		group.Go(func() { responses[i], errs[i] = book(2) })
	}
	unlock()
	group.Wait()
	last, err := book(2)
	must(t, err)
	for i, r := range responses {
		switch {
		case errs[i] == nil && r.Status == http.StatusCreated && string(r.Body) != string(last.Body):
			t.Errorf("one key made the bookings %s and %s", r.Body, last.Body)
		case errs[i] != nil:
			wantFault(t, errs[i], fault.SlotFull)
		}
	}
	_, err = book(1)
	wantFault(t, err, fault.IdempotencyKeyReused)
}

// Many users book and cancel in few, overlapping slots at the same time.
func TestConcurrentBookingsAddUpWithoutDeadlocks(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race of 32 clients")
	t.Parallel()
	e := newEnv(t, 40)
	var slots []uuid.UUID
	for i := range 12 {
		slots = append(slots, e.slot(5, 24+i/4))
	}
	seed := freshSeed(t)
	var group sync.WaitGroup
	for worker := range 32 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			var mine []seating.Booking
			for range 40 {
				switch slot, user := slots[random.IntN(len(slots))], e.users[random.IntN(len(e.users))]; {
				case random.IntN(10) == 0:
					_, err := e.do(seating.Promote{SlotID: slot})
					wantRefusalOrNil(t, err)
				case random.IntN(3) == 0 && len(mine) > 0:
					_, err := e.cancel(mine[random.IntN(len(mine))])
					wantRefusalOrNil(t, err)
				default:
					r, err := e.book(slot, user, 1+random.IntN(2), []seating.IfFull{seating.Reject, seating.Wait}[random.IntN(2)])
					wantRefusalOrNil(t, err)
					if err == nil {
						mine = append(mine, r.Booking)
					}
				}
			}
		})
	}
	group.Wait()
	for _, slot := range slots {
		_, err := e.do(seating.Promote{SlotID: slot})
		must(t, err)
	}
	if n := e.count(`SELECT count(*) FROM slots s WHERE seats_taken <> (SELECT coalesce(sum(seats), 0) FROM bookings b WHERE b.slot_id = s.id AND b.status = 'confirmed')
		OR waitlist_length <> (SELECT count(*) FROM bookings b WHERE b.slot_id = s.id AND b.status = 'waitlisted')
		OR waitlist_ready <> (SELECT count(*) FROM bookings b WHERE b.slot_id = s.id AND b.status = 'waitlisted' AND b.blocked IS NULL)
		OR version <> (SELECT count(*) FROM ledger l WHERE l.slot_id = s.id)`); n != 0 {
		t.Errorf("%d slots do not add up", n)
	}
	if n := e.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// wantRefusalOrNil fails the test if err is neither nil nor a refusal.
func wantRefusalOrNil(t testing.TB, err error) {
	t.Helper()
	if f := fault.Of(err); err != nil && (f == nil || f.Status >= 500) {
		t.Error(err)
	}
}
