//go:build unix

package linear

import (
	"net/http"
	"testing"

	"github.com/anishathalye/porcupine"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
)

// step is a call with its answer. It comes after the one before it, or, if it
// says with, at the same time.
type step struct {
	spec.Request
	answer
	with bool
}

// explained tells whether porcupine finds an order.
func explained(model porcupine.Model, steps []step) bool {
	var history []porcupine.Operation
	at := int64(0)
	for i, s := range steps {
		if !s.with {
			at += 10
		}
		history = append(history, porcupine.Operation{ClientId: i, Input: &s.Request, Output: s.answer, Call: at, Return: at + 5})
	}
	return porcupine.CheckOperations(model, history)
}

type scenario struct {
	name  string
	steps []step
	good  bool
}

func check(t *testing.T, model porcupine.Model, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if good := explained(model, s.steps); good != s.good {
				t.Errorf("the model says %v", good)
			}
		})
	}
}

func has(user, booking, seats int) view {
	return view{User: user, Booking: booking, Status: spec.Confirmed, Seats: seats}
}

func queued(user, booking, seats, position int) view {
	return view{User: user, Booking: booking, Status: spec.Waitlisted, Seats: seats, Position: position}
}

func stuck(v view) view {
	v.Blocked = true
	return v
}

func gone(user, booking int) view {
	return view{User: user, Booking: booking, Status: spec.Cancelled}
}

func no(code spec.Code, item int) answer {
	status := http.StatusConflict
	if code == "validation_failed" {
		status = http.StatusUnprocessableEntity
	}
	return answer{Status: status, Code: code, Item: item}
}

// books is a booking that gets what is shown; refused is one that does not.
func books(slot int, v view) step {
	return step{Request: spec.Request{Verb: spec.Book, Who: v.User, Slot: slot, Seats: v.Seats, Wait: true, Replaces: spec.None}, answer: answer{Status: http.StatusCreated, Shown: []view{v}}}
}

func refused(slot, user, seats int, code spec.Code) step {
	return step{Request: spec.Request{Verb: spec.Book, Who: user, Slot: slot, Seats: seats, Replaces: spec.None}, answer: no(code, spec.None)}
}

func cancels(user int, booking int) step {
	return step{Request: spec.Request{Verb: spec.Cancel, Who: user, Booking: booking}, answer: answer{Status: http.StatusOK, Shown: []view{gone(user, booking)}}}
}

func reduces(user int, booking int) step {
	return step{Request: spec.Request{Verb: spec.Resize, Who: user, Booking: booking, Seats: 1, Least: spec.None}, answer: answer{Status: http.StatusOK, Shown: []view{has(user, booking, 1)}}}
}

func sees(v view) step {
	return step{Request: spec.Request{Verb: spec.ReadBooking, Who: v.User, Booking: v.Booking}, answer: answer{Status: http.StatusOK, Shown: []view{v}}}
}

func counts(slot, taken, waiting int) step {
	return step{Request: spec.Request{Verb: spec.ReadSlot, Slot: slot}, answer: answer{Status: http.StatusOK, Taken: taken, Waiting: waiting}}
}

func lists(slot int, views ...view) step {
	return step{Request: spec.Request{Verb: spec.ListBookings, Slot: slot}, answer: answer{Status: http.StatusOK, Shown: views}}
}

// moves is a move of the booking before the one that is shown.
func moves(from int, to int, v view) step {
	return step{Request: spec.Request{Verb: spec.Move, Who: v.User, Slot: to, Booking: from}, answer: answer{Status: http.StatusCreated, Shown: []view{v}}}
}

func bundles(user int, items []int, a answer) step {
	s := step{Request: spec.Request{Verb: spec.Bundle, Who: user}, answer: a}
	for _, slot := range items {
		s.Items = append(s.Items, spec.Request{Who: user, Slot: slot, Seats: 1, Replaces: spec.None})
	}
	return s
}

func shown(views ...view) answer { return answer{Status: http.StatusCreated, Shown: views} }

// instead makes a booking one that gives another back.
func (s step) instead(booking int) step {
	s.Replaces = booking
	return s
}

func (s step) meanwhile() step {
	s.with = true
	return s
}

