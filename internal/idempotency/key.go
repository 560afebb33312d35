// Package idempotency lets a request be sent again without having its effect
// again: the key, the effect and the answer are written in one transaction, and
// a repeat gets the same bytes (the IETF draft "The Idempotency-Key HTTP Header
// Field"). A key belongs to one user; every transaction that uses one holds the
// lock of that user's row, so two requests with one key follow each other.
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

// Kept is how long a key is remembered.
const Kept = 24 * time.Hour

// Key is what came in the Idempotency-Key header, with what it stands for.
type Key struct {
	UserID      uuid.UUID
	Value       string
	Fingerprint []byte
	// Refuse renders a refusal as the caller gets it, so that it can be stored.
	Refuse func(*fault.Error) Response
}

// Response is an answer as it went out, or goes out again.
type Response struct {
	Status   int
	Header   map[string]string
	Body     []byte
	Replayed bool
}

// Write sends the answer.
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

// Record keeps what visit, a generated response's Visit method, would send.
func Record(visit func(http.ResponseWriter) error) (Response, error) {
	rec := recorder{header: http.Header{}, status: http.StatusOK}
	if err := visit(&rec); err != nil {
		return Response{}, fmt.Errorf("render the answer: %w", err)
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

// Fingerprint tells requests apart: method, path, and the decoded request
// written out again, so that spacing and the order of members do not matter.
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

// Check compares the request with the one that the key came with first.
func (k *Key) Check(fingerprint []byte) error {
	if bytes.Equal(k.Fingerprint, fingerprint) {
		return nil
	}
	return fault.IdempotencyKeyReused.New("This Idempotency-Key came with another request before. Make a new key for a new effect.")
}

// Storable says whether the answer to a refused request is remembered: what the
// state of things decided is, what may be otherwise in a moment is not.
func Storable(err error) bool {
	f := fault.Of(err)
	return f != nil && f.Status == http.StatusConflict
}

type contextKey struct{}

// With puts the request's key where its handler finds it.
func With(ctx context.Context, k *Key) context.Context {
	return context.WithValue(ctx, contextKey{}, k)
}

// From is the request's key, or nil when it came without one.
func From(ctx context.Context) *Key {
	k, _ := ctx.Value(contextKey{}).(*Key)
	return k
}
