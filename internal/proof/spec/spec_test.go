package spec_test

import (
	"strings"
	"testing"

	"eventbooking/internal/proof/spec"
)

var automatic = spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}

func bookOrWait(who, slot int) spec.Request {
	return spec.Request{Verb: spec.Book, Who: who, Slot: slot, Seats: 1, Wait: true, Replaces: spec.None}
}

func cancel(who, booking int) spec.Request {
	return spec.Request{Verb: spec.Cancel, Who: who, Booking: booking}
}

func do(t *testing.T, m *spec.Model, requests ...spec.Request) {
	t.Helper()
	for _, r := range requests {
		if a := m.Do(r); a.Code != "" {
			t.Fatalf("%+v: %+v", r, a)
		}
	}
}

func statusOf(m *spec.Model, number int) spec.Status {
	b, _ := m.Booking(number)
	return b.Status
}

func TestAFreedSeatGoesToTheFirstWhoWaits(t *testing.T) {
	t.Parallel()
	m := spec.New(automatic, spec.Slot{From: 0, To: 2, Capacity: 1})
	do(t, m, bookOrWait(0, 0), bookOrWait(1, 0), bookOrWait(2, 0), cancel(0, 0))
	rests := m.Rests()
	if len(rests) != 1 || statusOf(rests[0], 1) != spec.Confirmed || statusOf(rests[0], 2) != spec.Waitlisted {
		t.Errorf("%+v", rests)
	}
}

// Where two slots may promote the same person, but not both, it is either.
func TestSlotsPromoteInAnyOrder(t *testing.T) {
	t.Parallel()
	m := spec.New(automatic, spec.Slot{From: 0, To: 4, Capacity: 1}, spec.Slot{From: 0, To: 2, Capacity: 1},
		spec.Slot{From: 1, To: 3, Capacity: 1})
	do(t, m, bookOrWait(1, 1), bookOrWait(2, 2), bookOrWait(0, 1), bookOrWait(0, 2), cancel(1, 0), cancel(2, 1))
	found := map[[2]spec.Status]bool{}
	for _, rest := range m.Rests() {
		found[[2]spec.Status{statusOf(rest, 2), statusOf(rest, 3)}] = true
	}
	if !found[[2]spec.Status{spec.Confirmed, spec.Waitlisted}] || !found[[2]spec.Status{spec.Waitlisted, spec.Confirmed}] || len(found) != 2 {
		t.Errorf("%v", found)
	}
}

// What is told apart has different keys, and a clone has the same.
func TestKeysTellModelsApart(t *testing.T) {
	t.Parallel()
	m := spec.New(automatic, spec.Slot{From: 0, To: 2, Capacity: 1}, spec.Slot{From: 1, To: 3, Capacity: 1})
	seen := map[string]bool{}
	for _, r := range []spec.Request{bookOrWait(0, 0), bookOrWait(1, 0), bookOrWait(2, 0), cancel(1, 1), bookOrWait(1, 0), cancel(0, 0)} {
		before := m.Clone()
		do(t, m, r)
		if seen[m.Key()] || m.Key() != m.Clone().Key() || m.Key() == before.Key() {
			t.Fatalf("after %+v: %q", r, m.Key())
		}
		seen[m.Key()] = true
	}
	a, b := m.Clone().Forgetful(), m.Clone().Forgetful()
	do(t, b, cancel(2, 2), spec.Request{Verb: spec.Book, Who: 2, Seats: 1, Wait: true, Replaces: spec.None, Numbers: []int{2}})
	do(t, a, cancel(1, 3), spec.Request{Verb: spec.Book, Who: 1, Seats: 1, Wait: true, Replaces: spec.None, Numbers: []int{3}})
	if a.Key() == b.Key() {
		t.Error("who is first in the queue makes no difference")
	}
}

// Each step is refused where its slot does not allow it.
func TestIllegalStepsAreRefused(t *testing.T) {
	t.Parallel()
	newcomer := spec.Newcomer{Person: 9, Seats: 1, Replaces: spec.None, MovedFrom: spec.None}
	for want, step := range map[string]spec.Step{
		"there is no kind":             {Kind: "sold", Booking: spec.None},
		"begins with opened":           {Kind: spec.KindOpened, Booking: spec.None, Capacity: 1},
		"nobody has passed":            {Kind: spec.KindPassed, Booking: 1},
		"seats that are not free":      {Kind: spec.KindConfirmed, Booking: 9, Newcomer: newcomer},
		"the booking was there before": {Kind: spec.KindWaitlisted, Booking: 0, Newcomer: newcomer},
		"nobody is next":               {Kind: spec.KindPromoted, Booking: 1},
		"must offer the seats first":   {Kind: spec.KindOffered, Booking: 1},
		"that is confirmed":            {Kind: spec.KindAccepted, Booking: 0},
		"its user has the seats []":    {Kind: spec.KindBlocked, Booking: 1, Blocker: spec.None},
		"cannot be unblocked":          {Kind: spec.KindUnblocked, Booking: 1},
		"slot_full":                    {Kind: spec.KindResized, Booking: 0, Newcomer: spec.Newcomer{Seats: 2, Least: spec.None}},
		"as large as before":           {Kind: spec.KindResized, Booking: 0, Newcomer: spec.Newcomer{Seats: 1, Least: spec.None}},
		"only a confirmed booking":     {Kind: spec.KindCheckedIn, Booking: 1},
		"not about a booking":          {Kind: spec.KindEdited, Booking: 0},
		"1 seats are taken of 0":       {Kind: spec.KindEdited, Booking: spec.None},
		"a slot that is open":          {Kind: spec.KindReopened, Booking: spec.None},
		"there is no such booking":     {Kind: spec.KindCancelled, Booking: 7},
	} {
		m := spec.New(automatic, spec.Slot{From: 0, To: 2, Capacity: 2})
		full := bookOrWait(0, 0)
		do(t, m, full, spec.Request{Verb: spec.EditCapacity, Who: spec.Organizer, Capacity: 1}, bookOrWait(1, 0))
		if step.Kind == spec.KindResized && step.Seats == 2 {
			do(t, m, spec.Request{Verb: spec.EditCapacity, Who: spec.Organizer, Capacity: 2})
		}
		if err := m.Take(step); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want: %s", step, err, want)
		}
	}
}

// A newcomer is told from the bookings that are there, whatever numbers these have.
func TestANewcomerCountsBesideAllBookings(t *testing.T) {
	t.Parallel()
	rules := automatic
	rules.PerUser = 1
	m := spec.New(rules, spec.Slot{From: 0, To: 2, Capacity: 2}, spec.Slot{From: 3, To: 5, Capacity: 2}).Forgetful()
	first, second := bookOrWait(0, 0), bookOrWait(0, 1)
	first.Numbers = []int{1}
	do(t, m, first)
	if a := m.Do(second); a.Code != spec.UserSeatLimit {
		t.Errorf("%+v", a)
	}
}
