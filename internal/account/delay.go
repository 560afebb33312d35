package account

import (
	"math"
	"time"
)

// delay is what is remembered of wrong passwords about one thing: an account, an address,
// or an account that is tried from one address.
type delay struct {
	// forgottenAt is when all failures are forgotten: each moves it on by pace.forget.
	forgottenAt time.Time
	// nextAt is when the next attempt may be made; nil if there was none yet.
	nextAt *time.Time
}

// pace says how failures delay the next attempt: not until there are as many as free, then
// by a second, and by twice as long with each further one, up to most.
type pace struct {
	free   int
	most   time.Duration
	forget time.Duration // after this time, one failure is forgotten
}

// The paces. A person who mistypes waits a few seconds at worst, and so does the owner of
// an account that others try: the long delays are for one address at one account. Behind
// one address may be a school.
var (
	pacePair    = pace{free: 5, most: 15 * time.Minute, forget: 15 * time.Minute}
	paceAccount = pace{free: 20, most: 10 * time.Second, forget: time.Minute}
	paceAddress = pace{free: 60, most: time.Minute, forget: time.Minute}
)

// keepAsked is how long it is remembered that somebody has asked and was told to wait.
const keepAsked = time.Minute

// failures is how many failures are remembered at a time.
func (p pace) failures(d delay, now time.Time) int {
	return max(0, int(math.Round(float64(d.forgottenAt.Sub(now))/float64(p.forget))))
}

// after is how long the next attempt has to wait after so many failures.
func (p pace) after(failures int) time.Duration {
	if failures < p.free {
		return 0
	}
	return min(time.Second<<min(failures-p.free, 30), p.most)
}

// add is the delay after further failures, or after some were taken back. More than delay
// the next attempt by most are not counted.
func (p pace) add(d delay, n int, now time.Time) delay {
	forgotten := d.forgottenAt
	if forgotten.Before(now) {
		forgotten = now
	}
	most := p.free
	for p.after(most) < p.most {
		most++
	}
	span := forgotten.Add(time.Duration(n) * p.forget).Sub(now)
	d.forgottenAt = now.Add(min(max(span, 0), time.Duration(most)*p.forget))
	d.nextAt = new(now.Add(p.after(p.failures(d, now))))
	return d
}

// attempt has the delays of an attempt to log in: of the account at the address, of the
// account, and of the address.
type attempt struct{ pair, account, address delay }

// begin decides whether an attempt may be made now, and counts it as a failure in advance,
// so that many at once are as many failures. Otherwise it returns how long to wait. isAsked
// says that the attempt that may not be made has changed a delay all the same.
//
// Failures at other addresses delay an attempt once, by paceAccount.most at most: whoever
// has asked before is let in at the time that they were told, whatever others do meanwhile.
// Otherwise somebody who keeps trying could lock the owner of an account out.
func (a *attempt) begin(now time.Time) (wait time.Duration, isAsked bool) {
	others := paceAccount.after(paceAccount.failures(a.account, now))
	if wait = max(a.pair.wait(now), a.address.wait(now)); wait > 0 {
		return wait, false
	}
	if a.pair.nextAt == nil && others > 0 {
		a.pair = delay{now.Add(others + keepAsked), new(now.Add(others))}
		return others, true
	}
	a.add(1, now)
	// The next one from here waits for the failures elsewhere as well.
	if next := now.Add(paceAccount.after(paceAccount.failures(a.account, now))); next.After(*a.pair.nextAt) {
		a.pair.nextAt = &next
	}
	return 0, false
}

// succeed forgets the failures of the account, also those elsewhere. The address has only
// its last one forgotten, or who has an account could try others for ever.
func (a *attempt) succeed(now time.Time) {
	a.pair, a.account = delay{now, &now}, delay{now, &now}
	a.address = paceAddress.add(a.address, -1, now)
	a.address.nextAt = &now
}

// giveBack forgets an attempt whose password was not looked at.
func (a *attempt) giveBack(now time.Time) {
	a.add(-1, now)
	a.pair.nextAt, a.account.nextAt, a.address.nextAt = &now, &now, &now
}

// add adds failures.
func (a *attempt) add(n int, now time.Time) {
	a.pair = pacePair.add(a.pair, n, now)
	a.account = paceAccount.add(a.account, n, now)
	a.address = paceAddress.add(a.address, n, now)
}

// wait is how long the next attempt has to wait.
func (d delay) wait(now time.Time) time.Duration {
	if d.nextAt == nil {
		return 0
	}
	return max(0, d.nextAt.Sub(now))
}
