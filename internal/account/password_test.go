package account

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"eventbooking/internal/fault"
)

func TestPasswordMatchesItsHash(t *testing.T) {
	t.Parallel()
	stored := HashPassword("correct horse")
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s is not what the design asks for", stored)
	}
	if again := HashPassword("correct horse"); again == stored {
		t.Error("two users with one password have one hash")
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if got, err := matches(stored, password); err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
}

// Made by the reference implementation with other costs: what was stored stays
// good when ours change.
//
//	echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
func TestPasswordMatchesAnothersHash(t *testing.T) {
	t.Parallel()
	const stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if got, err := matches(stored, "password"); err != nil || !got {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNobodysPassword(t *testing.T) {
	t.Parallel()
	// It must be a whole hash of the same cost, or the answer would come sooner.
	if !strings.HasPrefix(nobodysPassword, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s costs something else", nobodysPassword)
	}
	if got, err := matches(nobodysPassword, ""); err != nil || got {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDamagedHashLetsNobodyIn(t *testing.T) {
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

// No more than a bounded number hash at once, and who would wait too long is
// told so; nobody keeps a turn.
func TestPasswordsTakeTurns(t *testing.T) {
	t.Parallel()
	p := &passwords{turns: make(chan struct{}, 1), patience: time.Millisecond}
	ctx := t.Context()
	if err := p.begin(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := p.hash(ctx, "password"); !errors.Is(err, fault.Overloaded) || fault.Of(err).RetryAfter == 0 {
		t.Errorf("got %v, want overloaded with the time to come again", err)
	}
	p.patience = time.Hour
	left, leave := context.WithCancel(ctx)
	leave()
	if _, err := p.matches(left, nobodysPassword, "password"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
	late, end := context.WithDeadline(ctx, time.Now())
	defer end()
	if _, err := p.matches(late, nobodysPassword, "password"); !errors.Is(err, fault.Overloaded) {
		t.Errorf("got %v, want overloaded: the request's time was over before its turn came", err)
	}
	p.end()
	if _, err := p.matches(ctx, "damaged", "password"); err == nil {
		t.Error("a damaged hash is no error")
	}
	if _, err := p.hash(ctx, "password"); err != nil {
		t.Errorf("a turn was kept: %v", err)
	}
}
