package desk

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// ErrFailing is returned for an internal command that fails each time: by itself when it
// failed now, or when it rests and was not tried. The desk has logged it. Whoever gets
// it leaves the command to the ticker, which submits it again.
var ErrFailing = errors.New("this command fails again and again")

// failing remembers the internal commands that fail each time, because the database
// refuses what they decide, or because they panic. Nobody waits for their answers, and
// jobs and the ticker submit them again and again: without a memory each try would split
// its batch and log an error, and many of them would keep the others from their turn.
type failing struct {
	log *slog.Logger
	mu  sync.Mutex
	of  map[subject]*failure
}

// subject is what fails: a kind of command about a slot or, if it names one, a booking.
type subject struct {
	command           string
	slotID, bookingID uuid.UUID
}

// failure is how often a command has failed in a row, and until when it rests.
type failure struct {
	times    int
	until    time.Time
	isLogged bool
}

const (
	// restFirst is how long a command rests after its first failure; then twice as
	// long each time, up to restLast. If it only lost against others, or ran out of
	// time, it rests for slowFirst up to slowLast.
	restFirst, restLast = 10 * time.Second, 5 * time.Minute
	slowFirst, slowLast = 500 * time.Millisecond, 10 * time.Second
	// failingSize is how many failing commands are remembered.
	failingSize = 10_000
	// forgetAfter is when a command is forgotten that nobody has submitted again.
	forgetAfter = 10 * time.Minute
	// slowTimes is how often in a row that must happen to be logged. It happens to all
	// commands when the database is busy.
	slowTimes = 5
)

func newFailing(log *slog.Logger) *failing {
	return &failing{log: log, of: map[subject]*failure{}}
}

func subjectOf(p *pending) subject {
	s := subject{command: kindOf(p.Command), slotID: p.needs.Slots[0]}
	if len(p.needs.Bookings) > 0 {
		s.bookingID = p.needs.Bookings[0]
	}
	return s
}

func kindOf(c seating.Command) string { return fmt.Sprintf("%T", c) }

// isAway says whether an error is the database's and says nothing of the command.
func isAway(err error) bool {
	return errors.Is(err, fault.DatabaseUnavailable) || errors.Is(err, fault.OutcomeUnknown) || errors.Is(err, fault.ShuttingDown)
}

// isSlow says whether an error comes from others, who were first or kept the database
// busy.
func isSlow(err error) bool {
	return errors.Is(err, fault.Contention) || errors.Is(err, fault.Overloaded)
}

// note notes that a command has failed. It logs that once: the first time or, if it was
// only slow, when that has happened often.
func (f *failing) note(s subject, err error, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.of[s]
	if known == nil || known.isOld(now) {
		if len(f.of) >= failingSize {
			f.forgetOld(now) // only then: it looks at all
		}
		if len(f.of) >= failingSize {
			return
		}
		known = &failure{}
		f.of[s] = known
	}
	first, last := restFirst, restLast
	if isSlow(err) {
		first, last = slowFirst, slowLast
	}
	known.until = now.Add(min(first<<min(known.times, 10), last))
	known.times++
	if !known.isLogged && (!isSlow(err) || known.times >= slowTimes) {
		known.isLogged = true
		f.log.Error("a command fails and will be tried again, less and less often",
			"command", s.command, "slot_id", s.slotID, "booking_id", s.bookingID, "error", err)
	}
}

// isOld says whether nobody has submitted the command again for long.
func (f *failure) isOld(now time.Time) bool { return now.Sub(f.until) > forgetAfter }

// forgetOld forgets commands that nobody submits any more: another process may have done
// what they were for.
func (f *failing) forgetOld(now time.Time) {
	for s, known := range f.of {
		if known.isOld(now) {
			delete(f.of, s)
		}
	}
}

// forget notes that a command works.
func (f *failing) forget(s subject) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.of, s)
}

// rests says whether a command is not to be tried yet.
func (f *failing) rests(s subject, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.of[s]
	return known != nil && now.Before(known.until)
}

// resting returns the slots in which a kind of command rests; never nil, which would be
// NULL to the database.
func (f *failing) resting(command string, now time.Time) []uuid.UUID {
	f.mu.Lock()
	defer f.mu.Unlock()
	slots := []uuid.UUID{}
	for s, known := range f.of {
		if s.command == command && now.Before(known.until) {
			slots = append(slots, s.slotID)
		}
	}
	return slots
}

// count returns how many commands fail.
func (f *failing) count(now time.Time) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgetOld(now)
	return len(f.of)
}

// Failing returns how many internal commands fail each time, in this process.
func (d *Desk) Failing() int { return d.failing.count(time.Now()) }

// Resting returns the slots in which such a command has failed and is not tried yet.
func (d *Desk) Resting(such seating.Command) []uuid.UUID {
	return d.failing.resting(kindOf(such), time.Now())
}
