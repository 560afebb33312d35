//go:build unix

package lab

import "errors"

// ErrBroken is in every error that says that a promise was broken, and in none
// that says that it could not be examined.
var ErrBroken = errors.New("a promise is broken")

// Broken marks an error as the breaking of a promise. Nil stays nil.
func Broken(err error) error {
	if err == nil {
		return nil
	}
	return broken{err}
}

type broken struct{ error }

func (b broken) Unwrap() []error { return []error{ErrBroken, b.error} }
