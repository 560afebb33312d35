//go:build unix

package lab

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
)

// Person is a user with a token.
type Person struct {
	ID    uuid.UUID
	Token string
}

// People makes users in a role, each with a token for everything. It writes them
// past the service: a thousand registrations are a thousand slow hashes.
func People(ctx context.Context, databaseURL string, n int, role access.Role) ([]Person, error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	people, hashes, ids := make([]Person, n), make([][]byte, n), make([]uuid.UUID, n)
	for i := range people {
		secret := account.NewSecret()
		people[i] = Person{ID: uuid.Must(uuid.NewV7()), Token: string(secret)}
		ids[i], hashes[i] = people[i].ID, secret.Hash()
	}
	if _, err := conn.Exec(ctx, `
		INSERT INTO users (id, email, name, password_hash, role)
		SELECT id, id || '@test.com', 'Some One', '', $2 FROM unnest($1::uuid[]) AS id`, ids, string(role)); err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `
		INSERT INTO tokens (id, user_id, name, hash, abilities, expires_at)
		SELECT gen_random_uuid(), p.user_id, 'proof', p.hash, ARRAY['*'], now() + interval '7 days'
		FROM unnest($1::uuid[], $2::bytea[]) AS p (user_id, hash)`, ids, hashes)
	return people, err
}

// EventOptions are what the experiments want of an event; the rest is as the
// service has it.
type EventOptions struct {
	WaitlistMode  string `json:"waitlist_mode,omitempty"`
	WaitlistLimit *int   `json:"waitlist_limit,omitempty"`
	Fit           string `json:"fit,omitempty"`
	MaxPasses     *int   `json:"max_passes,omitempty"`
	OfferMinutes  *int   `json:"offer_minutes,omitempty"`
	HoldMinutes   *int   `json:"hold_minutes,omitempty"`
	// Null is any number.
	MaxSeatsPerBooking *int `json:"max_seats_per_booking"`
	MaxSeatsPerUser    *int `json:"max_seats_per_user"`
}

// SlotOptions are what the experiments want of a slot.
type SlotOptions struct {
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
	Capacity int       `json:"capacity"`
}

// Tomorrow is a slot from an hour of tomorrow on, two hours long: two whose hours
// differ by one overlap.
func Tomorrow(hour, capacity int) SlotOptions {
	starts := time.Now().UTC().Truncate(24 * time.Hour).Add(time.Duration(48+hour) * time.Hour)
	return SlotOptions{StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), Capacity: capacity}
}

// Publish lets an organizer make an event with slots, and publish it.
func (c *Client) Publish(ctx context.Context, event EventOptions, slots ...SlotOptions) ([]Slot, error) {
	var made struct {
		ID uuid.UUID `json:"id"`
	}
	body := struct {
		Title    string `json:"title"`
		TimeZone string `json:"time_zone"`
		EventOptions
	}{"Proof", "UTC", event}
	if err := c.Post(ctx, "/events", body).Want(http.StatusCreated, &made); err != nil {
		return nil, fmt.Errorf("create the event: %w", err)
	}
	all := make([]Slot, len(slots))
	for i, slot := range slots {
		if err := c.Post(ctx, "/events/"+made.ID.String()+"/slots", slot).Want(http.StatusCreated, &all[i]); err != nil {
			return nil, fmt.Errorf("create a slot: %w", err)
		}
	}
	if err := c.Post(ctx, "/events/"+made.ID.String()+"/publish", nil).Want(http.StatusOK, nil); err != nil {
		return nil, fmt.Errorf("publish the event: %w", err)
	}
	return all, nil
}
