package account

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

func TestPasswordMatchesItsHash(t *testing.T) {
	t.Parallel()
	stored := HashPassword("correct horse")
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s does not have the recommended costs", stored)
	}
	if again := HashPassword("correct horse"); again == stored {
		t.Error("two hashes of one password are equal")
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if got, err := matches(stored, password); err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
}

// Made by the reference implementation with other costs: stored hashes stay valid when
// ours change.
//
//	echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
func TestPasswordMatchesAHashWithOtherCosts(t *testing.T) {
	t.Parallel()
	const stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if got, err := matches(stored, "password"); err != nil || !got {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDummyHashCostsAsMuchAndMatchesNoPassword(t *testing.T) {
	t.Parallel()
	// With lower costs the response for an unknown address would come sooner.
	if !strings.HasPrefix(dummyHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s has other costs", dummyHash)
	}
	if got, err := matches(dummyHash, ""); err != nil || got {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDamagedHashMatchesNoPassword(t *testing.T) {
	t.Parallel()
	good := HashPassword("password")
	salt, hash := strings.Split(good, "$")[4], strings.Split(good, "$")[5]
	for _, stored := range []string{
		"", "password", "$2y$12$abc",
		strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "m=19456", "m=many", 1),
		strings.Replace(good, salt, "!", 1),
		strings.Replace(good, hash, "", 1),
		strings.Replace(good, hash, hash[:10], 1),
	} {
		if got, err := matches(stored, "password"); got || err == nil {
			t.Errorf("%s: %v, %v", stored, got, err)
		}
	}
}

// Who would wait too long gets fault.Overloaded, and every hash is released.
func TestHasherBoundsConcurrentHashes(t *testing.T) {
	t.Parallel()
	p := &hasher{running: make(chan struct{}, 1), timeout: time.Millisecond, asking: map[string]int{}}
	ctx := t.Context()
	release, err := p.acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.hash(ctx, "/password", "correct horse"); !errors.Is(err, fault.Overloaded) || fault.Of(err).RetryAfter == 0 {
		t.Errorf("got %v, want overloaded with Retry-After", err)
	}
	p.timeout = time.Hour
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := p.matches(cancelled, dummyHash, []string{"password"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
	late, end := context.WithDeadline(ctx, time.Now())
	defer end()
	if _, err := p.matches(late, dummyHash, []string{"password"}); !errors.Is(err, fault.Overloaded) {
		t.Errorf("got %v, want overloaded: the deadline passed while it waited", err)
	}
	release()
	if _, err := p.matches(ctx, "damaged", []string{"password"}); err == nil {
		t.Error("a damaged hash is no error")
	}
	if _, err := p.hash(ctx, "/password", "correct horse"); err != nil {
		t.Errorf("nothing was released: %v", err)
	}
}

// A flood from one address leaves the others their turns.
func TestAFloodFromOneAddressKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	h := newHasher()
	h.timeout = time.Minute
	for range cap(h.running) {
		h.running <- struct{}{} // every core is in use
	}
	flood := access.WithAddress(t.Context(), "10.0.0.1")
	var waiting sync.WaitGroup
	for i := range 200 {
		leave, err := h.enter(flood)
		if i >= maxAsking {
			if !errors.Is(err, fault.Overloaded) || fault.Of(err).RetryAfter == 0 {
				t.Fatalf("request %d: %v", i, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		waiting.Go(func() {
			defer leave()
			release, err := h.acquire(flood)
			if err != nil {
				t.Error(err)
				return
			}
			release()
		})
	}
	other := access.WithAddress(t.Context(), "10.0.0.2")
	leave, err := h.enter(other)
	if err != nil {
		t.Fatal(err)
	}
	for range cap(h.running) {
		<-h.running
	}
	if release, err := h.acquire(other); err != nil {
		t.Error(err)
	} else {
		release()
	}
	leave()
	waiting.Wait()
	if len(h.asking) != 0 {
		t.Errorf("%v are counted for ever", h.asking)
	}
}