func TestTheSlotModelExplainsWhatCanBe(t *testing.T) {
	t.Parallel()
	full := []step{books(0, has(0, 1, 1)), books(0, has(1, 2, 1)), books(0, queued(2, 3, 1, 1)), books(0, queued(3, 4, 1, 2))}
	then := func(steps ...step) []step { return append(full[:len(full):len(full)], steps...) }
	check(t, slotModel(oneSlot(2)), []scenario{
		{"a life", then(refused(0, 4, 1, "slot_full"), cancels(0, 1), cancels(0, 1), sees(gone(0, 1)), sees(has(2, 3, 1)), sees(queued(3, 4, 1, 1))), true},
		{"a promotion is seen later, then not taken back", then(cancels(0, 1), counts(0, 1, 2), sees(queued(2, 3, 1, 1)), counts(0, 2, 1)), true},
		{"two promotions are seen one by one", then(cancels(0, 1), cancels(1, 2), counts(0, 0, 2), counts(0, 1, 1), counts(0, 2, 0)), true},
		{"a newcomer comes after all promotions", then(cancels(0, 1), books(0, queued(4, 5, 1, 2)), counts(0, 2, 2)), true},
		{"who leaves the queue makes room in it", then(cancels(2, 3), cancels(0, 1), sees(has(3, 4, 1))), true},
		{"at the same time, in either order", []step{books(0, queued(0, 1, 1, 1)), books(0, has(1, 2, 2)).meanwhile()}, true},
		{"a large head keeps its place", []step{books(0, has(0, 1, 1)), books(0, queued(1, 2, 2, 1)), books(0, queued(2, 3, 1, 2)), counts(0, 1, 2)}, true},
		{"with fewer seats it fits", []step{books(0, has(0, 1, 1)), books(0, queued(1, 2, 2, 1)), reduces(1, 2), sees(has(1, 2, 1))}, true},
		{"seats given back are for the next", []step{books(0, has(0, 1, 2)), books(0, queued(1, 2, 1, 1)), reduces(0, 1), sees(has(1, 2, 1)), counts(0, 2, 0)}, true},
		{"everything at once", then(lists(0, has(0, 1, 1), has(1, 2, 1), queued(2, 3, 1, 1), queued(3, 4, 1, 2))), true},

		{"one too many", then(books(0, has(4, 5, 1))), false},
		{"two promoted for one seat", then(cancels(0, 1), sees(has(2, 3, 1)), sees(has(3, 4, 1))), false},
		{"the last comes first", then(cancels(0, 1), sees(has(3, 4, 1)), sees(queued(2, 3, 1, 1))), false},
		{"a newcomer goes past the queue", then(cancels(0, 1), books(0, has(4, 5, 1))), false},
		{"a smaller one goes past the head", []step{books(0, has(0, 1, 1)), books(0, queued(1, 2, 2, 1)), books(0, has(2, 3, 1))}, false},
		{"a promotion is taken back", then(cancels(0, 1), counts(0, 2, 1), sees(queued(2, 3, 1, 1))), false},
		{"a cancellation is forgotten", then(cancels(0, 1), sees(has(0, 1, 1))), false},
		{"the seats of a cancellation stay taken", []step{books(0, has(0, 1, 2)), cancels(0, 1), refused(0, 1, 1, "slot_full")}, false},
		{"the seat that a reduction gave back stays taken", []step{books(0, has(0, 1, 2)), reduces(0, 1), refused(0, 1, 1, "slot_full")}, false},
		{"the second of two free seats goes to nobody", []step{books(0, has(0, 1, 2)), books(0, queued(1, 2, 1, 1)), cancels(0, 1), refused(0, 2, 1, "slot_full")}, false},
		{"a place is counted wrongly", then(books(0, queued(4, 5, 1, 4))), false},
		{"a promotion without a seat", then(sees(has(2, 3, 1))), false},
		{"somebody leaves the queue unasked", then(sees(gone(2, 3))), false},
		{"a user has two bookings", then(books(0, queued(2, 5, 1, 3))), false},
		{"a refusal names a booking that is not there", []step{refused(0, 0, 1, "already_booked")}, false},
		{"a read is behind what was acknowledged", []step{books(0, has(0, 1, 1)), counts(0, 0, 0)}, false},
		{"a refusal is behind what was acknowledged", []step{books(0, has(0, 1, 2)), cancels(0, 1), refused(0, 1, 2, "slot_full")}, false},
		{"a list leaves somebody out", then(lists(0, has(0, 1, 1), has(1, 2, 1), queued(2, 3, 1, 1))), false},
		{"nobody is blocked in a slot alone", then(sees(stuck(queued(2, 3, 1, 1)))), false},
		{"the slot is not found", then(refused(0, 4, 1, "not_found")), false},
	})
}

