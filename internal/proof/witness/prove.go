//go:build unix

package witness

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
)

// Options are the size of the experiment, and what it is made on.
type Options struct {
	// Operations are so many altogether, InFlight at any time.
	Operations, InFlight int
	Seed                 uint64
	Subject              lab.Subject
}

// round is one slot under its own rules.
type round struct {
	name  string
	event lab.EventOptions
	// Of all operations and of all that are in flight, it has one in so many.
	operations, inFlight int
	// seats is how many requests in flight there are to a seat, edits how many
	// requests to an edit, rules how many edits to one of the event's rules; 0: none.
	seats, edits, rules int
}

// rounds are slots of every policy. On top of these comes one that is so small
// that its capacity is cut below what is waited for, and so quiet that this
// happens often, and one whose policy changes.
var rounds = []round{
	{"strict", lab.EventOptions{WaitlistMode: "automatic", Fit: "strict"}, 4, 1, 5, 80, 0},
	{"first fit", lab.EventOptions{WaitlistMode: "automatic", Fit: "first_fit", MaxPasses: new(3), WaitlistLimit: new(50)}, 4, 1, 5, 80, 0},
	{"strict, with offers", lab.EventOptions{WaitlistMode: "offer", Fit: "strict", WaitlistLimit: new(200)}, 4, 1, 5, 80, 0},
	{"first fit, with offers", lab.EventOptions{WaitlistMode: "offer", Fit: "first_fit", MaxPasses: new(2)}, 4, 1, 5, 80, 0},
	{"few seats", lab.EventOptions{WaitlistMode: "automatic", Fit: "strict", WaitlistLimit: new(20), MaxSeatsPerBooking: new(2)}, 20, 10, 50, 10, 0},
	{"rules that change", lab.EventOptions{WaitlistMode: "automatic", Fit: "strict"}, 3, 2, 5, 6, 1},
}

const (
	// keptFor is how many minutes a hold or an offer stands, so that in a long
	// round some run out.
	keptFor = 1
	// processes of the service share the slot.
	processes = 2
	// fewest is how many seats a slot has at least.
	fewest = 3
	// restLimit bounds how long the queue may take to come to rest.
	restLimit = 30 * time.Second
)

// Prove lets many ask one slot at once, round by round, and checks everything
// that they were told.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	o.Subject.Processes = cmp.Or(o.Subject.Processes, processes)
	p, err := l.Deploy(ctx, "witness", o.Subject)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	e := experiment{Options: o, deployment: p}
	if e.people, err = p.People(ctx, peopleFor(o.InFlight)); err != nil {
		return "", err
	}
	for i, r := range rounds {
		if err := e.run(ctx, i, r); err != nil {
			return "", fmt.Errorf("round %q: %w", r.name, err)
		}
	}
	return fmt.Sprintf("%d operations, %d in flight on one slot, under %d rules in turn: 0 violations; %s",
		e.total.operations, o.InFlight, len(rounds), e.total), nil
}

// peopleFor is how many people it takes for so many requests in flight: more, so that
// nearly everybody's last answer is in, but not many more, so that some ask twice
// at once.
func peopleFor(inFlight int) int { return inFlight + inFlight/2 }

// experiment is the rounds, one after the other, in one deployment.
type experiment struct {
	Options
	deployment *lab.Deployment
	people     []lab.Person
	total      tally
}

// run is one round: load, rest, check.
func (e *experiment) run(ctx context.Context, i int, r round) error {
	inFlight := max(1, e.InFlight/r.inFlight)
	l, err := e.load(ctx, r, inFlight, lab.Tomorrow(3*i, max(fewest, inFlight/r.seats)))
	if err != nil {
		return err
	}
	h := History{Rules: rulesOf(r.event), Revision: l.latest.Load().Revision}
	l.progress = func(done int) {
		if done%500 == 0 {
			e.deployment.Lab.Progress("witness: "+r.name, done, len(l.operations))
		}
	}
	began := time.Now()
	if err := l.run(ctx, inFlight, e.Seed+uint64(i)<<32); err != nil {
		return err
	}
	e.total.took += time.Since(began)
	h.Operations = append(l.operations, l.lastLook(ctx)...)
	if err := e.settle(ctx, l.slot, &h); err != nil {
		return e.report(h, i, err)
	}
	e.total.add(h)
	return nil
}

