//go:build unix

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/proof/spec"
)

// epoch is where the clock of the lab begins.
var epoch = time.Now()

// Now is the lab's one clock: monotonic, the same for all clients.
func Now() time.Duration { return time.Since(epoch) }

// Client asks the service over HTTP, as one user. It may be used by many
// goroutines.
type Client struct {
	// bases are the processes of the service, asked one after the other.
	bases []string
	asked *atomic.Uint64
	token string
	http  *http.Client
}

// answerLimit bounds how long a client waits: longer than the service's own
// deadline for a request.
const answerLimit = 30 * time.Second

// Client is a client without a token. The connections of all who are made from
// it are shared.
func (s *Service) Client() *Client { return NewClient(s.URL()) }

// NewClient is a client of the service's processes at these URLs.
func NewClient(bases ...string) *Client {
	return &Client{bases: bases, asked: &atomic.Uint64{}, http: &http.Client{
		Timeout:   answerLimit,
		Transport: &http.Transport{MaxIdleConns: 2048, MaxIdleConnsPerHost: 2048, DisableCompression: true},
	}}
}

// Close ends the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// As is the same client as another user.
func (c *Client) As(p Person) *Client {
	other := *c
	other.token = p.Token
	return &other
}

func (c *Client) base() string {
	return c.bases[c.asked.Add(1)%uint64(len(c.bases))]
}

// Answer is what came back of a request, and when.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Called and Returned are the lab's clock before the request was sent and
	// after its answer was read.
	Called, Returned time.Duration
	// Err says that no answer came, or not all of it: nobody knows what became of it.
	Err error
}

// Header is a header of a request.
type Header struct{ Name, Value string }

// Key is an idempotency key.
func Key(value string) Header { return Header{"Idempotency-Key", value} }

// Do sends a request; a body is sent as JSON, nil sends none.
func (c *Client) Do(ctx context.Context, method, path string, body any, headers ...Header) Answer {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return Answer{Err: err}
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base()+"/api/v1"+path, reader)
	if err != nil {
		return Answer{Err: err}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, h := range headers {
		// A key says that a repetition is safe, and net/http would then repeat by itself,
		// unless the name is written as it does not know it. What was sent how often is
		// the experiment's own matter.
		r.Header[strings.ToLower(h.Name)] = []string{h.Value}
	}
	a := Answer{Called: Now()}
	response, err := c.http.Do(r)
	if err == nil {
		a.Status, a.Header = response.StatusCode, response.Header
		a.Body, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
	}
	a.Returned, a.Err = Now(), err
	return a
}

// Post and Get: see Do.
func (c *Client) Post(ctx context.Context, path string, body any, headers ...Header) Answer {
	return c.Do(ctx, http.MethodPost, path, body, headers...)
}

// Get: see Post.
func (c *Client) Get(ctx context.Context, path string) Answer {
	return c.Do(ctx, http.MethodGet, path, nil)
}

// Booking is what the experiments look at of one. What does not apply is zero.
type Booking struct {
	ID               uuid.UUID   `json:"id"`
	SlotID           uuid.UUID   `json:"slot_id"`
	EventID          uuid.UUID   `json:"event_id"`
	UserID           uuid.UUID   `json:"user_id"`
	Seats            int         `json:"seats"`
	SeatsMin         int         `json:"seats_min"`
	Status           spec.Status `json:"status"`
	WaitlistPosition int         `json:"waitlist_position"`
	Blocked          bool        `json:"blocked"`
	SlotVersion      int64       `json:"slot_version"`
}

// Slot is what the experiments look at of one.
type Slot struct {
	ID             uuid.UUID `json:"id"`
	EventID        uuid.UUID `json:"event_id"`
	StartsAt       time.Time `json:"starts_at"`
	Capacity       int       `json:"capacity"`
	SeatsTaken     int       `json:"seats_taken"`
	SeatsAvailable int       `json:"seats_available"`
	WaitlistLength int       `json:"waitlist_length"`
	Version        int64     `json:"version"`
	Revision       int       `json:"revision"`
}

// WaitlistPosition is what the experiments look at of one.
type WaitlistPosition struct {
	BookingID      uuid.UUID   `json:"booking_id"`
	Status         spec.Status `json:"status"`
	Blocked        bool        `json:"blocked"`
	Position       int         `json:"position"`
	BookingsAhead  int         `json:"bookings_ahead"`
	SeatsAhead     int         `json:"seats_ahead"`
	SeatsNeeded    int         `json:"seats_needed"`
	SeatsAvailable int         `json:"seats_available"`
	Passes         int         `json:"passes"`
	SlotVersion    int64       `json:"slot_version"`
}

// Problem is what the experiments look at of one.
type Problem struct {
	Code        spec.Code   `json:"code"`
	From        spec.Status `json:"from"`
	BookingID   uuid.UUID   `json:"booking_id"`
	Item        *int        `json:"item"`
	SlotVersion int64       `json:"slot_version"`
}

// Booking decodes the body.
func (a Answer) Booking() (b Booking, err error) { return b, a.Into(&b) }

// Problem decodes the body. It is the zero Problem for an answer that is none.
func (a Answer) Problem() (p Problem) {
	if a.Err == nil && a.Status >= http.StatusBadRequest {
		_ = json.Unmarshal(a.Body, &p)
	}
	return p
}

// Want decodes the body of an answer that must have a status.
func (a Answer) Want(status int, value any) error {
	switch {
	case a.Err != nil:
		return a.Err
	case a.Status != status:
		return fmt.Errorf("status %d, want %d: %s", a.Status, status, a.Body)
	case value == nil:
		return nil
	}
	return a.Into(value)
}

// Into decodes the body.
func (a Answer) Into(value any) error {
	if a.Err != nil {
		return a.Err
	}
	if err := json.Unmarshal(a.Body, value); err != nil {
		return fmt.Errorf("%w: %d %s", err, a.Status, a.Body)
	}
	return nil
}

// Replayed says that the request had its effect an earlier time.
func (a Answer) Replayed() bool { return a.Header.Get("Idempotent-Replayed") == "true" }

// Unknown says that nobody knows what became of the request: no answer came, or
// the service says so itself.
func (a Answer) Unknown() bool {
	return a.Err != nil || a.Problem().Code == "outcome_unknown" || a.Status == http.StatusInternalServerError
}

// Untouched says that the service promises that the request had no effect and
// may be sent again.
func (a Answer) Untouched() bool {
	return a.Status == http.StatusServiceUnavailable && !a.Unknown()
}
