package seed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
	_ "time/tzdata" // the times of day of the events must not depend on the machine

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/seating"
)

// What a world has. The first one has the accounts and the scenarios too, which
// count among these.
const (
	usersPerWorld      = 300
	pastPerWorld       = 30
	upcomingPerWorld   = 70
	organizersPerWorld = 8
)

// world is one portion of what is seeded: users, events, and the histories of
// their slots. --scale makes several of them; they have nothing to do with each
// other. The same number, index and clock make the same world.
type world struct {
	index  int
	now    time.Time
	random *rand.Rand

	users                []*user // all of them
	attendees            []*user // those who book whatever there is
	organizers           []*user
	events               []*event
	histories            []*history
	past, upcoming       int
	scenarios            []Scenario
	common               *history // of the ordinary events
	mistakes             []error
	busy, owner, visitor *user
}

type user struct {
	db.User
	password string
}

type event struct {
	db.Event
	owner *user
	slots []uuid.UUID
}

// newWorld makes a world as of now.
func newWorld(number int64, index int, now time.Time) (*world, error) {
	w := &world{index: index, now: now, random: rand.New(rand.NewPCG(uint64(number), uint64(index)))}
	w.populate()
	if index == 0 {
		w.playScenarios()
	}
	for w.past < pastPerWorld {
		w.happen(pastTimes)
	}
	for w.upcoming < upcomingPerWorld {
		w.happen(upcomingTimes)
	}
	w.tell()
	w.span()
	return w, errors.Join(w.mistakes...)
}

// tell brings all histories up to now.
func (w *world) tell() {
	for _, h := range w.histories {
		h.tell(w.now)
	}
}

// populate makes the users: the accounts first, if this world has them.
func (w *world) populate() {
	if w.index == 0 {
		w.visitor = w.join("admin@example.com", "Alex Example", access.Attendee, visitorsPassword, 300)
		w.busy = w.join("busy@test.com", "Busy Bee", access.Attendee, password, 206)
		w.join("admin@test.com", "Ada Admin", access.Admin, password, 400)
		w.owner = w.join("organizer@test.com", "Olga Organizer", access.Organizer, password, 390)
	}
	// Their numbers go on from world to world.
	first := max(0, w.index*usersPerWorld-4) + 1
	count := usersPerWorld - len(w.users)
	for i := range count {
		role := access.Attendee
		if i >= count-organizersPerWorld {
			role = access.Organizer
		}
		u := w.join(fmt.Sprintf("user%03d@example.com", first+i), w.pick(firstNames)+" "+w.pick(lastNames), role, password, 200+w.random.IntN(190))
		if role == access.Organizer {
			w.organizers = append(w.organizers, u)
		} else {
			w.attendees = append(w.attendees, u)
		}
	}
}

// password is everybody's, but the visitor's.
const (
	password         = "password"
	visitorsPassword = "password123"
)

// join is a user who registered some days ago.
func (w *world) join(email, name string, role access.Role, password string, daysAgo int) *user {
	at := w.day(-daysAgo, 8, 0, time.UTC)
	if w.index > 0 || len(w.users) > 3 {
		at = at.Add(w.between(0, 12*time.Hour))
	}
	u := &user{db.User{ID: w.id(at), Email: email, Name: name, Role: string(role), CreatedAt: at, UpdatedAt: at}, password}
	w.users = append(w.users, u)
	return u
}

// plan is what an organizer decides of an event.
type plan struct {
	title, description string
	venue              venue
	owner              *user
	policy             seating.Policy
	// createdAt and publishedAt are when the event was made known.
	createdAt, publishedAt time.Time
	slots                  []session
}

// session is a slot to be.
type session struct {
	startsAt time.Time
	lasts    time.Duration
	capacity int
}

// defaultPolicy is what an event has when its organizer decides nothing.
func defaultPolicy() seating.Policy {
	return seating.Policy{
		WaitlistMode: seating.WaitlistAutomatic, WaitlistLimit: seating.NoLimit,
		OfferFor: time.Hour, HoldFor: 10 * time.Minute, Fit: seating.FitStrict, MaxPasses: 3,
	}
}

