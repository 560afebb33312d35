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
	"eventbooking/internal/account"
	"eventbooking/internal/seating"
)

// The sizes of a world. In the first one they include the users to log in as and the
// scenarios.
const (
	usersPerWorld      = 300
	pastPerWorld       = 30
	upcomingPerWorld   = 70
	organizersPerWorld = 8
)

// world is a self-contained set of users, events and histories of their slots.
// --scale makes several, which are independent of each other. The same number, index
// and time make the same world.
type world struct {
	index  int
	now    time.Time
	random *rand.Rand

	users                []*user // all of them
	attendees            []*user // those who book ordinary events
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

// newWorld makes a world whose histories end now.
func newWorld(number int64, index int, now time.Time) (*world, error) {
	w := &world{index: index, now: now, random: rand.New(rand.NewPCG(uint64(number), uint64(index)))}
	w.addUsers()
	if index == 0 {
		w.addScenarios()
	}
	for w.past < pastPerWorld {
		w.addOrdinaryEvent(pastDays)
	}
	for w.upcoming < upcomingPerWorld {
		w.addOrdinaryEvent(upcomingDays)
	}
	w.runToNow()
	w.setEventSpans()
	return w, errors.Join(w.mistakes...)
}

// runToNow runs all histories up to now.
func (w *world) runToNow() {
	for _, h := range w.histories {
		h.runUntil(w.now)
	}
}

// addUsers makes the users; in the first world, those to log in as come first.
func (w *world) addUsers() {
	if w.index == 0 {
		w.visitor = w.addUser(Visitor.Email, "Alex Example", access.Attendee, Visitor.Password, 300)
		w.busy = w.addUser(Busy.Email, "Busy Bee", access.Attendee, Busy.Password, 206)
		w.addUser(Admin.Email, "Ada Admin", access.Admin, Admin.Password, firstUserDays)
		w.owner = w.addUser(Organizer.Email, "Olga Organizer", access.Organizer, Organizer.Password, 390)
	}
	// The numbers continue from world to world.
	first := max(0, w.index*usersPerWorld-4) + 1
	count := usersPerWorld - len(w.users)
	for i := range count {
		role := access.Attendee
		if i >= count-organizersPerWorld {
			role = access.Organizer
		}
		u := w.addUser(fmt.Sprintf("user%03d@example.com", first+i), w.pick(firstNames)+" "+w.pick(lastNames), role, password, 200+w.random.IntN(190))
		if role == access.Organizer {
			w.organizers = append(w.organizers, u)
		} else {
			w.attendees = append(w.attendees, u)
		}
	}
}

// password is that of all users but the visitor.
const (
	password         = "password"
	visitorsPassword = "password123"
)

// firstUserDays is how many days ago the first user registered.
const firstUserDays = 400

// addUser adds a user who registered some days ago.
func (w *world) addUser(email, name string, role access.Role, password string, daysAgo int) *user {
	at := w.day(-daysAgo, 8, 0, time.UTC)
	if w.index > 0 || len(w.users) > 3 {
		at = at.Add(w.between(0, 12*time.Hour))
	}
	u := &user{db.User{ID: w.id(at), Email: email, EmailKey: account.KeyOf(email), KeyedEmail: &email, Name: name, Role: string(role), CreatedAt: at, UpdatedAt: at}, password}
	w.users = append(w.users, u)
	return u
}

// plan describes an event.
type plan struct {
	title, description     string
	venue                  venue
	owner                  *user
	policy                 seating.Policy
	createdAt, publishedAt time.Time
	slots                  []slotPlan
}

// slotPlan describes a slot.
type slotPlan struct {
	startsAt time.Time
	lasts    time.Duration
	capacity int
}

// defaultPolicy returns the default settings of an event.
func defaultPolicy() seating.Policy {
	return seating.Policy{
		WaitlistMode: seating.WaitlistAutomatic, WaitlistLimit: seating.NoLimit,
		OfferFor: time.Hour, HoldFor: 10 * time.Minute, Fit: seating.FitStrict, MaxPasses: 3,
		MaxSeatsPerBooking: 10,
	}
}

// publish adds the event of a plan with its slots, and counts it.
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
	e.MaxSeatsPerBooking, e.MaxSeatsPerUser = limit(p.policy.MaxSeatsPerBooking), limit(p.policy.MaxSeatsPerUser)
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

// limit returns a limit of seats as it is stored: null is any number.
func limit(seats int) *int32 {
	if seats == 0 {
		return nil
	}
	return new(int32(seats))
}

// setEventSpans sets when the events start and end: as their slots that are not
// cancelled do, or as all do if all are cancelled. The service has a trigger for it.
func (w *world) setEventSpans() {
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

// idMark is in every seeded id, whose third group is therefore 75ed. By it the seeder
// recognises seeded data.
const idMark = 0x5ed

// id returns a UUIDv7 of a time, with idMark in place of the random bits rand_a.
func (w *world) id(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|7<<12|idMark)
	binary.BigEndian.PutUint64(id[8:], w.random.Uint64()>>2|1<<63)
	return id
}

// day returns a time of day in a zone, some days from today, as UTC.
func (w *world) day(offset, hour, minute int, zone *time.Location) time.Time {
	today := w.now.In(zone)
	return time.Date(today.Year(), today.Month(), today.Day()+offset, hour, minute, 0, 0, zone).UTC()
}

// ago returns a time before now, in whole seconds.
func (w *world) ago(d time.Duration) time.Time { return w.now.Add(-d).Truncate(time.Second) }

// between returns a random duration of at least a and below b, in whole milliseconds
// from a; it is a if b is not longer.
func (w *world) between(a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(w.random.Int64N(int64(b-a))).Truncate(time.Millisecond)
}

// chance returns true at random, in so many percent of the calls.
func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *world) pick(list []string) string { return list[w.random.IntN(len(list))] }
