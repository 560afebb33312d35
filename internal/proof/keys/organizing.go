//go:build unix

package keys

import (
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// organizing is what a sender does with events of their own: the life of one
// after the other.
type organizing struct {
	self    *lab.Client
	fixture *load.Fixture
	random  *rand.Rand
	step    int
	// event and slot are the latest, events and slots all that were ever made.
	event, slot   uuid.UUID
	events, slots []uuid.UUID
}

// steps are an event's life.
var steps = []func(*organizing) load.Command{
	(*organizing).create, (*organizing).addSlot, (*organizing).publish, (*organizing).addSlot,
	(*organizing).promote, (*organizing).cancelSlot, (*organizing).promote, (*organizing).cancel,
}

func (o *organizing) next() load.Command {
	o.step++
	return steps[(o.step-1)%len(steps)](o)
}

// learn takes note of what was made. None of the steps can be refused.
func (o *organizing) learn(command load.Command, a lab.Answer) error {
	var made struct {
		ID uuid.UUID `json:"id"`
	}
	switch command.Name {
	case "create event":
		err := a.Want(http.StatusCreated, &made)
		o.event, o.events = made.ID, append(o.events, made.ID)
		return err
	case "add slot":
		err := a.Want(http.StatusCreated, &made)
		o.slot, o.slots = made.ID, append(o.slots, made.ID)
		return err
	}
	if err := a.Want(http.StatusOK, nil); err != nil {
		return fmt.Errorf("%s: %w", command.Name, err)
	}
	return nil
}

func (o *organizing) create() load.Command {
	return load.Post(o.self, "create event", "/events", map[string]any{"title": "Proof", "time_zone": "UTC"})
}

func (o *organizing) addSlot() load.Command {
	slot := lab.Tomorrow(o.random.IntN(24), capacity)
	return load.Post(o.self, "add slot", "/events/"+o.event.String()+"/slots",
		map[string]any{"starts_at": slot.StartsAt, "ends_at": slot.EndsAt, "capacity": slot.Capacity})
}

func (o *organizing) publish() load.Command {
	return load.Post(o.self, "publish", "/events/"+o.event.String()+"/publish", nil)
}

// promote is for a slot that people wait for.
func (o *organizing) promote() load.Command {
	slot := o.fixture.Slots[o.random.IntN(len(o.fixture.Slots))]
	return load.Post(o.fixture.Organizer, "promote", "/slots/"+slot.ID.String()+"/promote", nil)
}

func (o *organizing) cancelSlot() load.Command {
	return load.Post(o.self, "cancel slot", "/slots/"+o.slot.String()+"/cancel", map[string]any{"reason": "no proof"})
}

func (o *organizing) cancel() load.Command {
	return load.Post(o.self, "cancel event", "/events/"+o.event.String()+"/cancel", map[string]any{"reason": "no proof"})
}
