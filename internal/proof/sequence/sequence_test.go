//go:build unix

package sequence_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eventbooking/gen/api"
	"eventbooking/internal/audit"
	"eventbooking/internal/proof/sequence"
	"eventbooking/internal/testkit"
)

// TestMain makes the plain run a short one; flags say otherwise.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "10", "rapid.steps": "25", "rapid.shrinktime": "2m"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}

func TestSequences(t *testing.T) {
	s := openService(t)
	rapid.Check(t, func(t *rapid.T) {
		m := s.draw(t)
		m.compare()
		t.Repeat(map[string]func(*rapid.T){
			"book": m.book, "book or wait": m.bookOrWait, "book another": m.bookOrWait, "book with less": m.bookWithLess,
			"upgrade": m.upgrade, "hold": m.hold, "bundle": m.bundle,
			"confirm": m.confirm, "accept": m.accept, "decline": m.decline, "cancel": m.cancel, "move": m.move,
			"resize": m.resize, "check in": m.checkIn, "lapse": m.lapse,
			"capacity": m.capacity, "open or close": m.restate, "cancel slot": m.cancelSlot, "promote": m.promote,
			"read": m.read, "read lists": m.readLists,
		})
	})
	findings, err := audit.Doctor(t.Context(), s.pool, nil)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v %v", findings, err)
	}
}

func (m *machine) person() int { return rapid.IntRange(0, len(m.people)-1).Draw(m.t, "person") }

func (m *machine) anySlot() int { return rapid.IntRange(0, len(m.slots)-1).Draw(m.t, "slot") }

func (m *machine) seats() int { return rapid.SampledFrom([]int{1, 2, 3}).Draw(m.t, "seats") }

// some is a booking for which a question holds if there is one, or now and then
// any other: what is wrong must be refused, too.
func (m *machine) some(fits func(sequence.Booking) bool) int {
	if len(m.bookings) == 0 {
		m.t.Skip("nobody has booked yet")
	}
	var fitting, others []int
	for i, b := range m.house.Bookings {
		if fits(b) {
			fitting = append(fitting, i)
		} else {
			others = append(others, i)
		}
	}
	if wrong := rapid.IntRange(0, 5).Draw(m.t, "wrong") == 5; len(fitting) == 0 || wrong && len(others) > 0 {
		fitting = others
	}
	return rapid.SampledFrom(fitting).Draw(m.t, "booking")
}

func status(want string) func(sequence.Booking) bool {
	return func(b sequence.Booking) bool { return b.Status == want }
}

// actor is mostly whose booking it is, sometimes who may, sometimes who may not.
func (m *machine) actor(b int) int {
	owner := m.house.Bookings[b].Person
	return rapid.SampledFrom([]int{owner, owner, owner, owner, sequence.Organizer, (owner + 1) % len(m.people), sequence.Stranger}).Draw(m.t, "who")
}

// manager is mostly the organizer.
func (m *machine) manager() int {
	o := sequence.Organizer
	return rapid.SampledFrom([]int{o, o, o, o, o, o, 0, sequence.Stranger}).Draw(m.t, "who")
}

func (m *machine) book(*rapid.T) {
	m.wish(sequence.Wish{Person: m.person(), Slot: m.anySlot(), Seats: m.seats(), Replaces: sequence.None})
}

func (m *machine) bookOrWait(*rapid.T) {
	m.wish(sequence.Wish{Person: m.person(), Slot: m.anySlot(), Seats: m.seats(), Wait: true, Replaces: sequence.None})
}

func (m *machine) bookWithLess(*rapid.T) {
	m.wish(sequence.Wish{Person: m.person(), Slot: m.anySlot(), Seats: m.seats(), Least: m.seats(), Wait: true, Replaces: sequence.None})
}

func (m *machine) upgrade(*rapid.T) {
	old := m.some(sequence.Booking.Seated)
	person := m.house.Bookings[old].Person
	if rapid.IntRange(0, 9).Draw(m.t, "another's") == 9 {
		person = m.person()
	}
	m.wish(sequence.Wish{Person: person, Slot: m.anySlot(), Seats: m.seats(), Wait: rapid.Bool().Draw(m.t, "wait"), Replaces: old})
}

