//go:build unix

package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/account"
	"eventbooking/internal/proof/lab"
)

// Load is customers who act at the same time. Whoever is not sure what became of
// a command sends it again until they are.
type Load struct {
	workers  []*worker
	receipts *Receipts

	mu    sync.Mutex
	tally Tally
	next  []chan time.Duration
}

// worker is a customer with the command that is not settled yet, if there is one.
type worker struct {
	*Customer
	open *Command
	// unknown: an earlier try may have had its effect.
	unknown bool
	// acknowledged counts effects. Of the keys, those are true whose effect was
	// acknowledged, and those false that were refused.
	acknowledged int
	keys         map[string]bool
}

// Tally counts what the customers were told.
type Tally struct {
	// Acknowledged are effects of commands with keys, Refused what promises to have
	// had none.
	Acknowledged, Refused int
	// Unknown are the commands that the service was not sure of, Happened those of
	// them that turned out to have had their effect.
	Unknown, Happened int
	// Slowest is the longest that anybody waited for an answer.
	Slowest time.Duration
}

// New is a load of so many customers, with a fixture whose seats do not suffice.
func New(ctx context.Context, organizer *lab.Client, databaseURL string, customers int, seed uint64) (*Load, error) {
	people, err := lab.People(ctx, databaseURL, customers, account.Attendee)
	if err != nil {
		return nil, err
	}
	fixture, err := Publish(ctx, organizer, Scarce(customers))
	if err != nil {
		return nil, err
	}
	l := &Load{receipts: &Receipts{}}
	for i, p := range people {
		c := fixture.Customer(p, rand.New(rand.NewPCG(seed, uint64(i))))
		l.workers = append(l.workers, &worker{Customer: c, keys: map[string]bool{}})
	}
	return l, nil
}

// Scarce is a capacity at which some of so many customers always wait.
func Scarce(customers int) int { return max(2, customers/6) }

// Detach makes the last few customers a load of their own.
func (l *Load) Detach(n int) *Load {
	at := len(l.workers) - n
	few := &Load{workers: l.workers[at:], receipts: l.receipts}
	l.workers = l.workers[:at]
	return few
}

// act lets a customer send the next command, or the last one again, if nobody
// knew what became of it. An error is a broken promise.
func (l *Load) act(ctx context.Context, w *worker) (refused bool, err error) {
	if w.open == nil {
		command := w.Next()
		w.open, w.unknown = &command, false
	}
	command := *w.open
	answer := command.Send(ctx)
	switch {
	case answer.Err != nil:
		return false, fmt.Errorf("%s: no answer: %w", command, answer.Err)
	case answer.Problem().Code == "outcome_unknown":
		first := !w.unknown
		w.unknown = true
		l.note(answer, func(t *Tally) { t.Unknown += count(first) })
		return true, nil
	case answer.Untouched():
		if !w.unknown {
			w.open = nil
		}
		l.note(answer, func(t *Tally) { t.Refused++ })
		return true, nil
	case answer.Status >= http.StatusInternalServerError:
		return false, fmt.Errorf("%s: %d %s", command, answer.Status, answer.Body)
	case answer.Replayed() && !w.unknown:
		return false, fmt.Errorf("%s had its effect, and was answered that it had none", command)
	}
	return false, l.settle(ctx, w, answer)
}

