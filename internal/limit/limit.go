// Package limit bounds how many requests somebody makes in some time. It decides by
// GCRA, the generic cell rate algorithm (ITU-T I.371, annex A), which keeps one instant
// for each key: when its allowance will be full again.
package limit

import (
	"fmt"
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
	// Left is how many requests are left of a key's allowance. It takes none.
	Left(key Key, rate Rate, now time.Time) int
}

// interval is the time in which one request comes back.
func (r Rate) interval() time.Duration { return max(r.Window/time.Duration(r.Quota), 1) }

// whole is the time in which the whole quota comes back: the window, or a little less,
// because intervals are whole nanoseconds.
func (r Rate) whole() time.Duration { return r.interval() * time.Duration(r.Quota) }

// missing is the time until an allowance is full that will be so at an instant. More than
// its whole is not missing: the instant is from before the clock was set back, or the
// rate was changed.
func (r Rate) missing(full, now time.Time) time.Duration {
	return min(max(full.Sub(now), 0), r.whole())
}

// left is how many requests there are while so much is missing.
func (r Rate) left(missing time.Duration) int { return int((r.whole() - missing) / r.interval()) }

// take decides a request of somebody whose allowance is full at an instant, and returns
// the instant after the request. A refused request takes nothing.
func (r Rate) take(full, now time.Time) (time.Time, Decision) {
	missing := r.missing(full, now)
	after := missing + r.interval()
	if excess := after - r.whole(); excess > 0 {
		return now.Add(missing), Decision{FullIn: missing, RetryIn: excess}
	}
	return now.Add(after), Decision{Allowed: true, Remaining: r.left(after), FullIn: after}
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

// Wait is the time until a refused request is allowed, in the whole seconds of
// Retry-After and of the RateLimit field, which must say the same.
func (d Decision) Wait() time.Duration { return time.Duration(seconds(d.RetryIn)) * time.Second }

// seconds rounds up: a client that waits so long has waited long enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