func (m *machine) wish(w sequence.Wish) {
	m.tell(w.Person, "books: %+v", w)
	body := map[string]any{"seats": w.Seats, "if_full": "reject"}
	if w.Wait {
		body["if_full"] = "waitlist"
	}
	if w.Least > 0 {
		body["seats_min"] = w.Least
	}
	if w.Replaces != sequence.None {
		body["replaces_booking_id"] = m.bookings[w.Replaces]
	}
	m.came(m.as(w.Person).Post(m.slot(w.Slot, "/bookings"), body), m.house.Book(w))
}

func (m *machine) hold(*rapid.T) {
	w := sequence.Wish{Person: m.person(), Slot: m.anySlot(), Seats: m.seats(), Replaces: sequence.None}
	m.tell(w.Person, "holds: %+v", w)
	m.came(m.as(w.Person).Post(m.slot(w.Slot, "/holds"), map[string]int{"seats": w.Seats}), m.house.Hold(w))
}

func (m *machine) bundle(*rapid.T) {
	person := m.person()
	var wishes []sequence.Wish
	var items []map[string]any
	for range rapid.IntRange(1, 3).Draw(m.t, "items") {
		w := sequence.Wish{Person: person, Slot: m.anySlot(), Seats: m.seats(), Replaces: sequence.None}
		wishes = append(wishes, w)
		items = append(items, map[string]any{"slot_id": m.slots[w.Slot], "seats": w.Seats})
	}
	m.tell(person, "books together: %+v", wishes)
	m.came(m.as(person).Post("/api/v1/bookings", map[string]any{"items": items}), m.house.Bundle(wishes))
}

func (m *machine) confirm(*rapid.T) { m.turn("confirm", sequence.Held, m.house.Confirm) }
func (m *machine) accept(*rapid.T)  { m.turn("accept", sequence.Offered, m.house.Accept) }
func (m *machine) decline(*rapid.T) { m.turn("decline", sequence.Offered, m.house.Decline) }

// turn sends one of the commands that say nothing but what to do with a booking.
func (m *machine) turn(verb, from string, command func(who, b int) sequence.Answer) {
	b := m.some(status(from))
	who := m.actor(b)
	m.tell(who, "%ss booking %d", verb, b)
	m.came(m.as(who).Post(m.booking(b, "/"+verb), nil), command(who, b))
}

func (m *machine) cancel(*rapid.T) {
	b := m.some(sequence.Booking.Live)
	who, why := m.actor(b), rapid.Bool().Draw(m.t, "why")
	m.tell(who, "cancels booking %d, reason given: %t", b, why)
	body := map[string]string{}
	if why {
		body["reason"] = "Because."
	}
	m.came(m.as(who).Post(m.booking(b, "/cancel"), body), m.house.Cancel(who, b, why))
}

func (m *machine) move(*rapid.T) {
	b, slot := m.some(status(sequence.Confirmed)), m.anySlot()
	who := m.actor(b)
	m.tell(who, "moves booking %d to slot %d", b, slot)
	m.came(m.as(who).Post(m.booking(b, "/move"), map[string]any{"slot_id": m.slots[slot]}), m.house.Move(who, b, slot))
}

func (m *machine) resize(*rapid.T) {
	b := m.some(sequence.Booking.Live)
	who, seats := m.actor(b), m.seats()
	least := rapid.SampledFrom([]int{sequence.None, sequence.None, 0, 1, 2}).Draw(m.t, "least")
	m.tell(who, "resizes booking %d to %d seats, %d at least", b, seats, least)
	body := map[string]any{"seats": seats}
	if least == 0 {
		body["seats_min"] = nil
	} else if least != sequence.None {
		body["seats_min"] = least
	}
	answer := m.as(who).Patch(m.booking(b, ""), body)
	want := m.house.Resize(who, b, seats, least)
	// It is read again for the answer, and may have been promoted by then.
	want.Bookings = nil
	m.came(answer, want)
}

