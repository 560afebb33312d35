//go:build unix

package size

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/account"
	"eventbooking/internal/proof/lab"
)

// Landmarks are rows of a filled database that reads are about.
type Landmarks struct {
	// Many is the organizer of a hundredth of all events, Few of three, Hot of the event
	// with the hot slots. Regular is the attendee with a two-hundredth of the bookings.
	Many, Few, Hot, Regular, Admin, Waiter lab.Person

	// HotEvent has two slots: Queue, in which one waits per forty events, and Crowd, with
	// as many attendees as a hundredth of the events.
	HotEvent, Queue, Crowd uuid.UUID
	// Waiting is the booking of Waiter, in the middle of that queue, Seated one with a seat
	// that the queue waits for. Old is a past booking of Regular's.
	Waiting, Seated, Old uuid.UUID
	// Plain is a published event that comes next, PlainSlot its first slot.
	Plain, PlainSlot uuid.UUID
}

// The words of searches: in one title of four, in that of the last event, and in that
// of the first one.
const (
	FrequentWord = "workshop"
	LastWord     = "zeppelin"
	FirstWord    = "montgolfier"
)

// Find finds the landmarks, and gives their users tokens.
func Find(ctx context.Context, url string) (l Landmarks, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return l, err
	}
	defer closeConn(ctx, conn)
	for _, find := range []struct {
		sql  string
		into []any
	}{
		{"SELECT id FROM users WHERE email = 'person1@example.com'", []any{&l.Many.ID}},
		{"SELECT id FROM users WHERE email = 'person2@example.com'", []any{&l.Few.ID}},
		{"SELECT id FROM users WHERE role = 'admin'", []any{&l.Admin.ID}},
		{`SELECT s.event_id, s.id, e.organizer_id FROM slots s JOIN events e ON e.id = s.event_id
		  ORDER BY s.waitlist_length DESC LIMIT 1`, []any{&l.HotEvent, &l.Queue, &l.Hot.ID}},
		{"SELECT id FROM slots ORDER BY seats_taken DESC LIMIT 1", []any{&l.Crowd}},
		{"SELECT user_id FROM bookings GROUP BY user_id ORDER BY count(*) DESC LIMIT 1", []any{&l.Regular.ID}},
		{`SELECT e.id, s.id FROM events e JOIN slots s ON s.event_id = e.id
		  WHERE e.status = 'published' AND e.starts_at > now() + interval '1 day' AND s.status = 'open'
		  ORDER BY e.starts_at, e.id, s.starts_at LIMIT 1`, []any{&l.Plain, &l.PlainSlot}},
	} {
		if err := conn.QueryRow(ctx, find.sql).Scan(find.into...); err != nil {
			return l, fmt.Errorf("%w: %s", err, find.sql)
		}
	}
	if err := l.findBookings(ctx, conn); err != nil {
		return l, err
	}
	for _, p := range []*lab.Person{&l.Many, &l.Few, &l.Hot, &l.Regular, &l.Admin, &l.Waiter} {
		if p.Token, err = mint(ctx, conn, p.ID); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (l *Landmarks) findBookings(ctx context.Context, conn *pgx.Conn) error {
	if err := conn.QueryRow(ctx, `
		SELECT id, user_id FROM bookings WHERE slot_id = $1 AND status = 'waitlisted'
		ORDER BY queued_version OFFSET (SELECT waitlist_length / 2 FROM slots WHERE id = $1) LIMIT 1`, l.Queue).Scan(&l.Waiting, &l.Waiter.ID); err != nil {
		return fmt.Errorf("somebody who waits: %w", err)
	}
	if err := conn.QueryRow(ctx, "SELECT id FROM bookings WHERE slot_id = $1 AND status = 'confirmed' ORDER BY id LIMIT 1", l.Queue).Scan(&l.Seated); err != nil {
		return fmt.Errorf("who has the seats: %w", err)
	}
	if err := conn.QueryRow(ctx, "SELECT id FROM bookings WHERE user_id = $1 ORDER BY id LIMIT 1", l.Regular.ID).Scan(&l.Old); err != nil {
		return fmt.Errorf("an old booking: %w", err)
	}
	return nil
}

// tokenLife is longer than a measurement.
const tokenLife = 30 * 24 * time.Hour

// mint makes a token for everything.
func mint(ctx context.Context, conn *pgx.Conn, user uuid.UUID) (string, error) {
	secret := account.NewSecret()
	_, err := conn.Exec(ctx, `INSERT INTO tokens (id, user_id, name, hash, abilities, expires_at) VALUES ($1, $2, 'size', $3, ARRAY['*'], $4)`,
		uuid.Must(uuid.NewV7()), user, secret.Hash(), time.Now().Add(tokenLife))
	return string(secret), err
}
