//go:build unix

package keys

import (
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/traffic"
)

// organizing is what a sender does with events of their own: the life of one
// after the other.
type organizing struct {
	self  *lab.Client
	stage *traffic.Stage
	dice  *rand.Rand
	step  int
	// event and slot are the latest, events and slots all that were ever made.
	event, slot   uuid.UUID
	events, slots []uuid.UUID
}

// steps are an event's life.
var steps = []func(*organizing) traffic.Command{
	(*organizing).create, (*organizing).addSlot, (*organizing).publish, (*organizing).addSlot,
	(*organizing).promote, (*organizing).cancelSlot, (*organizing).promote, (*organizing).cancel,
}

func (o *organizing) next() traffic.Command {
	o.step++
	return steps[(o.step-1)%len(steps)](o)
}

// learn takes note of what was made. None of the steps can be refused.
func (o *organizing) learn(command traffic.Command, a lab.Answer) error {
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

func (o *organizing) create() traffic.Command {
	return traffic.Post(o.self, "create event", "/events", map[string]any{"title": "Proof", "time_zone": "UTC"})
}

func (o *organizing) addSlot() traffic.Command {
	slot := lab.Tomorrow(o.dice.IntN(24), capacity)
	return traffic.Post(o.self, "add slot", "/events/"+o.event.String()+"/slots",
		map[string]any{"starts_at": slot.StartsAt, "ends_at": slot.EndsAt, "capacity": slot.Capacity})
}

func (o *organizing) publish() traffic.Command {
	return traffic.Post(o.self, "publish", "/events/"+o.event.String()+"/publish", nil)
}

// promote is for a slot that people wait for.
func (o *organizing) promote() traffic.Command {
	slot := o.stage.Slots[o.dice.IntN(len(o.stage.Slots))]
	return traffic.Post(o.stage.Organizer, "promote", "/slots/"+slot.ID.String()+"/promote", nil)
}

func (o *organizing) cancelSlot() traffic.Command {
	return traffic.Post(o.self, "cancel slot", "/slots/"+o.slot.String()+"/cancel", map[string]any{"reason": "no proof"})
}

func (o *organizing) cancel() traffic.Command {
	return traffic.Post(o.self, "cancel event", "/events/"+o.event.String()+"/cancel", map[string]any{"reason": "no proof"})
}