// load is that of one round: its share of the operations, on a new slot.
func (e *experiment) load(ctx context.Context, r round, inFlight int, slot lab.SlotOptions) (*load, error) {
	r.event.HoldMinutes, r.event.OfferMinutes = new(keptFor), new(keptFor)
	slots, err := e.deployment.Organizer.Publish(ctx, r.event, slot)
	if err != nil {
		return nil, err
	}
	l := &load{slot: slots[0], capacity: slot.Capacity, edits: r.edits, rules: r.rules, operations: make([]Operation, e.Operations/r.operations)}
	l.organizer = &person{client: e.deployment.Organizer}
	for _, someone := range e.people[:peopleFor(inFlight)] {
		l.people = append(l.people, &person{id: someone.ID, client: e.deployment.Organizer.As(someone)})
	}
	for i := range l.seated {
		l.seated[i].Store(int64(i % len(l.people)))
	}
	ending, now := observation(spec.ReadSlot, e.deployment.Organizer.Get(ctx, "/slots/"+l.slot.ID.String()))
	if ending != Done {
		return nil, fmt.Errorf("read the new slot: %s %s", ending, now.Code)
	}
	l.latest.Store(&now)
	return l, nil
}

// lastLook is what everybody sees when it is over.
func (l *load) lastLook(ctx context.Context) []Operation {
	l.progress = func(int) {}
	answers := []Operation{l.ask(ctx, request{as: l.people[0], Operation: Operation{Verb: spec.ReadSlot}})}
	for at, p := range l.people {
		if p.last.Booking == uuid.Nil {
			continue
		}
		for _, verb := range []spec.Verb{spec.ReadBooking, spec.ReadPosition} {
			r := request{as: p, at: at, Operation: Operation{Verb: verb, Booking: p.last.Booking}}
			answers = append(answers, l.ask(ctx, r))
		}
	}
	return answers
}

// settle checks the history as soon as nobody waits who could be served, at the
// latest when that has taken too long.
func (e *experiment) settle(ctx context.Context, slot lab.Slot, h *History) error {
	var verdict error
	unfinished := lab.Await(ctx, restLimit, func(ctx context.Context) (err error) {
		if h.Entries, err = ledger(ctx, e.deployment.Cluster.URL(), slot); err != nil {
			return err
		}
		verdict = Check(*h)
		if v := new(Violation); errors.As(verdict, &v) && v.Unfinished {
			return v
		}
		return nil
	})
	return errors.Join(verdict, unfinished)
}

func rulesOf(o lab.EventOptions) spec.Rules {
	rules := spec.Rules{
		Waitlist: spec.Mode(o.WaitlistMode), Limit: spec.None, FirstFit: o.Fit == "first_fit",
		HoldFor: keptFor * time.Minute, OfferFor: keptFor * time.Minute,
	}
	if o.MaxPasses != nil {
		rules.MaxPasses = *o.MaxPasses
	}
	if o.MaxSeatsPerBooking != nil {
		rules.PerBooking = *o.MaxSeatsPerBooking
	}
	if o.WaitlistLimit != nil {
		rules.Limit = *o.WaitlistLimit
	}
	return rules
}

// ledger reads a slot's entries past the API, which gives them out in pages of a
// hundred.
func ledger(ctx context.Context, databaseURL string, slot lab.Slot) ([]Entry, error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `
		SELECT version, kind, coalesce(booking_id, '00000000-0000-0000-0000-000000000000'), coalesce(user_id, '00000000-0000-0000-0000-000000000000'),
		       seats, coalesce(status, ''), capacity, seats_taken, waitlist_length, actor = 'system',
		       CASE WHEN cause_slot_id = slot_id THEN cause_version ELSE 0 END, at
		FROM ledger WHERE slot_id = $1 ORDER BY version`, slot.ID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Entry, err error) {
		var status string
		err = row.Scan(&e.Version, &e.Kind, (*[16]byte)(&e.Booking), (*[16]byte)(&e.User), &e.Seats, &status,
			&e.Capacity, &e.Taken, &e.Waiting, &e.System, &e.Cause, &e.At)
		e.Status = spec.StatusOf(status)
		return e, err
	})
}

// report writes the history of a violation to a file, and names it.
func (e *experiment) report(h History, i int, verdict error) error {
	if !errors.As(verdict, new(*Violation)) {
		return verdict
	}
	path := filepath.Join(e.deployment.Lab.Dir(), fmt.Sprintf("witness-history-%d.txt", i+1))
	file, err := os.Create(path)
	if err != nil {
		return errors.Join(lab.Broken(verdict), err)
	}
	out := bufio.NewWriter(file)
	_, _ = fmt.Fprintf(out, "%s\n\n%+v\n\n", verdict, h.Rules)
	for _, entry := range h.Entries {
		_, _ = fmt.Fprintln(out, entry)
	}
	_, _ = fmt.Fprintln(out)
	for _, o := range h.Operations {
		_, _ = fmt.Fprintln(out, o)
	}
	return errors.Join(lab.Broken(fmt.Errorf("%w\n(the history is in %s)", verdict, path)), out.Flush(), file.Close())
}
