//go:build unix

package bench

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
)

// target is a build of the service with a database of its own, and what is asked of it.
type target struct {
	url       string // of its database
	service   *lab.Service
	cpu       cpuTimes
	organizer *lab.Client
	people    []lab.Person
	// event gets a slot more for each measurement of a hot slot; hour is the next free one.
	event uuid.UUID
	hour  int
	// slots are what bookings are spread over; booked counts them.
	slots  []lab.Slot
	booked atomic.Uint64
	// events are those that are read.
	events []uuid.UUID
}

const (
	spreadSlots = 2000
	slotsEach   = 1000 // the most that an event has
	// hotCapacity and spreadCapacity are never used up.
	hotCapacity    = 1_000_000
	spreadCapacity = 100_000
	readEvents     = 200
	// peoplePerSecond is more than books one slot in a second.
	peoplePerSecond = 12_000
	// leastPeople is coprime to spreadSlots + 1: see spreadUser.
	leastPeople = 20_011
)

// target starts a build and writes what it needs: users past the service, events and
// slots through it.
func (b *bench) target(ctx context.Context, name, binary string) (*target, error) {
	url, err := b.cluster.Database(ctx, name)
	if err != nil {
		return nil, err
	}
	t := &target{url: url}
	if t.service, err = b.lab.Service(ctx, name, binary, url, nil); err != nil {
		return nil, err
	}
	t.cpu = cpuTimes{service: t.service.PID(), postmaster: b.cluster.PID()}
	organizers, err := lab.People(ctx, url, 1, access.Organizer)
	if err != nil {
		return nil, err
	}
	t.organizer = t.service.Client().As(organizers[0])
	wanted := max(leastPeople, int((b.Window+warmUp).Seconds()*peoplePerSecond))
	if t.people, err = lab.People(ctx, url, wanted, access.Attendee); err != nil {
		return nil, err
	}
	return t, t.publish(ctx, b.lab)
}

// publish makes the events. No two slots that somebody books overlap.
func (t *target) publish(ctx context.Context, l *lab.Lab) error {
	for len(t.slots) < spreadSlots {
		options := make([]lab.SlotOptions, slotsEach)
		for i := range options {
			options[i] = t.nextSlot(spreadCapacity)
		}
		slots, err := t.organizer.Publish(ctx, lab.EventOptions{}, options...)
		if err != nil {
			return err
		}
		t.slots = append(t.slots, slots...)
		l.Progress("slots", len(t.slots), spreadSlots)
	}
	for len(t.events) < readEvents {
		slots, err := t.organizer.Publish(ctx, lab.EventOptions{}, t.nextSlot(10), t.nextSlot(10), t.nextSlot(10))
		if err != nil {
			return err
		}
		t.events = append(t.events, slots[0].EventID)
	}
	t.event = t.events[0]
	return nil
}

func (t *target) nextSlot(capacity int) lab.SlotOptions {
	t.hour += 2
	return lab.Tomorrow(t.hour, capacity)
}

// hotSlot makes a slot that nobody has booked.
func (t *target) hotSlot(ctx context.Context) (slot lab.Slot, err error) {
	return slot, t.organizer.Post(ctx, "/events/"+t.event.String()+"/slots", t.nextSlot(hotCapacity)).Want(http.StatusCreated, &slot)
}

// run puts a load on the service.
func (t *target) run(l load, window time.Duration) (Sample, error) {
	return l.run(t.service.Addr(), window, t.cpu)
}

const prefix = "/api/v1"

func get(r *fasthttp.Request, path string, as *lab.Person) {
	r.SetRequestURI(prefix + path)
	if as != nil {
		r.Header.Set("Authorization", "Bearer "+as.Token)
	}
}

// keys number idempotency keys.
var keys atomic.Uint64

func book(r *fasthttp.Request, slot uuid.UUID, as *lab.Person) {
	post(r, "/slots/"+slot.String()+"/bookings", as)
	r.Header.SetContentType("application/json")
	r.SetBodyString(`{"seats":1}`)
}

func post(r *fasthttp.Request, path string, as *lab.Person) {
	r.Header.SetMethod(http.MethodPost)
	get(r, path, as)
	r.Header.Set("Idempotency-Key", "bench-"+strconv.FormatUint(keys.Add(1), 10))
}

// stateless is a user who needs no answers.
type stateless func(*fasthttp.Request) bool

func (s stateless) next(r *fasthttp.Request) bool { return s(r) }
func (stateless) answered(*fasthttp.Response)     {}

// everyConnection is the same user on all connections.
func everyConnection(u user) func(int) user { return func(int) user { return u } }

// hotUser lets one user after the other book one slot.
func (t *target) hotUser(slot uuid.UUID) user {
	var next atomic.Int64
	return stateless(func(r *fasthttp.Request) bool {
		n := int(next.Add(1)) - 1
		if n >= len(t.people) {
			return false
		}
		book(r, slot, &t.people[n])
		return true
	})
}

// spreadUser lets the users book all slots in turn. Nobody gets one slot twice: of a
// slot's k-th booking it is user (2001 k + slot) modulo leastPeople, a prime.
func (t *target) spreadUser() user {
	return stateless(func(r *fasthttp.Request) bool {
		n := t.booked.Add(1) - 1
		slot, k := n%spreadSlots, n/spreadSlots
		if k >= leastPeople {
			return false
		}
		book(r, t.slots[slot].ID, &t.people[(k*(spreadSlots+1)+slot)%leastPeople])
		return true
	})
}

// bookingOf is the id of the booking in an answer; nil if there is none.
func bookingOf(r *fasthttp.Response) uuid.UUID {
	var booking struct {
		ID uuid.UUID `json:"id"`
	}
	if r.StatusCode() != http.StatusCreated || json.Unmarshal(r.Body(), &booking) != nil {
		return uuid.Nil
	}
	return booking.ID
}
