// Package fault is the one kind of error that the service tells its callers
// about. A fault has a code from the catalogue (see catalogue.go); everything
// else that goes wrong is an internal error, which nobody outside learns
// details of. Faults are made where a rule refuses, travel unchanged, and are
// rendered in one place (internal/server).
package fault

import (
	"errors"
	"maps"
	"time"
)

// Error is a refusal with its code, what to do about it, and what belongs to it.
type Error struct {
	*Code

	// Detail is for the caller: one sentence about this occurrence.
	Detail string
	// Fields are the places of the input that are wrong, for validation errors.
	Fields []Field
	// Extra are further members of the problem, such as booking_id.
	Extra map[string]any
	// RetryAfter, when not zero, tells when it is worth trying again.
	RetryAfter time.Duration
}

// Field is one wrong place of the input: a JSON pointer into the body (RFC 6901)
// or the name of a parameter, never both.
type Field struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
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

// With returns a copy that carries one more member of the problem.
func (e *Error) With(member string, value any) *Error {
	c := *e
	c.Extra = maps.Clone(e.Extra)
	if c.Extra == nil {
		c.Extra = map[string]any{}
	}
	c.Extra[member] = value
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
