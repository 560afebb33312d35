//go:build unix

// Package traffic is what people do to the service in the experiments, and what
// they were told: Customers choose commands, the answers are Receipts, and Audit
// compares the receipts with the books, which are the ledger and the bookings as
// the database has them.
package traffic

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
)

// Command is one request that changes something. It may be sent any number of
// times, and shall have one effect.
type Command struct {
	Name         string
	Method, Path string
	Body         map[string]any // nil sends none
	// Key is its idempotency key; without one it is by itself the same twice.
	Key string
	// Booking is the existing one that it is about, if there is one.
	Booking uuid.UUID

	by *lab.Client
}

// Post is a command with a key of its own.
func Post(by *lab.Client, name, path string, body map[string]any) Command {
	return Command{Name: name, Method: http.MethodPost, Path: path, Body: body, Key: uuid.NewString(), by: by}
}

// about says which booking a command is about.
func (c Command) about(id uuid.UUID) Command {
	c.Booking = id
	return c
}

// Send sends it once.
func (c Command) Send(ctx context.Context) lab.Answer {
	var body any
	if c.Body != nil {
		body = c.Body
	}
	if c.Key == "" {
		return c.by.Do(ctx, c.Method, c.Path, body)
	}
	return c.by.Do(ctx, c.Method, c.Path, body, lab.Key(c.Key))
}

// Bookings are those that an answer tells of: one, several of a bundle, or none.
func Bookings(a lab.Answer) ([]lab.Booking, error) {
	var body struct {
		lab.Booking
		Data []lab.Booking `json:"data"`
	}
	if a.Err != nil || a.Status >= http.StatusBadRequest {
		return nil, a.Err
	}
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return nil, err
	}
	switch {
	case len(body.Data) > 0:
		return body.Data, nil
	case body.SlotVersion > 0:
		return []lab.Booking{body.Booking}, nil
	}
	return nil, nil
}
