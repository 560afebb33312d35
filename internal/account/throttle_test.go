//go:build unix

package account_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

// newDelayed is newEnv with delays after wrong passwords.
func newDelayed(t *testing.T) *env {
	t.Helper()
	h := &env{pool: testkit.Database(t)}
	h.Service = h.another()
	return h
}

// another is another process on the same database.
func (h *env) another() *account.Service {
	return account.New(h.pool, account.Options{LoginDelays: true})
}

// from is the context of a request from an address.
func from(t *testing.T, address string) context.Context {
	return access.WithAddress(t.Context(), address)
}

// guess logs in with a password until it is looked at or refused.
func guess(ctx context.Context, s *account.Service, email, password string) error {
	for {
		_, err := s.LogIn(ctx, account.Credentials{Email: email, Password: password})
		if !errors.Is(err, fault.Overloaded) { // a few of one address are hashed at once
			return err
		}
	}
}

// 200 guesses at once, by two processes, are 200 guesses: five are looked at.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	h := newDelayed(t)
	h.join(t, "busy@test.com")
	for _, email := range []string{"busy@test.com", "nobody@test.com"} {
		services := []*account.Service{h.Service, h.another()}
		var wrong, throttled atomic.Int32
		together(200, func(i int) {
			switch err := guess(from(t, "10.0.0.1"), services[i%2], email, "guess"); {
			case errors.Is(err, fault.InvalidCredentials):
				wrong.Add(1)
			case errors.Is(err, fault.LoginThrottled) && fault.Of(err).RetryAfter > 0:
				throttled.Add(1)
			default:
				t.Errorf("got %v", err)
			}
		})
		// On a slow machine the delays of one and two seconds pass meanwhile.
		if wrong.Load() < 5 || wrong.Load() > 10 || wrong.Load()+throttled.Load() != 200 {
			t.Errorf("%s: %d were looked at, %d refused", email, wrong.Load(), throttled.Load())
		}
	}
	h.exec(t, "UPDATE login_delays SET next_at = now() + interval '1 minute'")
	isFault(t, guess(from(t, "10.0.0.1"), h.another(), "BUSY@test.com", password), fault.LoginThrottled) // also the right one, after a restart
	must(t, guess(from(t, "10.0.0.2"), h.Service, "busy@test.com", password))
	if n := h.count(t, "SELECT count(*) FROM login_delays WHERE forgotten_at > now()"); n != 4 {
		t.Errorf("%d delays are left, want the other address, what it did to this account, and the two of nobody", n)
	}
}

// Others who keep guessing delay the owner once, for ten seconds at most.
func TestTheOwnerIsNotLockedOut(t *testing.T) {
	t.Parallel()
	h := newDelayed(t)
	h.join(t, "busy@test.com")
	for i := range 25 {
		err := guess(from(t, fmt.Sprintf("10.0.1.%d", i)), h.Service, "busy@test.com", "guess")
		if i < 20 {
			isFault(t, err, fault.InvalidCredentials)
		} else {
			isFault(t, err, fault.LoginThrottled)
		}
	}
	owner := from(t, "10.0.0.1")
	err := guess(owner, h.Service, "busy@test.com", password)
	isFault(t, err, fault.LoginThrottled)
	if wait := fault.Of(err).RetryAfter; wait <= 0 || wait > 11*time.Second {
		t.Errorf("waits %s", wait)
	}
	// The time passes, and others go on guessing.
	h.exec(t, "UPDATE login_delays SET next_at = now()")
	for i := range 25 {
		_ = guess(from(t, fmt.Sprintf("10.0.1.%d", i)), h.Service, "busy@test.com", "guess")
	}
	must(t, guess(owner, h.Service, "busy@test.com", password))
}

func TestOneAddressIsDelayedForAllAccounts(t *testing.T) {
	t.Parallel()
	h := newDelayed(t)
	ctx := from(t, "2001:db8::/64")
	for i := range 60 {
		isFault(t, guess(ctx, h.Service, address(i), "guess"), fault.InvalidCredentials)
	}
	isFault(t, guess(ctx, h.Service, "another@test.com", "guess"), fault.LoginThrottled)
	isFault(t, guess(from(t, "2001:db8:0:1::/64"), h.Service, "another@test.com", "guess"), fault.InvalidCredentials)
	if n := h.count(t, "SELECT count(*) FROM login_delays"); n != 60*2+1+3 {
		t.Errorf("%d rows: a refused attempt makes none", n)
	}
}

