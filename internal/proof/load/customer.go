//go:build unix

package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
)

// Fixture is what customers want: the slots of two events, some at overlapping
// times. The organizer checks them in.
type Fixture struct {
	Organizer *lab.Client
	Slots     []lab.Slot
}

// Publish makes a fixture of eight slots.
func Publish(ctx context.Context, organizer *lab.Client, capacity int) (*Fixture, error) {
	f := &Fixture{Organizer: organizer}
	for i, fit := range []string{"strict", "first_fit"} {
		var slots []lab.SlotOptions
		for _, hour := range []int{0, 1, 3, 5} {
			slots = append(slots, lab.Tomorrow(2*i+hour, capacity))
		}
		made, err := organizer.Publish(ctx, lab.EventOptions{Fit: fit, HoldMinutes: new(60)}, slots...)
		if err != nil {
			return nil, err
		}
		f.Slots = append(f.Slots, made...)
	}
	return f, nil
}

// Customer is one person who books, changes their mind, and sends one command
// after the other. Only the service changes anything of theirs besides.
type Customer struct {
	id      uuid.UUID
	self    *lab.Client
	fixture *Fixture
	random  *rand.Rand
	// live are their bookings as they were last told, in the order of the telling.
	live []lab.Booking
}

// Customer is a new one.
func (f *Fixture) Customer(p lab.Person, random *rand.Rand) *Customer {
	return &Customer{id: p.ID, self: f.Organizer.As(p), fixture: f, random: random}
}

// choice is a command that a customer may think of.
type choice struct {
	verb  spec.Verb
	often int
	// of are the statuses of the bookings that it is about, if it is about one.
	of []spec.Status
	// vacant is how many slots it takes in which the customer has nothing.
	vacant int
}

var choices = []choice{
	{verb: spec.Book, often: 8, vacant: 1},
	{verb: spec.Hold, often: 3, vacant: 1},
	{verb: spec.Bundle, often: 2, vacant: 2},
	{verb: spec.Book, often: 2, of: []spec.Status{spec.Confirmed, spec.Held}, vacant: 1}, // to give that one back
	{verb: spec.Confirm, often: 4, of: []spec.Status{spec.Held}},
	{verb: spec.Cancel, often: 6, of: []spec.Status{spec.Confirmed, spec.Held, spec.Waitlisted}},
	{verb: spec.Move, often: 4, of: []spec.Status{spec.Confirmed}, vacant: 1},
	{verb: spec.Resize, often: 3, of: []spec.Status{spec.Confirmed, spec.Held, spec.Waitlisted}},
	{verb: spec.CheckIn, often: 3, of: []spec.Status{spec.Confirmed}},
}

// Next is what the customer does now. Whoever has nothing can book, and whoever
// has a booking of every slot can cancel, so that something comes up soon.
func (c *Customer) Next() Command {
	total := 0
	for _, choice := range choices {
		total += choice.often
	}
	for {
		at := c.random.IntN(total)
		for _, choice := range choices {
			if at -= choice.often; at >= 0 {
				continue
			}
			if command, possible := c.draw(choice); possible {
				return command
			}
			break
		}
	}
}

// draw makes a command of a choice; false: it is not possible now.
func (c *Customer) draw(ch choice) (Command, bool) {
	r := spec.Request{Verb: ch.verb, Booking: spec.None, Seats: 1 + c.random.IntN(2), Wait: c.random.IntN(3) > 0, Replaces: spec.None}
	vacant := c.vacant()
	if ch.of != nil {
		if r.Booking = c.one(ch.of); r.Booking == spec.None {
			return Command{}, false
		}
	}
	switch ch.verb {
	case spec.Book:
		if r.Booking != spec.None {
			r.Seats, r.Wait, r.Replaces = c.live[r.Booking].Seats, true, r.Booking
		}
	case spec.Move: // within the event
		vacant = slices.DeleteFunc(vacant, func(slot int) bool { return c.fixture.Slots[slot].EventID != c.live[r.Booking].EventID })
	case spec.Resize:
		r.Seats, r.Least = 1+c.live[r.Booking].Seats%2, spec.None
	case spec.Bundle:
		for _, slot := range vacant[:min(len(vacant), 2+c.random.IntN(2))] {
			r.Items = append(r.Items, spec.Request{Slot: slot, Seats: 1})
		}
	}
	if len(vacant) < ch.vacant {
		return Command{}, false
	}
	if ch.vacant > 0 {
		r.Slot = vacant[0]
	}
	return c.command(r), true
}

// command is a request as it is sent. Resize has no key: to want what is so
// already is no change.
func (c *Customer) command(r spec.Request) Command {
	method, path, body := r.HTTP(spec.IDs{
		Slot:    func(i int) uuid.UUID { return c.fixture.Slots[i].ID },
		Booking: func(i int) uuid.UUID { return c.live[i].ID },
	})
	command := Command{Name: string(r.Verb), Method: method, Path: path, Body: body, by: c.self}
	if r.Verb.Command().Manages {
		command.by = c.fixture.Organizer
	}
	if r.Verb != spec.Resize {
		command.Key = uuid.NewString()
	}
	if r.Booking != spec.None {
		command.Booking = c.live[r.Booking].ID
	}
	return command
}

// Learn takes note of the answer to a command: of what it says of bookings, and,
// where it does not say what became of the one that the command was about, of
// what the service says when asked.
func (c *Customer) Learn(ctx context.Context, command Command, a lab.Answer) error {
	told, err := Bookings(a)
	if err != nil {
		return fmt.Errorf("%s: %w", command.Name, err)
	}
	ask := command.Booking != uuid.Nil
	for _, b := range told {
		c.note(b)
		ask = ask && b.ID != command.Booking
	}
	if !ask {
		return nil
	}
	var b lab.Booking
	if err := c.self.Get(ctx, "/bookings/"+command.Booking.String()).Want(http.StatusOK, &b); err == nil {
		c.note(b) // Where the service is down, the customer goes on with what was known.
	}
	return nil
}

func (c *Customer) note(b lab.Booking) {
	c.live = slices.DeleteFunc(c.live, func(known lab.Booking) bool { return known.ID == b.ID })
	if b.Status.Live() {
		c.live = append(c.live, b)
	}
}

// one is a live booking in one of some statuses, or None.
func (c *Customer) one(of []spec.Status) int {
	for _, i := range c.random.Perm(len(c.live)) {
		if slices.Contains(of, c.live[i].Status) {
			return i
		}
	}
	return spec.None
}

// vacant are the slots without a booking of the customer's, in any order.
func (c *Customer) vacant() []int {
	return slices.DeleteFunc(c.random.Perm(len(c.fixture.Slots)), func(i int) bool {
		return slices.ContainsFunc(c.live, func(b lab.Booking) bool { return b.SlotID == c.fixture.Slots[i].ID })
	})
}