func (m *machine) checkIn(*rapid.T) {
	b := m.some(status(sequence.Confirmed))
	who, come := m.manager(), rapid.Bool().Draw(m.t, "come")
	m.tell(who, "checks booking %d in: %t", b, come)
	send := m.as(who).Delete
	if come {
		send = func(path string, o ...testkit.RequestOption) testkit.Answer { return m.as(who).Post(path, nil, o...) }
	}
	m.came(send(m.booking(b, "/check-in")), m.house.CheckIn(who, b, come))
}

// lapse lets the time of a hold or an offer run out: the database is told that
// it has, and the next command of the slot finds it.
func (m *machine) lapse(*rapid.T) {
	b := m.some(func(b sequence.Booking) bool { return b.Status == sequence.Held || b.Status == sequence.Offered })
	m.tell(m.house.Bookings[b].Person, "lets booking %d run out", b)
	testkit.Exec(witness{m.service.t, m.t}, m.pool,
		"UPDATE bookings SET expires_at = clock_timestamp() WHERE id = $1 AND status IN ('held', 'offered')", m.bookings[b])
	m.house.Lapse(b)
	m.came(m.as(sequence.Organizer).Post(m.slot(m.house.Bookings[b].Slot, "/promote"), nil), m.house.Promote(sequence.Organizer))
}

func (m *machine) capacity(*rapid.T) {
	slot, who, seats := m.anySlot(), m.manager(), rapid.IntRange(1, 4).Draw(m.t, "capacity")
	m.tell(who, "gives slot %d %d seats", slot, seats)
	m.came(m.edit(who, slot, map[string]any{"capacity": seats}), m.house.Resettle(who, slot, seats))
}

func (m *machine) restate(*rapid.T) {
	slot, who := m.anySlot(), m.manager()
	to := rapid.SampledFrom([]string{sequence.Open, sequence.Open, sequence.Open, sequence.Closed}).Draw(m.t, "status")
	m.tell(who, "makes slot %d %s", slot, to)
	m.came(m.edit(who, slot, map[string]any{"status": to}), m.house.Restate(who, slot, to))
}

func (m *machine) edit(who, slot int, body any) testkit.Answer {
	return m.as(who).Patch(m.slot(slot, ""), body, testkit.Header("If-Match", "*"))
}

func (m *machine) cancelSlot(*rapid.T) {
	if rapid.IntRange(0, 7).Draw(m.t, "really") != 7 {
		m.t.Skip("it would soon be over")
	}
	slot, who := m.anySlot(), m.manager()
	m.tell(who, "cancels slot %d", slot)
	m.came(m.as(who).Post(m.slot(slot, "/cancel"), map[string]string{"reason": "Rain."}), m.house.CancelSlot(who, slot))
}

func (m *machine) promote(*rapid.T) {
	slot, who := m.anySlot(), m.manager()
	m.tell(who, "promotes slot %d", slot)
	m.came(m.as(who).Post(m.slot(slot, "/promote"), nil), m.house.Promote(who))
}

// read asks for all that one booking shows, as somebody.
func (m *machine) read(*rapid.T) {
	b := m.some(sequence.Booking.Live)
	who := m.actor(b)
	m.tell(who, "looks at booking %d", b)
	want := m.house.See(who, b)
	m.answered(m.as(who).Get(m.booking(b, "")), sequence.Answer{Status: want.Status, Code: want.Code})
	position := m.as(who).Get(m.booking(b, "/waitlist-position"))
	m.answered(position, sequence.Answer{Status: want.Status, Code: want.Code})
	m.answered(m.as(who).Get(m.booking(b, "/chain")), sequence.Answer{Status: want.Status, Code: want.Code})
	preview := m.as(who).Get(m.booking(b, "/cancellation-preview"))
	m.answered(preview, sequence.Answer{Status: want.Status, Code: want.Code})
	if want.Status != 200 {
		return
	}
	m.explained(b, position)
	m.previewed(b, preview)
	history := all[api.LedgerEntry](m.as(who), m.booking(b, "/history"))
	if len(history) != len(m.house.History(b)) {
		m.t.Fatalf("booking %d has a history of %d entries, want %v", b, len(history), m.house.History(b))
	}
	for _, e := range history {
		if promoted := e.Kind == api.LedgerKindPromoted || e.Kind == api.LedgerKindOffered; promoted && e.Cause.IsNull() {
			m.t.Fatalf("booking %d was promoted, and nothing was the cause: %+v", b, e)
		}
	}
}

