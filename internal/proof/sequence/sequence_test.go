//go:build unix

package sequence

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"eventbooking/internal/audit"
	"eventbooking/internal/proof/spec"
	"eventbooking/internal/testkit"
)

// TestMain makes the plain run a short one; flags say otherwise. What fails is not
// kept in a file: played again after a change of what is drawn, a file is another
// sequence, or none. It is printed, and belongs into the list in named_test.go.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"rapid.checks": "10", "rapid.steps": "25", "rapid.shrinktime": "2m", "rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}

func TestTheServiceAnswersRandomSequencesAsSpecified(t *testing.T) {
	s := openService(t)
	rapid.Check(t, func(t *rapid.T) {
		r := drawing{s.draw(t), t}
		r.compare()
		actions := map[string]func(*rapid.T){"let run out": r.expire, "let time pass": r.pass, "read a booking": r.readBooking, "read lists": r.readLists}
		for _, c := range spec.Commands {
			if c.Verb.Reads() {
				continue
			}
			for i := range weights[c.Verb] + 1 {
				actions[fmt.Sprintf("%s %d", c.Verb, i)] = func(*rapid.T) { r.do(r.request(c)) }
			}
		}
		t.Repeat(actions)
	})
	findings, err := audit.Doctor(t.Context(), s.pool, nil)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v %v", findings, err)
	}
}

// weights are how much more often some commands come than others.
var weights = map[spec.Verb]int{spec.Book: 4}

// drawing is a run whose requests are drawn.
type drawing struct {
	*run
	t *rapid.T
}

// request draws what somebody asks for with a command.
func (r drawing) request(c spec.Command) spec.Request {
	if c.Verb == spec.CancelSlot && rapid.IntRange(0, 7).Draw(r.t, "really") != 7 {
		r.t.Skip("it would soon be over")
	}
	request := spec.Request{Verb: c.Verb, Replaces: spec.None}
	switch {
	case c.About != nil:
		request.Booking = r.booking(c.About)
		request.Who = r.actor(request.Booking)
		if c.Manages {
			request.Who = r.manager()
		}
	case c.Manages:
		request.Who = r.manager()
	default:
		request.Who = r.person()
	}
	for _, member := range c.Takes {
		r.draw(&request, member)
	}
	return request
}

// draw draws a member of a request.
func (r drawing) draw(request *spec.Request, member spec.Member) {
	switch member {
	case spec.InSlot:
		request.Slot = r.slot()
	case spec.WithSeats:
		request.Seats = r.seats()
	case spec.WithLeast:
		from := []int{0, 0, 0, 0, 1, 2, 3}
		if request.Verb == spec.Resize {
			from = []int{spec.None, spec.None, 0, 1, 2}
		}
		request.Least = rapid.SampledFrom(from).Draw(r.t, "least")
	case spec.OrWait:
		request.Wait = rapid.IntRange(0, 3).Draw(r.t, "wait") > 0
	case spec.Replacing:
		r.drawReplaced(request)
	case spec.WithItems:
		for range rapid.IntRange(1, 3).Draw(r.t, "items") {
			request.Items = append(request.Items, spec.Request{Who: request.Who, Slot: r.slot(), Seats: r.seats(), Replaces: spec.None})
		}
	case spec.WithReason:
		request.Reason = rapid.Bool().Draw(r.t, "reason")
	case spec.WithCapacity:
		request.Capacity = rapid.IntRange(1, 4).Draw(r.t, "capacity")
	case spec.WithStatus:
		request.Status = rapid.SampledFrom([]spec.SlotStatus{spec.Open, spec.Open, spec.Open, spec.Closed}).Draw(r.t, "status")
	case spec.WithRules:
		request.Rules = drawRules(r.t)
	default:
		r.t.Fatalf("nobody draws the member %q", member)
	}
}

// drawReplaced lets a booking replace another now and then, mostly one of the
// same person.
func (r drawing) drawReplaced(request *spec.Request) {
	if len(r.bookings) == 0 || rapid.IntRange(0, 3).Draw(r.t, "replaces") < 3 {
		return
	}
	request.Replaces = r.booking(func(b spec.Booking) bool { return b.Status.TakesSeats() })
	if rapid.IntRange(0, 9).Draw(r.t, "another's") < 9 {
		old, _ := r.model.Booking(request.Replaces)
		request.Who = old.Person
	}
}

func (r drawing) person() int { return rapid.IntRange(0, len(r.people)-1).Draw(r.t, "person") }

func (r drawing) slot() int { return rapid.IntRange(0, len(r.slots)-1).Draw(r.t, "slot") }

