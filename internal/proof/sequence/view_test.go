//go:build unix

package sequence

import (
	"testing"

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
	good := func() slotView {
		return show(model(bookOrWait(0, 0, 1), bookOrWait(1, 0, 1)), 0)
	}
	if d := difference(good(), good()); d != "" {
		t.Error(d)
	}
	if err := good().check(); err != nil {
		t.Error(err)
	}
	edit := func(b int, change func(*bookingView)) func(*slotView) {
		return func(v *slotView) {
			it := v.Bookings[b]
			change(&it)
			v.Bookings[b] = it
		}
	}
	for name, c := range map[string]struct {
		change  func(*slotView)
		checked bool // also without a model
	}{
		"one seat too many":     {func(v *slotView) { v.Taken = 2 }, true},
		"oversold":              {edit(1, func(b *bookingView) { b.Status, b.Position = spec.Confirmed, 0 }), true},
		"nobody waits":          {func(v *slotView) { v.Waiting = 0 }, true},
		"not in the queue":      {func(v *slotView) { v.Queue = nil }, true},
		"another position":      {edit(1, func(b *bookingView) { b.Position = 2 }), true},
		"a position with seats": {edit(0, func(b *bookingView) { b.Position = 1 }), true},
		"a gap in the ledger":   {func(v *slotView) { v.Ledger = v.Ledger[:2] }, true},
		"another's entry":       {func(v *slotView) { v.Ledger[1].Booking = 1 }, true},
		"another kind":          {func(v *slotView) { v.Ledger[1].Kind = "held" }, false},
		"another person":        {edit(0, func(b *bookingView) { b.Person = 2 }), false},
		"passed":                {func(v *slotView) { v.Queue[0].Passes++ }, false},
		"closed":                {func(v *slotView) { v.Status = spec.Closed }, false},
		"a booking is missing":  {func(v *slotView) { delete(v.Bookings, 0) }, true},
	} {
		bad := good()
		c.change(&bad)
		if difference(good(), bad) == "" {
			t.Errorf("%s: no difference", name)
		}
		if err := bad.check(); (err != nil) != c.checked {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOverlapsAndSecondBookingsAreFound(t *testing.T) {
	t.Parallel()
	m := model(bookOrWait(0, 0, 1), bookOrWait(0, 2, 1))
	views := func() []slotView {
		return []slotView{show(m, 0), show(m, 1), show(m, 2)}
	}
	if err := checkPeople(m, views()); err != nil {
		t.Error(err)
	}
	overlap := views()
	overlap[1].Bookings[2] = bookingView{Person: 0, Slot: 1, Status: spec.Offered}
	if checkPeople(m, overlap) == nil {
		t.Error("seats that overlap")
	}
	twice := views()
	twice[0].Bookings[2] = bookingView{Person: 0, Slot: 0, Status: spec.Waitlisted}
	if checkPeople(m, twice) == nil {
		t.Error("two live bookings of a slot")
	}
}
