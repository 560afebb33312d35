//go:build unix

// Package load is what people do to the service in the experiments, and what they
// were told. Customers draw commands, which are sent until they are settled; the
// answers are Receipts, and Audit compares these with what is Stored, which is the
// ledger and the bookings as the database has them. Load is many customers at once,
// for experiments that break what the service stands on.
package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
)

// Command is one request that changes something. It may be sent any number of
// times, and shall have one effect.
type Command struct {
	Name         string
	Method, Path string
	Body         any // nil sends none
	// Key is its idempotency key; without one it is by itself the same twice.
	Key string
	// Booking is the existing one that it is about, if there is one.
	Booking uuid.UUID

	by *lab.Client
}

// Post is a command with a key of its own.
func Post(by *lab.Client, name, path string, body any) Command {
	return Command{Name: name, Method: http.MethodPost, Path: path, Body: body, Key: uuid.NewString(), by: by}
}

func (c Command) String() string {
	return fmt.Sprintf("%s: %s %s with key %q", c.Name, c.Method, c.Path, c.Key)
}

// Send sends it once.
func (c Command) Send(ctx context.Context) lab.Answer {
	if c.Key == "" {
		return c.by.Do(ctx, c.Method, c.Path, c.Body)
	}
	return c.by.Do(ctx, c.Method, c.Path, c.Body, lab.Key(c.Key))
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

// Succeeded says that every repetition of a command with a key gets this answer. A
// refused one may be decided otherwise the next time.
func Succeeded(a lab.Answer) bool { return a.Err == nil && a.Status < http.StatusMultipleChoices }
