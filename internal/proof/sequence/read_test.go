//go:build unix

package sequence

import (
	"net/http"
	"slices"

	"pgregory.net/rapid"

	"eventbooking/gen/api"
	"eventbooking/internal/proof/spec"
	"eventbooking/internal/testkit"
)

// readBooking asks for all that one booking shows, as somebody.
func (r drawing) readBooking(*rapid.T) {
	number := r.booking(func(b spec.Booking) bool { return b.Status.Live() })
	who := r.actor(number)
	r.t.Logf("%d reads booking %d", who, number)
	want := r.model.Do(spec.Request{Verb: spec.ReadBooking, Who: who, Booking: number})
	want.Bookings = nil
	read := func(path string) testkit.Answer {
		answer := r.as(who).Get(r.bookingPath(number, path))
		r.compareAnswer(answer, want)
		return answer
	}
	read("")
	position := read("/waitlist-position")
	read("/chain")
	preview := read("/cancellation-preview")
	if want.Status != http.StatusOK {
		return
	}
	b, _ := r.model.Booking(number)
	r.comparePosition(who, b, position)
	r.comparePreview(who, b, preview)
	r.compareHistory(b, all[api.LedgerEntry](r.as(who), r.bookingPath(number, "/history")))
}

func (r drawing) compareHistory(b spec.Booking, history []api.LedgerEntry) {
	var want, got []spec.Kind
	for i, e := range r.model.Slots[b.Slot].Ledger {
		if e.Booking == b.Number || e.Moves && len(want) > 0 && i < b.Version {
			want = append(want, e.Kind)
		}
	}
	for _, e := range history {
		got = append(got, spec.Kind(e.Kind))
		if promoted := e.Kind == api.LedgerKindPromoted || e.Kind == api.LedgerKindOffered; promoted && e.Cause.IsNull() {
			r.t.Fatalf("booking %d was promoted, and nothing was the cause: %+v", b.Number, e)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		r.t.Fatalf("booking %d has the history %v, want %v", b.Number, got, want)
	}
}

// comparePosition compares the position in the queue, and who is before.
func (r drawing) comparePosition(who int, b spec.Booking, answer testkit.Answer) {
	var got api.WaitlistPosition
	answer.Into(&got)
	position, _ := got.Position.Get()
	hindered, blocker := r.model.Hindered(b)
	if who != b.Person {
		blocker = spec.None // only the owner is told
	}
	seats := 0
	ahead := r.model.Ahead(b)
	for _, other := range ahead {
		seats += other.Seats
	}
	if position != r.model.Position(b) || got.Blocked != hindered || r.number(orNil(got.BlockedBy.Get)) != blocker ||
		got.BookingsAhead != len(ahead) || got.SeatsAhead != seats || b.Status == spec.Waitlisted && got.Passes != b.Passes {
		r.t.Fatalf("%+v waits behind %d bookings with %d seats, and is told %s", b, len(ahead), seats, answer.Body)
	}
	needed := 0
	if b.Status == spec.Waitlisted {
		needed = b.Needs() - r.model.Slots[b.Slot].Free()
	}
	for _, other := range ahead {
		if is, _ := r.model.Hindered(other); !is {
			needed += other.Seats
		}
	}
	if got.SeatsNeeded != max(0, needed) {
		r.t.Fatalf("%+v needs %d seats, and is told %s", b, needed, answer.Body)
	}
	saysBlocked := slices.ContainsFunc(got.Reasons, func(reason api.WaitReason) bool {
		return reason.Code == api.WaitReasonCodeBlockedByOverlap || reason.Code == api.WaitReasonCodeExceedsCapacity
	})
	if got.Blocked != saysBlocked {
		r.t.Fatalf("booking %d is told %s", b.Number, answer.Body)
	}
	if (len(got.Reasons) > 0) != (b.Status == spec.Waitlisted) {
		r.t.Fatalf("booking %d is %s, for these reasons: %+v", b.Number, b.Status, got.Reasons)
	}
	for _, reason := range got.Reasons {
		if reason.Code == api.WaitReasonCodePromotionPending {
			r.t.Fatalf("booking %d is told that its promotion is pending, at rest", b.Number)
		}
	}
}

// comparePreview compares what cancelling is said to do.
func (r drawing) comparePreview(who int, b spec.Booking, answer testkit.Answer) {
	var got api.CancellationPreview
	answer.Into(&got)
	after := r.model.Clone()
	before := after.Slots[b.Slot].Taken()
	cancelled := after.Do(spec.Request{Verb: spec.Cancel, Who: who, Booking: b.Number, Reason: true})
	if got.Allowed != (cancelled.Status == http.StatusOK) || got.SeatsFreed != before-after.Slots[b.Slot].Taken() {
		r.t.Fatalf("cancelling %+v is said to be %s", b, answer.Body)
	}
}

// readLists asks for what somebody has, and for what only others may see.
func (r drawing) readLists(*rapid.T) {
	who := r.person()
	r.t.Logf("%d reads all bookings", who)
	var mine, want []int
	for _, b := range all[api.Booking](r.as(who), "/api/v1/me/bookings") {
		mine = append(mine, r.number(&b.ID))
		if got, want := r.viewOf(b), r.shownTo(who, r.number(&b.ID)); got != want {
			r.t.Fatalf("the list shows another booking:\n  want %+v\n  got  %+v", want, got)
		}
	}
	for _, b := range r.model.Bookings() {
		if b.Person == who {
			want = append(want, b.Number)
		}
	}
	slices.Sort(mine)
	if !slices.Equal(mine, want) {
		r.t.Fatalf("person %d has bookings %v, want %v", who, mine, want)
	}
	r.compareConflicts(who)
	slot := r.slot()
	for _, list := range []string{"/bookings", "/waitlist", "/ledger"} {
		r.compareAnswer(r.as(who).Get(r.slotPath(slot, list)), spec.Answer{Status: http.StatusForbidden, Code: spec.NotPermitted})
	}
}

func (r drawing) compareConflicts(who int) {
	from := rapid.IntRange(0, 8).Draw(r.t, "from")
	to := from + rapid.IntRange(1, 3).Draw(r.t, "hours")
	var found api.BookingList
	r.as(who).Get("/api/v1/me/conflicts?starts_at=" + r.at(from) + "&ends_at=" + r.at(to)).Want(http.StatusOK).Into(&found)
	var conflicts []int
	for _, b := range found.Data {
		conflicts = append(conflicts, r.number(&b.ID))
	}
	slices.Sort(conflicts)
	var want []int
	for _, b := range r.model.Bookings() {
		if s := r.model.Slots[b.Slot]; b.Person == who && b.Status.TakesSeats() && s.From < to && from < s.To {
			want = append(want, b.Number)
		}
	}
	if !slices.Equal(conflicts, want) {
		r.t.Fatalf("person %d has conflicts %v from %d to %d, want %v", who, conflicts, from, to, want)
	}
}
