package sequence_test

import (
	"testing"

	"eventbooking/internal/proof/sequence"
)

// two slots at the same time and one later, of one seat each.
func three(rules sequence.Rules) *sequence.House {
	return sequence.New(rules, sequence.Slot{From: 0, To: 2, Capacity: 1}, sequence.Slot{From: 1, To: 3, Capacity: 1},
		sequence.Slot{From: 3, To: 5, Capacity: 1})
}

func wish(person, slot int) sequence.Wish {
	return sequence.Wish{Person: person, Slot: slot, Seats: 1, Wait: true, Replaces: sequence.None}
}

var automatic = sequence.Rules{Waitlist: "automatic", Limit: sequence.None}

// One way to rest, and nobody is forgotten.
func TestHouseComesToRest(t *testing.T) {
	t.Parallel()
	h := three(automatic)
	for i, w := range []sequence.Wish{wish(0, 0), wish(1, 0), wish(2, 0)} {
		if a := h.Book(w); a.Status != 201 || a.Bookings[0] != i {
			t.Fatalf("%+v", a)
		}
	}
	h.Cancel(0, 0, false)
	rests := h.Rests()
	if len(rests) != 1 || rests[0].Bookings[1].Status != sequence.Confirmed || rests[0].ViewBooking(2).Position != 1 {
		t.Errorf("%+v", rests)
	}
}

// Where two slots may promote the same person, but not both, it is either.
func TestHouseFollowsEveryOrder(t *testing.T) {
	t.Parallel()
	h := sequence.New(automatic, sequence.Slot{From: 0, To: 4, Capacity: 1}, sequence.Slot{From: 0, To: 2, Capacity: 1},
		sequence.Slot{From: 1, To: 3, Capacity: 1})
	h.Book(wish(1, 1))
	h.Book(wish(2, 2))
	h.Book(wish(0, 1))
	h.Book(wish(0, 2))
	h.Cancel(1, 0, false)
	h.Cancel(2, 1, false)
	statuses := map[[2]string]bool{}
	for _, rest := range h.Rests() {
		statuses[[2]string{rest.Bookings[2].Status, rest.Bookings[3].Status}] = true
	}
	if !statuses[[2]string{"confirmed", "waitlisted"}] || !statuses[[2]string{"waitlisted", "confirmed"}] || len(statuses) != 2 {
		t.Errorf("%v", statuses)
	}
}

// A view that is not what it should be is told from one that is, in each part.
func TestDifferenceAndCheck(t *testing.T) {
	t.Parallel()
	good := func() sequence.View {
		h := three(automatic)
		h.Book(wish(0, 0))
		h.Book(wish(1, 0))
		return h.View(0)
	}
	if d := sequence.Difference(good(), good()); d != "" {
		t.Error(d)
	}
	if err := good().Check(); err != nil {
		t.Error(err)
	}
	edit := func(b int, change func(*sequence.BookingView)) func(*sequence.View) {
		return func(v *sequence.View) {
			it := v.Bookings[b]
			change(&it)
			v.Bookings[b] = it
		}
	}
	for name, c := range map[string]struct {
		change  func(*sequence.View)
		checked bool // also without a model
	}{
		"one seat too many":    {func(v *sequence.View) { v.Taken = 2 }, true},
		"oversold":             {edit(1, func(b *sequence.BookingView) { b.Status, b.Position = sequence.Confirmed, 0 }), true},
		"nobody waits":         {func(v *sequence.View) { v.Waiting = 0 }, true},
		"not in the queue":     {func(v *sequence.View) { v.Queue = nil }, true},
		"another place":        {edit(1, func(b *sequence.BookingView) { b.Position = 2 }), true},
		"a place with seats":   {edit(0, func(b *sequence.BookingView) { b.Position = 1 }), true},
		"a gap in the ledger":  {func(v *sequence.View) { v.Ledger = v.Ledger[:2] }, true},
		"another's entry":      {func(v *sequence.View) { v.Ledger[1].Booking = 1 }, true},
		"another kind":         {func(v *sequence.View) { v.Ledger[1].Kind = "held" }, false},
		"another person":       {edit(0, func(b *sequence.BookingView) { b.Person = 2 }), false},
		"passed":               {func(v *sequence.View) { v.Queue[0].Passes++ }, false},
		"closed":               {func(v *sequence.View) { v.Status = sequence.Closed }, false},
		"a booking is missing": {func(v *sequence.View) { delete(v.Bookings, 0) }, true},
	} {
		bad := good()
		c.change(&bad)
		if sequence.Difference(good(), bad) == "" {
			t.Errorf("%s: no difference", name)
		}
		if err := bad.Check(); (err != nil) != c.checked {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckPeople(t *testing.T) {
	t.Parallel()
	h := three(automatic)
	h.Book(wish(0, 0))
	h.Book(wish(0, 2))
	views := func() []sequence.View { return []sequence.View{h.View(0), h.View(1), h.View(2)} }
	if err := sequence.CheckPeople(h.Slots, views()); err != nil {
		t.Error(err)
	}
	overlap := views()
	overlap[1].Bookings[2] = sequence.BookingView{Person: 0, Slot: 1, Status: sequence.Offered}
	if sequence.CheckPeople(h.Slots, overlap) == nil {
		t.Error("seats that overlap")
	}
	twice := views()
	twice[0].Bookings[2] = sequence.BookingView{Person: 0, Slot: 0, Status: sequence.Waitlisted}
	if sequence.CheckPeople(h.Slots, twice) == nil {
		t.Error("two live bookings of a slot")
	}
}