// The first two slots, of one seat each, overlap; the third has two seats.
func TestTheModelOfThreeSlotsExplainsWhatCanBe(t *testing.T) {
	t.Parallel()
	// User 0 has 0, waits in 1 which user 1 has, and user 2 waits behind.
	busy := []step{books(0, has(0, 1, 1)), books(1, has(1, 2, 1)), books(1, queued(0, 3, 1, 1)), books(1, queued(2, 4, 1, 2))}
	// User 0 has 0, and waits in 1 to give that one back; user 2 waits in 0.
	chain := []step{books(0, has(0, 1, 1)), books(1, has(1, 2, 1)), books(1, queued(0, 3, 1, 1)).instead(1), books(0, queued(2, 4, 1, 1))}
	// User 0 has 2, and waits in 0 and in 1 to give it back.
	twice := []step{books(0, has(1, 1, 1)), books(1, has(2, 2, 1)), books(2, has(0, 3, 1)),
		books(0, queued(0, 4, 1, 1)).instead(3), books(1, queued(0, 5, 1, 1)).instead(3)}
	after := func(first []step, steps ...step) []step { return append(first[:len(first):len(first)], steps...) }
	check(t, threeModel([3]int{1, 1, 2}, 0), []scenario{
		{"blocked, passed, released, served", after(busy, cancels(1, 2), sees(stuck(queued(0, 3, 1, 1))), sees(has(2, 4, 1)),
			cancels(0, 1), sees(queued(0, 3, 1, 1)), cancels(2, 4), sees(has(0, 3, 1))), true},
		{"blocked still is seen for a while", after(busy, cancels(1, 2), sees(has(2, 4, 1)), cancels(0, 1), sees(stuck(queued(0, 3, 1, 1)))), true},
		{"a newcomer goes past who is blocked", after(busy, cancels(1, 2), cancels(2, 4), sees(stuck(queued(0, 3, 1, 1))), books(1, has(3, 5, 1))), true},
		{"a chain of upgrades", after(chain, cancels(1, 2), sees(has(0, 3, 1)), sees(gone(0, 1)), sees(has(2, 4, 1))), true},
		{"a newcomer waits for what has to be served first", after(chain, cancels(1, 2), refused(1, 3, 1, "slot_full"), sees(queued(0, 3, 1, 1)), sees(has(0, 3, 1))), true},
		{"an upgrade at once", []step{books(0, has(0, 1, 1)), books(1, has(0, 2, 1)).instead(1), sees(gone(0, 1)), books(0, has(1, 3, 1))}, true},
		{"an upgrade of what is gone is a plain wait", after(chain, cancels(0, 1), cancels(1, 2), sees(has(0, 3, 1))), true},
		{"of two waits for one booking the other names the winner", after(twice, cancels(1, 1), sees(has(0, 4, 1)), sees(gone(0, 3)),
			cancels(2, 2), sees(has(0, 5, 1)), sees(gone(0, 4))), true},
		{"a move between slots that overlap", []step{books(0, has(0, 1, 1)), moves(1, 1, has(0, 2, 1)), sees(gone(0, 1)), books(0, has(1, 3, 1))}, true},
		{"a bundle", []step{bundles(0, []int{2, 0}, shown(has(0, 1, 1), has(0, 2, 1))), refused(1, 0, 1, "booking_overlap"), counts(2, 1, 0)}, true},
		{"a bundle of what overlaps", []step{bundles(0, []int{0, 2, 1}, no("booking_overlap", spec.None))}, true},
		{"a bundle without seats for all", []step{books(0, has(1, 1, 1)), bundles(0, []int{2, 0}, no("slot_full", 1)), counts(2, 0, 0)}, true},
		{"who is busy may wait", after(busy, books(1, queued(3, 5, 1, 3))), true},

		{"two seats at one time", []step{books(0, has(0, 1, 1)), books(1, has(0, 2, 1))}, false},
		{"two seats at one time, by promotion", after(busy, cancels(1, 2), sees(has(0, 3, 1))), false},
		{"two seats at one time, by a bundle", []step{bundles(0, []int{0, 1}, shown(has(0, 1, 1), has(0, 2, 1)))}, false},
		{"two seats at one time, by a move", []step{books(0, has(0, 1, 1)), books(2, has(0, 2, 1)), moves(2, 1, has(0, 3, 1))}, false},
		{"a bundle is done by half", []step{books(0, has(1, 1, 1)), bundles(0, []int{2, 0}, no("slot_full", 1)), counts(2, 1, 0)}, false},
		{"a bundle is refused for nothing", []step{bundles(0, []int{2, 0}, no("slot_full", 1))}, false},
		{"a bundle names the wrong item", []step{books(0, has(1, 1, 1)), bundles(0, []int{2, 0}, no("slot_full", 0))}, false},
		{"half a move", []step{books(0, has(0, 1, 1)), moves(1, 2, has(0, 2, 1)), sees(has(0, 1, 1))}, false},
		{"a move keeps the seats taken", []step{books(0, has(0, 1, 1)), moves(1, 2, has(0, 2, 1)), refused(0, 1, 1, "slot_full")}, false},
		{"a move goes past the queue", after(busy, books(2, has(3, 5, 1)), cancels(1, 2), cancels(0, 1), moves(5, 1, has(3, 6, 1))), false},
		{"an upgrade keeps both", after(chain, cancels(1, 2), sees(has(0, 3, 1)), sees(has(0, 1, 1))), false},
		{"an upgrade has neither", after(chain, cancels(1, 2), sees(gone(0, 1)), sees(queued(0, 3, 1, 1))), false},
		{"an upgrade before its turn", after(chain, sees(gone(0, 1))), false},
		{"an upgrade forgets the winner", after(twice, cancels(1, 1), sees(has(0, 4, 1)), cancels(2, 2), sees(stuck(queued(0, 5, 1, 1)))), false},
		{"a chain stops, and a newcomer takes the seat", after(chain, cancels(1, 2), sees(gone(0, 1)), books(0, has(3, 5, 1))), false},
		{"a newcomer goes past who is ready", after(chain, cancels(1, 2), books(1, has(3, 5, 1))), false},
		{"blocked without a reason", []step{books(1, has(1, 2, 1)), books(1, queued(0, 3, 1, 1)), cancels(1, 2), sees(stuck(queued(0, 3, 1, 1)))}, false},
		{"blocked though nothing was free", after(busy, sees(stuck(queued(0, 3, 1, 1)))), false},
		{"who is blocked loses the place", after(busy, books(1, queued(3, 5, 1, 3)), cancels(1, 2), sees(has(2, 4, 1)), cancels(0, 1),
			sees(queued(0, 3, 1, 1)), cancels(2, 4), sees(has(3, 5, 1))), false},
		{"refused for an overlap that is over", []step{books(0, has(0, 1, 1)), cancels(0, 1), refused(1, 0, 1, "booking_overlap")}, false},
		{"refused as full before the overlap is looked at", []step{books(0, has(0, 1, 1)), books(1, has(1, 2, 1)), refused(1, 0, 1, "slot_full")}, false},
		{"somebody else's booking is given back", []step{books(0, has(1, 1, 1)), books(2, has(0, 2, 1)).instead(1), sees(gone(1, 1))}, false},
	})
}