func (r drawing) seats() int { return rapid.SampledFrom([]int{1, 2, 3}).Draw(r.t, "seats") }

// booking is one that fits if there is one, or now and then any other: what is
// wrong must be refused, too.
func (r drawing) booking(fits func(spec.Booking) bool) int {
	if len(r.bookings) == 0 {
		r.t.Skip("nobody has booked yet")
	}
	var fitting, others []int
	for _, b := range r.model.Bookings() {
		if fits(b) {
			fitting = append(fitting, b.Number)
		} else {
			others = append(others, b.Number)
		}
	}
	if wrong := rapid.IntRange(0, 5).Draw(r.t, "wrong") == 5; len(fitting) == 0 || wrong && len(others) > 0 {
		fitting = others
	}
	return rapid.SampledFrom(fitting).Draw(r.t, "booking")
}

// actor is mostly the owner of a booking, sometimes the organizer, and sometimes
// somebody who may not.
func (r drawing) actor(booking int) int {
	b, _ := r.model.Booking(booking)
	owner, another := b.Person, (b.Person+1)%len(r.people)
	return rapid.SampledFrom([]int{owner, owner, owner, owner, spec.Organizer, another, spec.Stranger}).Draw(r.t, "who")
}

// manager is mostly the organizer.
func (r drawing) manager() int {
	o := spec.Organizer
	return rapid.SampledFrom([]int{o, o, o, o, o, o, 0, spec.Stranger}).Draw(r.t, "who")
}

// expire lets the time of a hold or an offer run out: the database is told that
// it has, and the next command of the slot finds it.
func (r drawing) expire(*rapid.T) {
	number := r.booking(func(b spec.Booking) bool { return b.Status == spec.Held || b.Status == spec.Offered })
	r.t.Logf("booking %d runs out", number)
	r.expireNow(number)
}

// pass lets the time pass, now and then, until a slot starts or ends: the database is
// told that all slots are earlier.
func (r drawing) pass(*rapid.T) {
	hour := rapid.IntRange(0, 9).Draw(r.t, "hour")
	if hour <= r.model.Hour || rapid.IntRange(0, 3).Draw(r.t, "really") < 3 {
		r.t.Skip("it would soon be over")
	}
	r.passTo(hour)
}

// earlier makes a slot's ledger and its check-ins older. Otherwise the doctor would find that bookings
// were changed after the end.
const earlier = `
	DO $$ BEGIN
		SET LOCAL session_replication_role = replica; -- The ledger is append-only.
		UPDATE ledger SET at = at - interval '%[1]d microseconds' WHERE slot_id = '%[2]s';
		UPDATE bookings SET checked_in_at = checked_in_at - interval '%[1]d microseconds' WHERE slot_id = '%[2]s';
	END $$`

func (r *run) passTo(hour int) {
	r.t.Logf("it is hour %d", hour)
	// Half an hour after the hour, so that no slot starts or ends by itself.
	shift := r.wanted[0].StartsAt.Sub(time.Now().Add(-time.Duration(hour)*time.Hour - 30*time.Minute))
	reporter := reporter{r.service.t, r.t}
	for i, id := range r.slots { // the first first: nobody gets seats in two at once
		r.wanted[i].StartsAt, r.wanted[i].EndsAt = r.wanted[i].StartsAt.Add(-shift), r.wanted[i].EndsAt.Add(-shift)
		testkit.Exec(reporter, r.pool, "UPDATE slots SET starts_at = $2, ends_at = $3 WHERE id = $1", id, r.wanted[i].StartsAt, r.wanted[i].EndsAt)
		testkit.Exec(reporter, r.pool, "UPDATE bookings SET expires_at = least(expires_at, $2) WHERE slot_id = $1 AND expires_at IS NOT NULL", id, r.wanted[i].StartsAt)
		testkit.Exec(reporter, r.pool, fmt.Sprintf(earlier, shift.Microseconds(), id))
	}
	r.model.Pass(hour)
	for i := range r.slots {
		r.send(spec.Request{Verb: spec.Promote, Who: spec.Organizer, Slot: i})
	}
	r.compare()
}

func (r *run) expireNow(number int) {
	testkit.Exec(reporter{r.service.t, r.t}, r.pool,
		"UPDATE bookings SET expires_at = clock_timestamp() WHERE id = $1 AND status IN ('held', 'offered')", r.bookings[number])
	r.model.Expire(number)
	b, _ := r.model.Booking(number)
	r.do(spec.Request{Verb: spec.Promote, Who: spec.Organizer, Slot: b.Slot})
}
