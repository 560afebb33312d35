package account

import (
	"testing"
	"time"
)

// guesser is somebody who sends wrong passwords for one account.
type guesser struct {
	pair, address delay
	tried         int
	waited        time.Duration // the longest time at once
}

// try sends one at a time, which it moves on until it is looked at.
func (g *guesser) try(account *delay, now *time.Time) {
	for {
		a := attempt{g.pair, *account, g.address}
		wait, _ := a.begin(*now)
		g.pair, *account, g.address = a.pair, a.account, a.address
		if wait == 0 {
			g.tried++
			return
		}
		g.waited = max(g.waited, wait)
		*now = now.Add(wait)
	}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestWrongPasswordsDelayTheNextExponentially(t *testing.T) {
	t.Parallel()
	var g guesser
	account, now := delay{}, noon
	for i, want := range []time.Duration{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		before := now
		g.try(&account, &now)
		// Beyond its rate a failure is forgotten in the meantime.
		if got := now.Sub(before); got != want*time.Second {
			t.Errorf("attempt %d waits %s, want %d s", i+1, got, want)
		}
	}
	day := now.Add(24 * time.Hour)
	for g.tried = 0; now.Before(day); {
		g.try(&account, &now)
	}
	if g.tried > 150 {
		t.Errorf("%d guesses a day", g.tried)
	}
}

// However many guess from elsewhere, and whatever they do, the owner waits once.
func TestNobodyLocksTheOwnerOut(t *testing.T) {
	t.Parallel()
	account, now := delay{}, noon
	var owner attempt
	for range 1000 {
		var g guesser
		g.try(&account, &now)
	}
	owner.account = account
	wait, isAsked := owner.begin(now)
	if wait <= 0 || wait > paceAccount.most || !isAsked {
		t.Fatalf("waits %s", wait)
	}
	back := now.Add(wait)
	for now.Before(back) {
		var g guesser
		g.try(&account, &now)
	}
	owner.account = account
	if wait, _ := owner.begin(back); wait != 0 {
		t.Fatalf("waits %s more, though it came when it was told to", wait)
	}
	owner.succeed(back)
	var again attempt
	again.account = owner.account
	if wait, _ := again.begin(back); wait != 0 {
		t.Errorf("waits %s after a success", wait)
	}
}

// One who tries many accounts, each once, is delayed as well, but less: a school may be
// behind the address.
func TestAnAddressIsDelayed(t *testing.T) {
	t.Parallel()
	var g guesser
	now := noon
	for range 60 {
		g.pair = delay{}
		g.try(&delay{}, &now)
	}
	if now != noon {
		t.Fatalf("60 people who mistype once waited %s", now.Sub(noon))
	}
	for hour := now.Add(time.Hour); now.Before(hour); {
		g.pair = delay{}
		g.try(&delay{}, &now)
	}
	if g.tried > 60+80 || g.waited > time.Minute {
		t.Errorf("%d guesses in an hour, waits of %s", g.tried, g.waited)
	}
	// An account of one's own does not help.
	for hour := now.Add(time.Hour); now.Before(hour); {
		g.pair = delay{}
		g.try(&delay{}, &now)
		a := attempt{address: g.address}
		if wait, _ := a.begin(now); wait > 0 {
			now = now.Add(wait)
			a.begin(now)
		}
		a.succeed(now)
		g.address = a.address
	}
	if g.tried > 60+2*80 {
		t.Errorf("%d guesses in two hours", g.tried)
	}
}

func TestWhatWasNotLookedAtIsGivenBack(t *testing.T) {
	t.Parallel()
	var a attempt
	for range 100 {
		if wait, _ := a.begin(noon); wait != 0 {
			t.Fatalf("waits %s", wait)
		}
		a.giveBack(noon)
	}
}

// What is forgotten is forgotten bit by bit, and rows end.
func TestFailuresAreForgotten(t *testing.T) {
	t.Parallel()
	var a attempt
	for range 5 {
		a.begin(noon)
	}
	if wait, _ := a.begin(noon.Add(time.Second / 2)); wait != time.Second/2 {
		t.Errorf("waits %s", wait)
	}
	if wait, _ := a.begin(noon.Add(16 * time.Minute)); wait != 0 {
		t.Errorf("waits %s after 16 minutes", wait)
	}
	if end := a.pair.forgottenAt; end.Sub(noon) > 2*time.Hour {
		t.Errorf("is remembered until %s", end)
	}
}