// A list shows the whole state of a slot: what goes on from it is the same.
func TestAListShowsTheWholeStateOfASlot(t *testing.T) {
	t.Parallel()
	all := newStates()
	s := all.of(oneSlot(3))
	for _, step := range []step{books(0, has(4, 1, 2)), books(0, queued(2, 2, 2, 1)), books(0, queued(0, 3, 1, 2)), cancels(4, 1), books(0, queued(5, 4, 2, 1))} {
		after := all.lazily(s, step.Request, step.answer)
		if len(after) == 0 {
			t.Fatalf("%v → %v after %v", step.Request, step.answer, describeState(s))
		}
		s = after[0].(*state)
	}
	shown := []view{has(2, 2, 2), has(0, 3, 1), queued(5, 4, 2, 1)}
	if got := slotAt(3, shown); all.of(got) != s {
		t.Errorf("%v, want %v", describeState(all.of(got)), describeState(s))
	}
}

func TestWhatIsUnfinishedIsFound(t *testing.T) {
	t.Parallel()
	h := newHistory(&lab.Deployment{}, nil, []lab.Slot{{Capacity: 2}, {Capacity: 1}, {Capacity: 1}})
	for name, c := range map[string]struct {
		lists      [][]view
		unfinished bool
	}{
		"nobody waits":                    {[][]view{{has(0, 1, 1)}, nil, nil}, false},
		"full":                            {[][]view{{has(0, 1, 2), queued(1, 2, 1, 1)}, nil, nil}, false},
		"the head is too large":           {[][]view{{has(0, 1, 1), queued(1, 2, 2, 1), queued(2, 3, 1, 2)}, nil, nil}, false},
		"the head fits":                   {[][]view{{has(0, 1, 1), queued(2, 3, 2, 2), queued(1, 2, 1, 1)}, nil, nil}, true},
		"the head is blocked, and busy":   {[][]view{{stuck(queued(0, 1, 1, 1))}, {has(0, 2, 1)}, nil}, false},
		"the head is blocked, by nothing": {[][]view{{stuck(queued(0, 1, 1, 1))}, nil, {has(0, 2, 1)}}, true},
		"the next fits":                   {[][]view{{stuck(queued(0, 1, 1, 1)), queued(1, 3, 2, 2)}, {has(0, 2, 1)}, nil}, true},
	} {
		if err := h.unfinished(c.lists); (err != nil) != c.unfinished {
			t.Errorf("%s: %v", name, err)
		}
	}
}
