//go:build unix

package traffic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
)

// Stage is where traffic happens: the slots of two events, some at overlapping
// times, with the organizer at the door.
type Stage struct {
	Organizer *lab.Client
	Slots     []lab.Slot
}

// OpenStage makes a stage with eight slots.
func OpenStage(ctx context.Context, organizer *lab.Client, capacity int) (*Stage, error) {
	s := &Stage{Organizer: organizer}
	for i, fit := range []string{"strict", "first_fit"} {
		var slots []lab.SlotOptions
		for _, hour := range []int{0, 1, 3, 5} {
			slots = append(slots, lab.Tomorrow(2*i+hour, capacity))
		}
		made, err := organizer.Publish(ctx, lab.EventOptions{Fit: fit, HoldMinutes: new(60)}, slots...)
		if err != nil {
			return nil, err
		}
		s.Slots = append(s.Slots, made...)
	}
	return s, nil
}

// Customer is one person who books, changes their mind, and sends one command
// after the other. Only the service changes anything of theirs besides.
type Customer struct {
	self  *lab.Client
	stage *Stage
	dice  *rand.Rand
	// live are their bookings as they were last told, in the order of the telling.
	live []lab.Booking
}

// Customer is a new one on the stage.
func (s *Stage) Customer(p lab.Person, dice *rand.Rand) *Customer {
	return &Customer{self: s.Organizer.As(p), stage: s, dice: dice}
}

// act is something that a customer may think of; false when it is not possible now.
type act func(*Customer) (Command, bool)

// acts are what customers do, each as often as they think of it.
var acts = slices.Concat(
	slices.Repeat([]act{(*Customer).book}, 8), slices.Repeat([]act{(*Customer).hold}, 3),
	slices.Repeat([]act{(*Customer).bundle}, 2), slices.Repeat([]act{(*Customer).upgrade}, 2),
	slices.Repeat([]act{(*Customer).confirm}, 4), slices.Repeat([]act{(*Customer).cancel}, 6),
	slices.Repeat([]act{(*Customer).move}, 4), slices.Repeat([]act{(*Customer).resize}, 3),
	slices.Repeat([]act{(*Customer).checkIn}, 3),
)

// Next is what the customer does now. Whoever has nothing can book, and whoever
// has a booking of every slot can cancel, so that something comes up soon.
func (c *Customer) Next() Command {
	for {
		if command, ok := acts[c.dice.IntN(len(acts))](c); ok {
			return command
		}
	}
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
	switch b.Status {
	case "confirmed", "held", "offered", "waitlisted":
		c.live = append(c.live, b)
	}
}

func (c *Customer) book() (Command, bool) {
	slots := c.vacant()
	if len(slots) == 0 {
		return Command{}, false
	}
	body := map[string]any{"seats": c.seats()}
	if c.dice.IntN(3) > 0 {
		body["if_full"] = "waitlist"
	}
	return Post(c.self, "book", "/slots/"+slots[0].ID.String()+"/bookings", body), true
}

func (c *Customer) hold() (Command, bool) {
	slots := c.vacant()
	if len(slots) == 0 {
		return Command{}, false
	}
	return Post(c.self, "hold", "/slots/"+slots[0].ID.String()+"/holds", map[string]any{"seats": c.seats()}), true
}

func (c *Customer) bundle() (Command, bool) {
	slots := c.vacant()
	if len(slots) < 2 {
		return Command{}, false
	}
	var items []map[string]any
	for _, slot := range slots[:min(len(slots), 2+c.dice.IntN(2))] {
		items = append(items, map[string]any{"slot_id": slot.ID})
	}
	return Post(c.self, "bundle", "/bookings", map[string]any{"items": items}), true
}

// upgrade is a booking that gives another back.
func (c *Customer) upgrade() (Command, bool) {
	old, ok := c.one("confirmed", "held")
	slots := c.vacant()
	if !ok || len(slots) == 0 {
		return Command{}, false
	}
	body := map[string]any{"seats": old.Seats, "if_full": "waitlist", "replaces_booking_id": old.ID}
	return Post(c.self, "upgrade", "/slots/"+slots[0].ID.String()+"/bookings", body).about(old.ID), true
}

func (c *Customer) confirm() (Command, bool) {
	b, ok := c.one("held")
	return Post(c.self, "confirm", "/bookings/"+b.ID.String()+"/confirm", nil).about(b.ID), ok
}

func (c *Customer) cancel() (Command, bool) {
	b, ok := c.one("confirmed", "held", "waitlisted")
	return Post(c.self, "cancel", "/bookings/"+b.ID.String()+"/cancel", map[string]any{}).about(b.ID), ok
}

func (c *Customer) move() (Command, bool) {
	b, ok := c.one("confirmed")
	for _, slot := range c.vacant() {
		if ok && slot.EventID == b.EventID {
			return Post(c.self, "move", "/bookings/"+b.ID.String()+"/move", map[string]any{"slot_id": slot.ID}).about(b.ID), true
		}
	}
	return Command{}, false
}

// resize has no key: to want what is so already is no change.
func (c *Customer) resize() (Command, bool) {
	b, ok := c.one("confirmed", "held", "waitlisted")
	return Command{
		Name: "resize", Method: http.MethodPatch, Path: "/bookings/" + b.ID.String(),
		Body: map[string]any{"seats": 1 + b.Seats%2}, Booking: b.ID, by: c.self,
	}, ok
}

func (c *Customer) checkIn() (Command, bool) {
	b, ok := c.one("confirmed")
	return Post(c.stage.Organizer, "check in", "/bookings/"+b.ID.String()+"/check-in", nil).about(b.ID), ok
}

func (c *Customer) seats() int { return 1 + c.dice.IntN(2) }

// one is a live booking in one of some states.
func (c *Customer) one(states ...string) (lab.Booking, bool) {
	for _, i := range c.dice.Perm(len(c.live)) {
		if slices.Contains(states, c.live[i].Status) {
			return c.live[i], true
		}
	}
	return lab.Booking{}, false
}

// vacant are the slots without a booking of the customer's, in any order.
func (c *Customer) vacant() []lab.Slot {
	var slots []lab.Slot
	for _, i := range c.dice.Perm(len(c.stage.Slots)) {
		slot := c.stage.Slots[i]
		if !slices.ContainsFunc(c.live, func(b lab.Booking) bool { return b.SlotID == slot.ID }) {
			slots = append(slots, slot)
		}
	}
	return slots
}
