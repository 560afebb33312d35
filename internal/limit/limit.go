// Package limit bounds how many requests somebody makes in some time. It decides by
// GCRA, the generic cell rate algorithm (ITU-T I.371, annex A), which keeps one instant
// for each key: when its allowance will be full again.
package limit

import (
	"fmt"
	"math"
	"time"
)

// Class is a sort of request with an allowance of its own.
type Class string

// Rate is an allowance: Quota requests at once, which come back evenly within Window.
type Rate struct {
	Quota  int
	Window time.Duration
}

// Key is whose allowance it is: a class, and who asks.
type Key struct {
	Class Class
	Who   string
}

// Decision is what became of a request.
type Decision struct {
	Allowed bool
	// Remaining is how many more requests would be allowed now.
	Remaining int
	// FullIn is the time until the whole quota is there again.
	FullIn time.Duration
	// RetryIn is the time until a request is allowed, for one that was not.
	RetryIn time.Duration
}

// Store keeps the allowances of all keys. Memory keeps them in this process.
type Store interface {
	// Take takes one request from a key's allowance, if there is one left.
	Take(key Key, rate Rate, now time.Time) Decision
}

// interval is the time in which one request comes back.
func (r Rate) interval() time.Duration { return max(r.Window/time.Duration(r.Quota), 1) }

// take decides a request of somebody whose allowance is full at an instant, and returns
// the instant after the request. A refused request takes nothing.
func (r Rate) take(full, now time.Time) (time.Time, Decision) {
	if full.Before(now) {
		full = now
	}
	after := full.Add(r.interval())
	if excess := after.Sub(now) - r.Window; excess > 0 {
		return full, Decision{FullIn: full.Sub(now), RetryIn: excess}
	}
	return after, Decision{Allowed: true, Remaining: int((r.Window - after.Sub(now)) / r.interval()), FullIn: after.Sub(now)}
}

// String is the rate as ParseRate reads it, such as 300/1m0s.
func (r Rate) String() string { return fmt.Sprintf("%d/%s", r.Quota, r.Window) }

// Policy is the rate in the form of a RateLimit-Policy field
// (draft-ietf-httpapi-ratelimit-headers-11, section 3).
func (r Rate) Policy(class Class) string {
	return fmt.Sprintf("%q;q=%d;w=%d", string(class), r.Quota, seconds(r.Window))
}

// Field is a decision in the form of a RateLimit field (the same draft, section 4).
func (d Decision) Field(class Class) string {
	t := d.FullIn
	if d.RetryIn > 0 {
		t = d.RetryIn
	}
	return fmt.Sprintf("%q;r=%d;t=%d", string(class), d.Remaining, seconds(t))
}

// seconds rounds up: a client that waits so long has waited long enough.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
