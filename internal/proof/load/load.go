//go:build unix

package load

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
)

// Load is customers who act at the same time. Whoever does not know what became of
// a command sends it again until they do.
type Load struct {
	Options
	workers  []*worker
	receipts *Receipts

	mu    sync.Mutex
	tally Tally
}

// Options say who acts, and on what.
type Options struct {
	Organizer   *lab.Client
	DatabaseURL string
	// Workers act at the same time, as so many People; 0: one each.
	Workers, People int
	// Capacity is that of a slot; 0: so few seats that some people always wait.
	Capacity int
	Seed     uint64
	// Kills says that the service is killed on purpose: whoever gets no answer does
	// not know what became of the command. Otherwise everybody must be answered.
	Kills bool
}

// worker is a customer with the command that is not settled yet, if there is one.
type worker struct {
	*Customer
	open *Command
	// unknown: an earlier try may have had its effect. settled is the success that
	// was answered in the end, which every repetition must get.
	unknown bool
	settled *lab.Answer
	// acknowledged counts effects. Of the keys, those are true whose effect was
	// acknowledged, and those false that were refused.
	acknowledged int
	keys         map[string]bool
}

// Tally counts what the customers were told.
type Tally struct {
	// Sent are commands with an answer. Acknowledged are effects of commands with
	// keys, Refused what promises to have had none.
	Sent, Acknowledged, Refused int
	// Unknown are the commands of which nobody knew for a while what became of them,
	// Happened those of them that turned out to have had their effect.
	Unknown, Happened int
	// Slowest is the longest that anybody waited for an answer.
	Slowest time.Duration
}

// New makes the people of a load, and a fixture for them.
func New(ctx context.Context, o Options) (*Load, error) {
	o.People = cmp.Or(o.People, o.Workers)
	people, err := lab.People(ctx, o.DatabaseURL, o.People, access.Attendee)
	if err != nil {
		return nil, err
	}
	fixture, err := Publish(ctx, o.Organizer, cmp.Or(o.Capacity, max(2, o.Workers/6)))
	if err != nil {
		return nil, err
	}
	l := &Load{Options: o, receipts: &Receipts{}}
	for i := range o.Workers {
		c := fixture.Customer(people[i%o.People], rand.New(rand.NewPCG(o.Seed, uint64(i))))
		l.workers = append(l.workers, &worker{Customer: c, keys: map[string]bool{}})
	}
	return l, nil
}

// Slots are those that the customers want.
func (l *Load) Slots() []lab.Slot { return l.workers[0].fixture.Slots }

// Detach makes the last few customers a load of their own.
func (l *Load) Detach(n int) *Load {
	at := len(l.workers) - n
	few := &Load{Options: l.Options, workers: l.workers[at:], receipts: l.receipts}
	l.workers = l.workers[:at]
	return few
}

// act lets a customer send the next command, or the last one again, if it is not
// settled. An error is a broken promise.
func (l *Load) act(ctx context.Context, w *worker) (again bool, err error) {
	if w.open == nil {
		command := w.Next()
		w.open, w.unknown, w.settled = &command, false, nil
	}
	answer := w.open.Send(ctx)
	switch {
	case answer.Err != nil && !l.Kills:
		return false, fmt.Errorf("%s: no answer: %w", w.open, answer.Err)
	case answer.Err != nil, answer.Problem().Code == "outcome_unknown":
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
		return false, fmt.Errorf("%s: %d %s", w.open, answer.Status, answer.Body)
	case answer.Replayed() && !w.unknown:
		return false, fmt.Errorf("%s had its effect, and was answered that it had none", w.open)
	case w.settled != nil:
		if before := w.settled; !answer.Replayed() || answer.Status != before.Status || !bytes.Equal(answer.Body, before.Body) {
			return false, fmt.Errorf("%s was answered %d %s, and then %d %s", w.open, before.Status, before.Body, answer.Status, answer.Body)
		}
		w.open = nil
		return false, nil
	}
	return false, l.settle(ctx, w, answer)
}

// settle takes note of a definite answer.
func (l *Load) settle(ctx context.Context, w *worker, answer lab.Answer) error {
	// Without a key it is not said that something was changed.
	command := *w.open
	done := command.Key != "" && Succeeded(answer)
	if w.open = nil; w.unknown && done {
		w.open, w.settled = &command, &answer
	}
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

// againPause is how long a customer waits whom the service could not serve.
const againPause = 20 * time.Millisecond

// Run lets everybody act until the end.
func (l *Load) Run(ctx context.Context, end <-chan struct{}) error {
	return l.all(ctx, func(w *worker) error {
		for {
			again, err := l.act(ctx, w)
			if err != nil {
				return err
			}
			pause := time.Duration(0)
			if again {
				pause = againPause
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

func (l *Load) note(answer lab.Answer, count func(*Tally)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count(&l.tally)
	l.tally.Sent++
	if answer.Err == nil {
		l.tally.Slowest = max(l.tally.Slowest, answer.Returned-answer.Called)
	}
}

// answerBound is how long an answer may take at most: the deadline of a request,
// and, for what the desk took just before it, that of its batch and of COMMIT.
const answerBound = 22 * time.Second

// Check compares what everybody was told, also those who were detached, with what
// a database has. What is wrong goes into a file in a directory, together with what
// was found already. Every command must be settled, and nobody may have waited too
// long for an answer.
func (l *Load) Check(ctx context.Context, databaseURL, dir string, found ...string) error {
	ids, told := make([]uuid.UUID, len(l.workers)), map[string]bool{}
	for i, w := range l.workers {
		if w.open != nil {
			return fmt.Errorf("%s has no answer to %s", w.id, w.open)
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
	if err := Compare(ctx, databaseURL, dir, l.receipts, append(found, compareKeys(told, stored)...)...); err != nil {
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
		if !told[key] {
			found = append(found, fmt.Sprintf("unaccounted: the key %s has an answer that nobody got: a refused command had an effect", key))
		}
	}
	return found
}
