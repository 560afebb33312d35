// Package fault has the one type of error whose details callers of the API see. A
// fault has a code from the catalogue (catalogue.go); every other error is an internal
// error, of which callers learn no details. Faults are made where a rule refuses,
// returned unchanged, and rendered in one place (internal/server/problem.go).
package fault

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Error is a refusal of a request.
type Error struct {
	*Code

	// Detail explains this occurrence to the caller, in one sentence.
	Detail string
	// Fields are the invalid parts of the input, for validation errors.
	Fields []Field
	// Members are the problem's additional members, such as booking_id.
	Members Members
	// RetryAfter is how long the caller should wait before the next attempt; 0 leaves
	// that to the server.
	RetryAfter time.Duration
}

// Members are the additional members of a problem; nil means absent. The contract says
// which codes have which members (openapi.yaml, Problem).
type Members struct {
	BookingID   *uuid.UUID
	BookingIDs  []uuid.UUID
	Capacity    *int
	Checks      []Check
	ClosedAt    *time.Time
	Count       *int
	From, To    *string
	Held        *int
	Item        *int
	Items       []int
	Limit       *int
	OpensAt     *time.Time
	RetryAt     *time.Time
	Seats       *int
	SeatsTaken  *int
	SlotID      *uuid.UUID
	SlotVersion *int64
	// WaitlistOpen says whether the waitlist of a full slot accepts bookings.
	WaitlistOpen *bool
}

// Check is the result of a readiness check.
type Check struct {
	Name, Detail string
	Ready        bool
}

// Field is an invalid part of the input: either a JSON pointer into the body (RFC
// 6901), or the name of a parameter.
type Field struct {
	Pointer, Parameter string
	// Code is for programs. Detail is a predicate, such as "must be at least 1".
	Code, Detail string
}

// Error returns the code's name and the detail.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Name
	}
	return e.Name + ": " + e.Detail
}

// Is reports whether target has the same code, so that errors.Is(err, fault.SlotFull)
// works.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case *Error:
		return t.Code == e.Code
	case *Code:
		return t == e.Code
	}
	return false
}

// With returns a copy with the members of m added; those that are zero in m stay.
func (e *Error) With(m Members) *Error {
	c := *e
	to, from := reflect.ValueOf(&c.Members).Elem(), reflect.ValueOf(m)
	for i := range from.NumField() {
		if !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return &c
}

// After returns a copy with a RetryAfter.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.RetryAfter = wait
	return &c
}

// Of returns the fault in the chain of err, or nil. A bare code becomes a fault with
// its title as the detail.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var c *Code
	if errors.As(err, &c) {
		return c.New(c.Title + ".")
	}
	return nil
}

// Invalid returns a ValidationFailed for fields of a body.
func Invalid(fields ...Field) *Error {
	e := ValidationFailed.New("The body has values that this operation does not accept; see errors.")
	e.Fields = fields
	return e
}

// Count returns a number with its noun: "1 seat", "2 seats", "3 entries".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
