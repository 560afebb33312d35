//go:build unix

package sequence_test

import (
	"testing"

	"eventbooking/internal/proof/sequence"
	"eventbooking/internal/proof/spec"
)

// model is two slots at overlapping times and one later, of one seat each, with
// some bookings.
func model(requests ...spec.Request) *spec.Model {
	m := spec.New(spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, spec.Slot{From: 0, To: 2, Capacity: 1},
		spec.Slot{From: 1, To: 3, Capacity: 1}, spec.Slot{From: 3, To: 5, Capacity: 1})
	for _, r := range requests {
		m.Do(r)
	}
	return m
}

// A view that is not what it should be is told from one that is, in each part.
func TestAWrongViewIsTold(t *testing.T) {
	t.Parallel()
	good := func() sequence.View {
		return sequence.ViewOf(model(bookOrWait(0, 0, 1), bookOrWait(1, 0, 1)), 0)
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
		"one seat too many":     {func(v *sequence.View) { v.Taken = 2 }, true},
		"oversold":              {edit(1, func(b *sequence.BookingView) { b.Status, b.Position = spec.Confirmed, 0 }), true},
		"nobody waits":          {func(v *sequence.View) { v.Waiting = 0 }, true},
		"not in the queue":      {func(v *sequence.View) { v.Queue = nil }, true},
		"another position":      {edit(1, func(b *sequence.BookingView) { b.Position = 2 }), true},
		"a position with seats": {edit(0, func(b *sequence.BookingView) { b.Position = 1 }), true},
		"a gap in the ledger":   {func(v *sequence.View) { v.Ledger = v.Ledger[:2] }, true},
		"another's entry":       {func(v *sequence.View) { v.Ledger[1].Booking = 1 }, true},
		"another kind":          {func(v *sequence.View) { v.Ledger[1].Kind = "held" }, false},
		"another person":        {edit(0, func(b *sequence.BookingView) { b.Person = 2 }), false},
		"passed":                {func(v *sequence.View) { v.Queue[0].Passes++ }, false},
		"closed":                {func(v *sequence.View) { v.Status = spec.Closed }, false},
		"a booking is missing":  {func(v *sequence.View) { delete(v.Bookings, 0) }, true},
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

func TestOverlapsAndSecondBookingsAreFound(t *testing.T) {
	t.Parallel()
	m := model(bookOrWait(0, 0, 1), bookOrWait(0, 2, 1))
	views := func() []sequence.View {
		return []sequence.View{sequence.ViewOf(m, 0), sequence.ViewOf(m, 1), sequence.ViewOf(m, 2)}
	}
	if err := sequence.CheckPeople(m, views()); err != nil {
		t.Error(err)
	}
	overlap := views()
	overlap[1].Bookings[2] = sequence.BookingView{Person: 0, Slot: 1, Status: spec.Offered}
	if sequence.CheckPeople(m, overlap) == nil {
		t.Error("seats that overlap")
	}
	twice := views()
	twice[0].Bookings[2] = sequence.BookingView{Person: 0, Slot: 0, Status: spec.Waitlisted}
	if sequence.CheckPeople(m, twice) == nil {
		t.Error("two live bookings of a slot")
	}
}