// publish makes an event of a plan, with its slots, and counts it.
func (w *world) publish(h *history, p plan) *event {
	e := &event{owner: p.owner, Event: db.Event{
		ID: w.id(p.createdAt), OrganizerID: p.owner.ID, Title: p.title, Description: p.description,
		Location: p.venue.location(), TimeZone: p.venue.zone.String(), Status: string(seating.EventPublished), Revision: 1,
		CancellationClosesMinutes: int32(p.policy.CancellationCloses.Minutes()),
		WaitlistMode:              string(p.policy.WaitlistMode), OfferMinutes: int32(p.policy.OfferFor.Minutes()),
		HoldMinutes: int32(p.policy.HoldFor.Minutes()),
		Fit:         string(p.policy.Fit), MaxPasses: int32(p.policy.MaxPasses),
		PublishedAt: &p.publishedAt, CreatedAt: p.createdAt, UpdatedAt: p.publishedAt,
	}}
	if limit := int32(p.policy.WaitlistLimit); limit != seating.NoLimit {
		e.WaitlistLimit = &limit
	}
	for _, s := range p.slots {
		slot := seating.Slot{
			ID: w.id(p.createdAt), EventID: e.ID, OrganizerID: p.owner.ID,
			EventStatus: seating.EventPublished, Status: seating.SlotOpen,
			StartsAt: s.startsAt, EndsAt: s.startsAt.Add(s.lasts), Capacity: s.capacity,
			Policy: p.policy, Revision: 1, CreatedAt: p.createdAt,
		}
		h.open(slot, organizer(p.owner))
		e.slots = append(e.slots, slot.ID)
	}
	if p.slots[0].startsAt.After(w.now) {
		w.upcoming++
	} else {
		w.past++
	}
	w.events = append(w.events, e)
	return e
}

// span sets when the events start and end: as those of their slots that are not
// cancelled, or as all when all are.
func (w *world) span() {
	slots := map[uuid.UUID][]*seating.Slot{}
	for _, h := range w.histories {
		for _, slot := range h.state.Slots() {
			slots[slot.EventID] = append(slots[slot.EventID], slot)
		}
	}
	for _, e := range w.events {
		all := slots[e.ID]
		cancelled := func(s *seating.Slot) bool { return s.Status == seating.SlotCancelled }
		if standing := slices.DeleteFunc(slices.Clone(all), cancelled); len(standing) > 0 {
			all = standing
		}
		first := slices.MinFunc(all, func(a, b *seating.Slot) int { return a.StartsAt.Compare(b.StartsAt) })
		last := slices.MaxFunc(all, func(a, b *seating.Slot) int { return a.EndsAt.Compare(b.EndsAt) })
		e.StartsAt, e.EndsAt = &first.StartsAt, &last.EndsAt
	}
}

// mark is in every id that was seeded: its third group reads 75ed. By it the
// seeder knows its own.
const mark = 0x5ed

// id is a UUIDv7 of a time, with the mark where others have randomness.
func (w *world) id(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|7<<12|mark)
	binary.BigEndian.PutUint64(id[8:], w.random.Uint64()>>2|1<<63)
	return id
}

// day is a time of day, some days from today, by the clocks of a place.
func (w *world) day(offset, hour, minute int, zone *time.Location) time.Time {
	today := w.now.In(zone)
	return time.Date(today.Year(), today.Month(), today.Day()+offset, hour, minute, 0, 0, zone).UTC()
}

// ago is a time before now, to the second.
func (w *world) ago(d time.Duration) time.Time { return w.now.Add(-d).Truncate(time.Second) }

// between is some duration from a on, below b, to the millisecond.
func (w *world) between(a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(w.random.Int64N(int64(b-a))).Truncate(time.Millisecond)
}

// chance is true in so many of a hundred cases.
func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *world) pick(list []string) string { return list[w.random.IntN(len(list))] }
