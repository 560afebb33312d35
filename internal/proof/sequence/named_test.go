//go:build unix

package sequence

import (
	"testing"

	"eventbooking/internal/audit"
	"eventbooking/internal/proof/spec"
)

// named are sequences that once went wrong, each by its name.
var named = []struct {
	name       string
	rules      spec.Rules
	people     int
	capacities []int // of slots at the hours 0, 1, 2 and 6
	requests   []spec.Request
	// hour is until when time passes after the first requests, and then are those
	// that come after it.
	hour int
	then []spec.Request
}{
	{
		name:  "an offer is accepted in a cancelled slot",
		rules: spec.Rules{Waitlist: spec.Offer, Limit: spec.None, FirstFit: true}, people: 4, capacities: []int{3, 1, 2, 3},
		requests: []spec.Request{
			book(3, 3, 3), book(3, 1, 1),
			{Verb: spec.Resize, Who: 3, Booking: 0, Seats: 2, Least: spec.None},
			{Verb: spec.Resize, Who: 3, Booking: 1, Seats: 1, Least: 1},
			{Verb: spec.CancelSlot, Who: spec.Organizer, Slot: 3, Reason: true},
			{Verb: spec.Accept, Who: 3, Booking: 1},
			{Verb: spec.Accept, Who: 3, Booking: 0},
		},
	},
	{
		name:  "a busy newcomer keeps nobody waiting",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 5, capacities: []int{2, 3, 4},
		requests: []spec.Request{
			book(4, 2, 1), {Verb: spec.Hold, Who: 0, Slot: 0, Seats: 1, Replaces: spec.None}, book(2, 2, 2),
			bookOrWait(3, 1, 2), bookOrWait(4, 1, 3), bookOrWait(1, 0, 1), bookOrWait(1, 1, 1),
			{Verb: spec.Cancel, Who: 1, Booking: 5, Reason: true},
		},
	},
	{
		name:  "an edit of the rules serves who waits, before any newcomer",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 4, capacities: []int{3, 1, 1},
		requests: []spec.Request{
			book(0, 0, 2), bookOrWait(1, 0, 2), bookOrWait(2, 0, 1),
			editRules(spec.Automatic, true, 1), book(3, 0, 1),
		},
	},
	{
		name:  "a waitlist in use is not turned off",
		rules: spec.Rules{Waitlist: spec.Offer, Limit: spec.None, MaxPasses: 1}, people: 3, capacities: []int{1, 1, 1},
		requests: []spec.Request{
			book(0, 0, 1), bookOrWait(1, 0, 1), editRules(spec.Off, false, 1), editRules(spec.Automatic, false, 1),
			{Verb: spec.Cancel, Who: 0, Booking: 0}, editRules(spec.Off, false, 1), bookOrWait(2, 0, 1),
		},
	},
	{
		name:  "a wait follows the booking that was moved",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 3, capacities: []int{1, 2, 2, 1},
		requests: []spec.Request{
			book(0, 1, 1), book(1, 3, 1),
			{Verb: spec.Book, Who: 0, Slot: 3, Seats: 1, Wait: true, Replaces: 0},
			{Verb: spec.Move, Who: 0, Booking: 0, Slot: 2},
			{Verb: spec.Cancel, Who: 1, Booking: 1},
			book(2, 2, 2),
		},
	},
	{
		name:  "who waits is unblocked once their own booking can be given back again",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 3, capacities: []int{1, 1, 1},
		requests: []spec.Request{
			book(0, 0, 1), book(1, 1, 1),
			{Verb: spec.Book, Who: 0, Slot: 1, Seats: 1, Wait: true, Replaces: 0},
			{Verb: spec.CheckIn, Who: spec.Organizer, Booking: 0},
			{Verb: spec.Cancel, Who: 1, Booking: 1},
			{Verb: spec.UndoCheckIn, Who: spec.Organizer, Booking: 0},
			book(2, 0, 1),
		},
	},
	{
		name:  "what was attended stays",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 4, capacities: []int{3, 1, 2, 1},
		requests: []spec.Request{
			book(0, 0, 1), book(1, 0, 1), book(2, 0, 1), book(3, 3, 1),
			{Verb: spec.Book, Who: 0, Slot: 3, Seats: 1, Wait: true, Replaces: 0},
			{Verb: spec.CheckIn, Who: spec.Organizer, Booking: 0},
			{Verb: spec.Cancel, Who: 0, Booking: 0},
		},
		hour: 1,
		then: []spec.Request{
			{Verb: spec.Cancel, Who: spec.Organizer, Booking: 0, Reason: true},
			{Verb: spec.Resize, Who: spec.Organizer, Booking: 0, Seats: 2, Least: spec.None},
			{Verb: spec.Cancel, Who: 1, Booking: 1},
			{Verb: spec.Cancel, Who: 3, Booking: 3},
			{Verb: spec.CancelSlot, Who: spec.Organizer, Slot: 0, Reason: true},
		},
	},
	{
		name:  "a slot that has ended is not cancelled",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 2, capacities: []int{3, 1, 2, 1},
		requests: []spec.Request{book(0, 0, 1)},
		hour:     2,
		then: []spec.Request{
			{Verb: spec.CancelSlot, Who: spec.Organizer, Slot: 0, Reason: true},
			{Verb: spec.Move, Who: spec.Organizer, Booking: 0, Slot: 3},
		},
	},
	{
		name:  "a moved slot is seen by its bookings, and unblocks who is no longer busy",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 4, capacities: []int{1, 1, 1},
		requests: []spec.Request{
			book(0, 0, 1), bookOrWait(1, 0, 1), book(1, 1, 1), bookOrWait(2, 0, 1),
			{Verb: spec.Cancel, Who: 0, Booking: 0}, editTimes(1, 6, false), editTimes(0, 5, true), book(3, 1, 1),
			{Verb: spec.Cancel, Who: 2, Booking: 3}, editTimes(0, 0, false),
		},
	},
	{
		name:  "a cut of the capacity blocks who does not fit",
		rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}, people: 4, capacities: []int{4, 1, 1},
		requests: []spec.Request{
			book(0, 0, 3), bookOrWait(1, 0, 4), bookOrWait(2, 0, 3),
			{Verb: spec.EditCapacity, Who: spec.Organizer, Slot: 0, Capacity: 3}, {Verb: spec.Cancel, Who: 0, Booking: 0},
			{Verb: spec.EditCapacity, Who: spec.Organizer, Slot: 0, Capacity: 4}, {Verb: spec.Cancel, Who: 2, Booking: 2},
		},
	},
	{
		name:  "a bundle counts as a whole, a resize by what it adds, and a move not at all",
		rules: limited(3, 4), people: 2, capacities: []int{4, 4, 4, 4},
		requests: []spec.Request{
			{Verb: spec.Bundle, Who: 0, Replaces: spec.None, Items: []spec.Request{book(0, 0, 3), book(0, 3, 2)}},
			{Verb: spec.Bundle, Who: 0, Replaces: spec.None, Items: []spec.Request{book(0, 0, 2), book(0, 3, 2)}},
			{Verb: spec.Resize, Who: 0, Booking: 0, Seats: 3, Least: spec.None},
			{Verb: spec.Move, Who: 0, Booking: 0, Slot: 1},
			{Verb: spec.Hold, Who: 0, Slot: 2, Seats: 1, Replaces: spec.None},
			book(1, 0, 4), book(1, 0, 3), {Verb: spec.Resize, Who: 1, Booking: 3, Seats: 4, Least: spec.None},
		},
	},
	{
		name:  "a wait instead of a booking ends when it would come beside it, and be too much",
		rules: limited(0, 2), people: 4, capacities: []int{3, 1, 1, 2},
		requests: []spec.Request{
			book(0, 0, 2), book(1, 3, 2), instead(bookOrWait(0, 3, 2), 0), bookOrWait(2, 3, 1), bookOrWait(0, 1, 1),
		},
		hour: 1,
		then: []spec.Request{{Verb: spec.Cancel, Who: 1, Booking: 1}},
	},
}