// Each way in which a password is asked for counts.
func TestWrongCurrentPasswordsCount(t *testing.T) {
	t.Parallel()
	h := newDelayed(t)
	_, caller := h.join(t, "busy@test.com")
	ctx := from(t, "10.0.0.1")
	wrong := "guess"
	asks := map[string]func() error{
		"login":    func() error { return guess(ctx, h.Service, "busy@test.com", wrong) },
		"deletion": func() error { return h.DeleteMe(ctx, caller, wrong) },
		"password": func() error { return h.ChangePassword(ctx, caller, wrong, "battery staple") },
		"profile": func() error {
			_, err := h.UpdateMe(ctx, caller, account.Profile{Email: to("new@test.com"), CurrentPassword: &wrong})
			return err
		},
		"token": func() error {
			_, err := h.CreateToken(ctx, caller, account.TokenRequest{Name: "T", Abilities: []string{"*"}, CurrentPassword: &wrong})
			return err
		},
	}
	for name, ask := range asks {
		if err := ask(); errors.Is(err, fault.LoginThrottled) || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.exec(t, "UPDATE login_delays SET next_at = next_at + interval '1 minute'")
	wrong = password
	for name, ask := range asks {
		if err := ask(); !errors.Is(err, fault.LoginThrottled) {
			t.Errorf("%s: %v, want a delay also for the right password", name, err)
		}
	}
}

// What was not looked at, because too much was being hashed, is no guess.
func TestAnOverloadedServiceDelaysNobody(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for a hash that is not computed")
	t.Parallel()
	h := newDelayed(t)
	h.join(t, "busy@test.com")
	defer h.OccupyHasher()()
	_, err := h.LogIn(from(t, "10.0.0.1"), account.Credentials{Email: "busy@test.com", Password: password})
	isFault(t, err, fault.Overloaded)
	if n := h.count(t, "SELECT count(*) FROM login_delays"); n == 0 {
		t.Error("it was not counted before it was to be hashed")
	}
	if n := h.count(t, "SELECT count(*) FROM login_delays WHERE forgotten_at > now() + interval '2 seconds'"); n != 0 {
		t.Errorf("%d delays are left", n)
	}
}

func TestOldDelaysAreDeletedAndTheirNumberIsBounded(t *testing.T) {
	t.Parallel()
	h := newDelayed(t)
	h.exec(t, `INSERT INTO login_delays (key, forgotten_at, next_at)
		SELECT sha256(n::text::bytea), now() + n * interval '1 second' - interval '1000 seconds', now() FROM generate_series(1, 106000) n`)
	pages := 1
	for more := true; more; pages++ {
		var err error
		more, err = account.DeleteOldDelays(t.Context(), h.pool)
		must(t, err)
	}
	if n := h.count(t, "SELECT count(*) FROM login_delays"); n != 100_000 || pages > 4 {
		t.Errorf("%d rows after %d pages", n, pages)
	}
	if n := h.count(t, "SELECT count(*) FROM login_delays WHERE forgotten_at > now() + interval '104000 seconds'"); n < 900 {
		t.Errorf("%d of the 1000 that last longest are left", n)
	}
}

// The table tells nobody who tried what.
func TestDelaysNameNobody(t *testing.T) {
	t.Parallel()
	h := newDelayed(t)
	isFault(t, guess(from(t, "10.0.0.1"), h.Service, "nobody@test.com", "guess"), fault.InvalidCredentials)
	for _, text := range []string{"nobody@test.com", "10.0.0.1", "account\x00nobody@test.com", "address\x0010.0.0.1"} {
		if n := h.count(t, "SELECT count(*) FROM login_delays WHERE key = sha256($1) OR position($1 IN key) > 0", []byte(text)); n != 0 {
			t.Errorf("%q is found", text)
		}
	}
}
