// Package idempotency makes requests with an Idempotency-Key repeatable: the
// effect happens once, and a repeat gets the first answer, byte for byte (the IETF
// draft "The Idempotency-Key HTTP Header Field").
//
// The key and the answer are written in the transaction of the effect, so a crash
// leaves all of them or none. A key belongs to one user, and a transaction that
// uses a key locks that user's row before it looks the key up. So of two requests
// with one key the second waits for the first, then finds its answer. The key's
// unique index would keep the effect single as well, but only by failing the
// second transaction after it has done its work. The usual alternative, a row
// "in progress" that is committed before the effect, would after a crash leave
// keys whose outcome nobody knows.
//
// Only successes are kept. A refusal had no effect that could happen twice, and time
// or others can lift almost every one: a key that was used too early must not be
// refused for a day.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Retention is how long a key is remembered at least.
const Retention = 24 * time.Hour

// Key is the Idempotency-Key of a request.
type Key struct {
	UserID uuid.UUID
	// Value is the header's value.
	Value string
	// Fingerprint identifies the request that the key came with.
	Fingerprint []byte
	// Quota is how many keys the user may use within Retention; 0 is any number.
	Quota int
}

// Response is an HTTP response that can be stored and sent again.
type Response struct {
	Status int
	Header map[string]string
	Body   []byte
	// Replayed means that it was sent before. Write then adds the header
	// Idempotent-Replayed.
	Replayed bool
}

// Write sends the response. Its error is that of writing the body.
func (r Response) Write(w http.ResponseWriter) error {
	for name, value := range r.Header {
		w.Header().Set(name, value)
	}
	if r.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(r.Status)
	_, err := w.Write(r.Body)
	return err
}

// Record returns what visit, the Visit method of a generated response, writes. Its
// error is that of visit.
func Record(visit func(http.ResponseWriter) error) (Response, error) {
	rec := recorder{header: http.Header{}, status: http.StatusOK}
	if err := visit(&rec); err != nil {
		return Response{}, fmt.Errorf("render the response: %w", err)
	}
	r := Response{Status: rec.status, Header: map[string]string{}, Body: rec.body.Bytes()}
	for name := range rec.header {
		r.Header[name] = rec.header.Get(name)
	}
	return r, nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// Fingerprint is a SHA-256 of method, path and the decoded request, written as JSON
// again, so that spacing and the order of members do not matter. It fails only if
// request cannot be written as JSON.
func Fingerprint(method, path string, request any) ([]byte, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("fingerprint of %s %s: %w", method, path, err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", method, path)
	h.Write(text)
	return h.Sum(nil), nil
}

// Check returns fault.IdempotencyKeyReused if the stored fingerprint is that of
// another request.
func (k *Key) Check(fingerprint []byte) error {
	if bytes.Equal(k.Fingerprint, fingerprint) {
		return nil
	}
	return fault.IdempotencyKeyReused.New("Another request with this Idempotency-Key has succeeded before. Use a new key for each request.")
}

// CheckQuota refuses a new key of a user who has used so many within Retention, first at a
// time.
func (k *Key) CheckQuota(used int, first time.Time) error {
	if k.Quota == 0 || used < k.Quota {
		return nil
	}
	return fault.QuotaExceeded.Newf("You have used %d idempotency keys within a day.", used).
		With(fault.Members{Limit: new(k.Quota), RetryAt: new(first.Add(Retention).UTC())})
}

type contextKey struct{}

// With returns a context that carries the request's key.
func With(ctx context.Context, k *Key) context.Context {
	return context.WithValue(ctx, contextKey{}, k)
}

// From is the request's key, or nil if it has none.
func From(ctx context.Context) *Key {
	k, _ := ctx.Value(contextKey{}).(*Key)
	return k
}