// settle takes note of a definite answer.
func (l *Load) settle(ctx context.Context, w *worker, answer lab.Answer) error {
	// Without a key it is not said that something was changed.
	command := *w.open
	done := command.Key != "" && answer.Status < http.StatusMultipleChoices
	w.open = nil
	if command.Key != "" {
		w.keys[command.Key] = done
	}
	w.acknowledged += count(done)
	l.note(answer, func(t *Tally) {
		t.Acknowledged += count(done)
		t.Refused += count(answer.Status >= http.StatusBadRequest)
		t.Happened += count(w.unknown && answer.Replayed())
	})
	return errors.Join(l.receipts.Add(command, answer), w.Learn(ctx, command, answer))
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Each lets everybody act once, at the same time.
func (l *Load) Each(ctx context.Context) error {
	return l.all(ctx, func(w *worker) error {
		_, err := l.act(ctx, w)
		return err
	})
}

// refusedPause is how long a customer waits who was refused because the service
// was not ready.
const refusedPause = 20 * time.Millisecond

// Run lets everybody act until the end.
func (l *Load) Run(ctx context.Context, end <-chan struct{}) error {
	return l.all(ctx, func(w *worker) error {
		for {
			refused, err := l.act(ctx, w)
			if err != nil {
				return err
			}
			pause := time.Duration(0)
			if refused {
				pause = refusedPause
			}
			select {
			case <-end:
				return nil
			case <-time.After(pause):
			}
		}
	})
}

// Settle lets those send their commands again who are not sure, until everybody is.
func (l *Load) Settle(ctx context.Context, within time.Duration) error {
	return l.until(ctx, within, func(w *worker) bool { return w.open == nil })
}

// Served lets everybody act until each has had an effect acknowledged.
func (l *Load) Served(ctx context.Context, within time.Duration) error {
	before := make(map[*worker]int, len(l.workers))
	for _, w := range l.workers {
		before[w] = w.acknowledged
	}
	return l.until(ctx, within, func(w *worker) bool { return w.acknowledged > before[w] })
}

func (l *Load) until(ctx context.Context, within time.Duration, done func(*worker) bool) error {
	return l.all(ctx, func(w *worker) error {
		var broken error
		err := lab.Await(ctx, within, func(ctx context.Context) error {
			if !done(w) && broken == nil {
				_, broken = l.act(ctx, w)
			}
			if !done(w) && broken == nil {
				return fmt.Errorf("%s has no answer to %v", w.id, w.open)
			}
			return nil
		})
		return errors.Join(broken, err)
	})
}

// all lets everybody do something at the same time. Whatever goes wrong is a
// broken promise, unless it is the experiment that ends.
func (l *Load) all(ctx context.Context, do func(*worker) error) error {
	var group sync.WaitGroup
	errs := make([]error, len(l.workers))
	for i, w := range l.workers {
		group.Go(func() { errs[i] = do(w) })
	}
	group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return lab.Broken(errors.Join(errs...))
}

// Tally is the count so far.
func (l *Load) Tally() Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tally
}

// Next tells when, on the lab's clock, the next acknowledgement comes.
func (l *Load) Next() <-chan time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := make(chan time.Duration, 1)
	l.next = append(l.next, told)
	return told
}

func (l *Load) note(answer lab.Answer, count func(*Tally)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.tally.Acknowledged
	count(&l.tally)
	l.tally.Slowest = max(l.tally.Slowest, answer.Returned-answer.Called)
	if l.tally.Acknowledged > before {
		for _, told := range l.next {
			told <- answer.Returned
		}
		l.next = nil
	}
}

// answerBound is how long an answer may take at most: the deadline of a request,
// and, for what the desk took just before it, that of its batch and of COMMIT.
const answerBound = 22 * time.Second

// Check compares what everybody was told, also those who were detached, with what
// the database has. Nobody may be unsure, and nobody may have waited too long.
func (l *Load) Check(ctx context.Context, in *lab.Lab, databaseURL string) error {
	ids, told := make([]uuid.UUID, len(l.workers)), map[string]bool{}
	for i, w := range l.workers {
		if w.open != nil {
			return fmt.Errorf("%s is not sure about %s", w.id, w.open)
		}
		ids[i] = w.id
		for key, done := range w.keys {
			told[key] = done
		}
	}
	stored, err := readKeys(ctx, databaseURL, ids, told)
	if err != nil {
		return fmt.Errorf("read the idempotency keys: %w", err)
	}
	file := filepath.Join(in.Dir(), "load-findings.txt")
	if err := Compare(ctx, databaseURL, file, l.receipts, compareKeys(told, stored)...); err != nil {
		return err
	}
	if slowest := l.Tally().Slowest; slowest > answerBound {
		return lab.Broken(fmt.Errorf("an answer took %s", slowest))
	}
	return nil
}

// readKeys are the keys that the database has of some users, and of those told.
func readKeys(ctx context.Context, databaseURL string, users []uuid.UUID, told map[string]bool) (map[string]bool, error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	var keys []string
	for key := range told {
		keys = append(keys, key)
	}
	rows, _ := conn.Query(ctx, "SELECT key FROM idempotency_keys WHERE user_id = ANY($1) OR key = ANY($2)", users, keys)
	stored := map[string]bool{}
	var key string
	_, err = pgx.ForEachRow(rows, []any{&key}, func() error {
		stored[key] = true
		return nil
	})
	return stored, err
}

// compareKeys finds the answers that were given and are not stored, and those that
// are stored and were never given. Told are true if their effect was acknowledged.
func compareKeys(told, stored map[string]bool) (found []string) {
	for key, done := range told {
		if done && !stored[key] {
			found = append(found, fmt.Sprintf("lost: the answer to the key %s was given and is not stored", key))
		}
	}
	for key := range stored {
		if _, known := told[key]; !known {
			found = append(found, fmt.Sprintf("unaccounted: the key %s has an answer that nobody got: a refused command had an effect", key))
		}
	}
	return found
}
