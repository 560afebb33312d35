package booking_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// env is the service on a database of its own.
type env struct {
	pool    *pgxpool.Pool
	desk    *desk.Desk
	service *booking.Service
	handler *booking.Handler
}

func open(t *testing.T, opts ...testkit.Option) env {
	t.Helper()
	pool := testkit.DatabaseWith(t, opts...)
	desk := testkit.Desk(t, pool)
	service := booking.New(pool, desk)
	return env{pool, desk, service, booking.NewHandler(service)}
}

func (e env) attendee(t *testing.T) access.Caller {
	t.Helper()
	return testkit.User(t, e.pool, access.Attendee)
}

func (e env) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := e.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// count is the result of a query for one number.
func (e env) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	if err := e.pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// book books seats for the caller, or joins the waitlist.
func (e env) book(caller access.Caller, slotID uuid.UUID, seats int) (seating.Booking, error) {
	outcome, err := e.service.Book(context.Background(), caller, booking.Request{SlotID: slotID, Seats: seats, IfFull: seating.Wait}, desk.Submission{})
	return outcome.Result.Booking, err
}

func (e env) mustBook(t *testing.T, caller access.Caller, slotID uuid.UUID, seats int) seating.Booking {
	t.Helper()
	b, err := e.book(caller, slotID, seats)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (e env) cancel(caller access.Caller, id uuid.UUID, reason string) (seating.Booking, error) {
	outcome, err := e.service.Cancel(context.Background(), caller, id, reason, desk.Submission{})
	return outcome.Result.Booking, err
}

func (e env) promote(t *testing.T, slotID uuid.UUID) {
	t.Helper()
	if _, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.Promote{SlotID: slotID}}); err != nil {
		t.Fatal(err)
	}
}

func organizerOf(e db.Event) access.Caller { return testkit.Caller(e.OrganizerID, access.Organizer) }

// wantFault fails the test unless err is of the code.
func wantFault(t *testing.T, err error, code *fault.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code.Name)
	}
}

// hours are the times of a slot, so many hours from now, one hour long.
func hours(n int) func(*seating.Slot) {
	return testkit.Times(time.Duration(n)*time.Hour, time.Duration(n+1)*time.Hour)
}

func (e env) hold(caller access.Caller, slotID uuid.UUID, seats int) (seating.Booking, error) {
	outcome, err := e.service.Hold(context.Background(), caller, slotID, seats, desk.Submission{})
	return outcome.Result.Booking, err
}

func (e env) mustHold(t *testing.T, caller access.Caller, slotID uuid.UUID, seats int) seating.Booking {
	t.Helper()
	b, err := e.hold(caller, slotID, seats)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (e env) confirm(caller access.Caller, id uuid.UUID) (seating.Booking, error) {
	outcome, err := e.service.Confirm(context.Background(), caller, id, desk.Submission{})
	return outcome.Result.Booking, err
}

func (e env) move(caller access.Caller, id, toSlotID uuid.UUID) (seating.Booking, error) {
	outcome, err := e.service.Move(context.Background(), caller, id, toSlotID, desk.Submission{})
	return outcome.Result.Booking, err
}

// upgrade books a seat for the caller that replaces a booking of theirs.
func (e env) upgrade(caller access.Caller, slotID, replaces uuid.UUID) (seating.Booking, error) {
	outcome, err := e.service.Book(context.Background(), caller,
		booking.Request{SlotID: slotID, Seats: 1, IfFull: seating.Wait, Replaces: &replaces}, desk.Submission{})
	return outcome.Result.Booking, err
}

// expire makes a hold or an offer due.
func (e env) expire(t *testing.T, id uuid.UUID) {
	t.Helper()
	const due = "UPDATE bookings SET expires_at = clock_timestamp() WHERE id = $1 AND status IN ('held', 'offered')"
	testkit.Exec(t, e.pool, due, id)
}

func (e env) status(t *testing.T, id uuid.UUID) (status seating.Status) {
	t.Helper()
	if err := e.pool.QueryRow(context.Background(), "SELECT status FROM bookings WHERE id = $1", id).Scan(&status); err != nil {
		t.Fatal(err)
	}
	return status
}

// actor is the role recorded by the last entry about a booking.
func (e env) actor(t *testing.T, id uuid.UUID) (actor seating.ActorRole) {
	t.Helper()
	err := e.pool.QueryRow(context.Background(),
		"SELECT actor FROM ledger WHERE booking_id = $1 ORDER BY version DESC LIMIT 1", id).Scan(&actor)
	if err != nil {
		t.Fatal(err)
	}
	return actor
}

// wantFields fails the test unless err is a validation error of these fields.
func wantFields(t *testing.T, err error, pointers ...string) {
	t.Helper()
	wantFault(t, err, fault.ValidationFailed)
	var got []string
	if f := fault.Of(err); f != nil {
		for _, field := range f.Fields {
			got = append(got, field.Pointer)
		}
	}
	if !slices.Equal(got, pointers) {
		t.Errorf("points at %v, want %v", got, pointers)
	}
}

// actors are those who may act on an attendee's booking, by the role that is recorded.
func (e env) actors(t *testing.T, owner access.Caller, event db.Event) map[seating.ActorRole]access.Caller {
	t.Helper()
	return map[seating.ActorRole]access.Caller{
		seating.ActorAttendee: owner, seating.ActorOrganizer: organizerOf(event),
		seating.ActorAdmin: testkit.User(t, e.pool, access.Admin),
	}
}

// strangers are users for whom the booking does not exist.
func (e env) strangers(t *testing.T) []access.Caller {
	t.Helper()
	return []access.Caller{e.attendee(t), testkit.User(t, e.pool, access.Organizer)}
}