// explained compares the place in the queue, and who is before.
func (m *machine) explained(b int, answer testkit.Answer) {
	var got api.WaitlistPosition
	answer.Into(&got)
	place, _ := got.Position.Get()
	it := m.house.Bookings[b]
	bookings, seats := m.house.Ahead(b)
	if place != m.house.ViewBooking(b).Position || got.Blocked != it.Blocked || m.index(orNil(got.BlockedBy.Get)) != it.Blocker ||
		got.BookingsAhead != bookings || got.SeatsAhead != seats || it.Status == sequence.Waitlisted && got.Passes != it.Passes {
		m.t.Fatalf("booking %d waits behind %d bookings with %d seats as %+v, and is told %s", b, bookings, seats, it, answer.Body)
	}
	if (len(got.Reasons) > 0) != (it.Status == sequence.Waitlisted) {
		m.t.Fatalf("booking %d is %s, for these reasons: %+v", b, it.Status, got.Reasons)
	}
	for _, r := range got.Reasons {
		if r.Code == api.WaitReasonCodePromotionPending {
			m.t.Fatalf("booking %d is told that its promotion is pending, at rest", b)
		}
	}
}

// previewed compares what cancelling is said to do.
func (m *machine) previewed(b int, answer testkit.Answer) {
	var got api.CancellationPreview
	answer.Into(&got)
	after := m.house.Clone()
	slot, before := m.house.Bookings[b].Slot, m.house.Taken(m.house.Bookings[b].Slot)
	allowed := after.Cancel(m.house.Bookings[b].Person, b, true).Status == 200
	if got.Allowed != allowed || got.SeatsFreed != before-after.Taken(slot) {
		m.t.Fatalf("cancelling booking %d of %+v is said to be %s", b, m.house.Bookings[b], answer.Body)
	}
}

// readLists asks for what somebody has, and for what only others may see.
func (m *machine) readLists(*rapid.T) {
	who := m.person()
	m.tell(who, "looks at all bookings")
	var mine []int
	for _, b := range all[api.Booking](m.as(who), "/api/v1/me/bookings") {
		mine = append(mine, m.index(&b.ID))
		if got, want := m.view(b), m.house.ViewBooking(m.index(&b.ID)); got != want {
			m.t.Fatalf("the list shows another booking:\n  want %+v\n  got  %+v", want, got)
		}
	}
	slices.Sort(mine)
	if want := m.house.Of(who); !slices.Equal(mine, want) {
		m.t.Fatalf("person %d has bookings %v, want %v", who, mine, want)
	}
	from := rapid.IntRange(0, 8).Draw(m.t, "from")
	to := from + rapid.IntRange(1, 3).Draw(m.t, "hours")
	var found api.BookingList
	m.as(who).Get("/api/v1/me/conflicts?starts_at=" + m.at(from) + "&ends_at=" + m.at(to)).Want(200).Into(&found)
	var conflicts []int
	for _, b := range found.Data {
		conflicts = append(conflicts, m.index(&b.ID))
	}
	slices.Sort(conflicts)
	if want := m.house.Conflicts(who, from, to); !slices.Equal(conflicts, want) {
		m.t.Fatalf("person %d has conflicts %v from %d to %d, want %v", who, conflicts, from, to, want)
	}
	slot := m.anySlot()
	for _, list := range []string{"/bookings", "/waitlist", "/ledger"} {
		m.answered(m.as(who).Get(m.slot(slot, list)), sequence.Answer{Status: 403, Code: "not_permitted"})
	}
}
