//go:build unix

package testkit

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/audit"
	"eventbooking/internal/desk"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Desk is a desk on the test's database, closed with the test. Jobs that it
// inserts stay in the table until the test runs workers.
func Desk(t testing.TB, pool *pgxpool.Pool) *desk.Desk {
	t.Helper()
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: postgres.RiverSchema})
	must(t, err)
	d := desk.New(pool, jobs, slog.New(slog.NewTextHandler(t.Output(), nil)))
	t.Cleanup(d.Close)
	return d
}

// Work runs the workers that add registers, on the jobs of the test's database,
// until the test ends.
func Work(t testing.TB, pool *pgxpool.Pool, add func(*river.Workers)) {
	t.Helper()
	workers := river.NewWorkers()
	add(workers)
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: postgres.RiverSchema, Workers: workers, TestOnly: true,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}},
		Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	must(t, client.Start(context.Background()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
		defer cancel()
		must(t, client.Stop(ctx))
	})
}

// Eventually waits until holds returns true, for 20 seconds at most. The clause
// what completes "waiting until".
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}

// Password is the password of the users that User inserts, and passwordHash its hash.
const (
	Password     = "correct horse battery"
	passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$7DATOp332sIqvXv/gjdcaQ$FPGVEY1+rIiaRWZ9Q0fs48HIgOfS397/NnB8y2jMsg4"
)

// User inserts a user with a role and the password Password, and returns them as a caller
// with every ability.
func User(t testing.TB, pool *pgxpool.Pool, role access.Role) access.Caller {
	t.Helper()
	caller := Caller(ID(), role)
	Exec(t, pool, `INSERT INTO users (id, email, name, password_hash, role) VALUES ($1, $2, 'Some One', $3, $4)`,
		caller.UserID, caller.UserID.String()+"@test.com", passwordHash, string(role))
	return caller
}

// Caller is a user as the caller of a request, with every ability. The user need
// not exist.
func Caller(userID uuid.UUID, role access.Role) access.Caller {
	return access.Caller{UserID: userID, Role: role, Abilities: []string{"*"}}
}

// Event inserts an event: published, with an automatic strict waitlist, of a new
// organizer, unless edits change that.
func Event(t testing.TB, pool *pgxpool.Pool, edits ...func(*db.Event)) db.Event {
	t.Helper()
	now := time.Now().UTC()
	e := db.Event{
		ID: ID(), Title: "Some Event", TimeZone: "UTC", Status: string(seating.EventPublished),
		WaitlistMode: string(seating.WaitlistAutomatic), OfferMinutes: 60,
		Fit: string(seating.FitStrict), MaxPasses: 3, HoldMinutes: 10, PublishedAt: &now,
	}
	for _, edit := range edits {
		edit(&e)
	}
	if e.OrganizerID == uuid.Nil {
		e.OrganizerID = User(t, pool, access.Organizer).UserID
	}
	if e.Status == string(seating.EventCancelled) && e.CancelledAt == nil {
		e.CancelledAt = &now
	}
	Exec(t, pool, `
		INSERT INTO events (id, organizer_id, title, description, location, time_zone, status, booking_opens_at,
			booking_closes_at, cancellation_closes_minutes, waitlist_mode, waitlist_limit, offer_minutes, fit,
			max_passes, hold_minutes, walk_ins, published_at, cancelled_at, cancellation_reason, max_seats_per_booking, max_seats_per_user)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		e.ID, e.OrganizerID, e.Title, e.Description, e.Location, e.TimeZone, e.Status, e.BookingOpensAt,
		e.BookingClosesAt, e.CancellationClosesMinutes, e.WaitlistMode, e.WaitlistLimit, e.OfferMinutes, e.Fit,
		e.MaxPasses, e.HoldMinutes, e.WalkIns, e.PublishedAt, e.CancelledAt, e.CancellationReason, e.MaxSeatsPerBooking, e.MaxSeatsPerUser)
	return e
}

// Slot inserts an open slot of an event: ten seats, tomorrow for two hours, unless
// edits change that. So two of them overlap.
func Slot(t testing.TB, pool *pgxpool.Pool, eventID uuid.UUID, edits ...func(*seating.Slot)) seating.Slot {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	slot := seating.Slot{
		ID: ID(), EventID: eventID, Status: seating.SlotOpen, Capacity: 10,
		StartsAt: now.Add(24 * time.Hour), EndsAt: now.Add(26 * time.Hour), CreatedAt: now,
	}
	for _, edit := range edits {
		edit(&slot)
	}
	opened, err := postgres.InTxReturning(context.Background(), pool, func(tx pgx.Tx) (seating.Slot, error) {
		return desk.OpenTx(context.Background(), tx, slot, seating.System(""))
	})
	must(t, err)
	return opened
}

// Capacity is an edit for Slot.
func Capacity(seats int) func(*seating.Slot) {
	return func(s *seating.Slot) { s.Capacity = seats }
}

// Times is an edit for Slot: when it starts and ends, counted from now.
func Times(starts, ends time.Duration) func(*seating.Slot) {
	return func(s *seating.Slot) {
		now := time.Now().UTC().Truncate(time.Microsecond)
		s.StartsAt, s.EndsAt = now.Add(starts), now.Add(ends)
	}
}

// Book books seats of a slot for a user, or puts them on the waitlist.
func Book(t testing.TB, d *desk.Desk, slotID, userID uuid.UUID, seats int) seating.Booking {
	t.Helper()
	outcome, err := d.Do(context.Background(), desk.Submission{Command: seating.Book{
		BookingID: ID(), SlotID: slotID, UserID: userID, Seats: seats, IfFull: seating.Wait,
		By: seating.Actor{Role: seating.ActorAttendee, ID: userID},
	}})
	must(t, err)
	return outcome.Result.Booking
}

// Sound fails the test if the doctor finds a violation. What is merely late, since
// most tests run no workers, is none.
func Sound(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	findings, err := audit.Doctor(context.Background(), pool, nil)
	must(t, err)
	for _, f := range findings {
		if !f.Warning {
			t.Error(f)
		}
	}
}

// ID is a new id of the kind that the service makes (UUID version 7).
func ID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Exec runs a statement in a transaction of the service's kind, with its retries:
// a default isolation of the database's own does not make it fail.
func Exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	must(t, postgres.InTx(context.Background(), pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), sql, args...)
		return err
	}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
