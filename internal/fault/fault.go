// Package fault is the one kind of error that the service tells its callers
// about. A fault has a code from the catalogue (see catalogue.go); everything
// else that goes wrong is an internal error, which nobody outside learns
// details of. Faults are made where a rule refuses, travel unchanged, and are
// rendered in one place (internal/server).
package fault

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"
)

// Error is a refusal with its code, what to do about it, and what belongs to it.
type Error struct {
	*Code

	// Detail is for the caller: one sentence about this occurrence.
	Detail string
	// Fields are the places of the input that are wrong, for validation errors.
	Fields []Field
	// Members are what else the problem tells, such as booking_id.
	Members Members
	// RetryAfter, when not zero, tells when it is worth trying again.
	RetryAfter time.Duration
}

// Members are what a problem tells beside its text. Which codes have which
// members is in the contract (openapi.yaml, Problem); nil: it does not have this one.
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
	SeatsTaken  *int
	SlotID      *uuid.UUID
	SlotVersion *int64
	// WaitlistOpen says whether one may wait for a slot that is full.
	WaitlistOpen *bool
}

// Check is something that the service needs, and whether it is ready.
type Check struct {
	Name, Detail string
	Ready        bool
}

// Field is one wrong place of the input: a JSON pointer into the body (RFC 6901)
// or the name of a parameter, never both.
type Field struct {
	Pointer, Parameter string
	Code, Detail       string
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Name
	}
	return e.Name + ": " + e.Detail
}

// Is makes errors.Is(err, fault.SlotFull.New("")) and errors.Is(err, code) hold
// for every error of the same code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case *Error:
		return t.Code == e.Code
	case *Code:
		return t == e.Code
	}
	return false
}

// With returns a copy that carries further members; those that m leaves out stay.
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

// After returns a copy that asks the caller to wait before the next try.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.RetryAfter = wait
	return &c
}

// Of finds the fault in err, or nil.
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

// Invalid is the validation error for fields of a body.
func Invalid(fields ...Field) *Error {
	e := ValidationFailed.New("The body has values that this operation does not accept; see errors.")
	e.Fields = fields
	return e
}

// InvalidParameter is the validation error for one path, query or header parameter.
func InvalidParameter(name, code, detail string) *Error {
	e := InvalidParameters.New("A parameter has a value that this operation does not accept; see errors.")
	e.Fields = []Field{{Parameter: name, Code: code, Detail: detail}}
	return e
}

// Count says a number of things: "1 seat", "2 seats".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