func limited(perBooking, perUser int) spec.Rules {
	return spec.Rules{Waitlist: spec.Automatic, Limit: spec.None, PerBooking: perBooking, PerUser: perUser}
}

func instead(r spec.Request, old int) spec.Request {
	r.Replaces = old
	return r
}

func editTimes(slot, from int, displace bool) spec.Request {
	return spec.Request{Verb: spec.EditTimes, Who: spec.Organizer, Slot: slot, From: from, Displace: displace}
}

func book(who, slot, seats int) spec.Request {
	return spec.Request{Verb: spec.Book, Who: who, Slot: slot, Seats: seats, Replaces: spec.None}
}

func bookOrWait(who, slot, seats int) spec.Request {
	r := book(who, slot, seats)
	r.Wait = true
	return r
}

func editRules(waitlist spec.Mode, firstFit bool, passes int) spec.Request {
	return spec.Request{Verb: spec.EditRules, Who: spec.Organizer, Rules: spec.Rules{Waitlist: waitlist, FirstFit: firstFit, MaxPasses: passes}}
}

func TestTheServiceAnswersNamedSequencesAsSpecified(t *testing.T) {
	s := openService(t)
	for _, n := range named {
		t.Run(n.name, func(t *testing.T) {
			hours := []int{0, 1, 2, 6}[:len(n.capacities)]
			r := s.publish(t, n.rules, n.people, hours, n.capacities)
			r.compare()
			for _, request := range n.requests {
				r.do(request)
			}
			if len(n.then) > 0 {
				r.passTo(n.hour)
			}
			for _, request := range n.then {
				r.do(request)
			}
		})
	}
	findings, err := audit.Doctor(t.Context(), s.pool, nil)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v %v", findings, err)
	}
}
