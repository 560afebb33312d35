package waitlist_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
	"eventbooking/internal/waitlist"
)

func TestPositionSaysHowManySeatsAreNeededAndWhy(t *testing.T) {
	t.Parallel()
	// Two seats wanted, two bookings with three seats ahead, all ten seats taken.
	base := waitlist.Position{
		Status: seating.Waitlisted, Seats: 2,
		BookingsAhead: 2, SeatsAhead: 3, ReadyBookingsAhead: 2, ReadySeatsAhead: 3,
		QueuedVersion: 20, ShortVersion: 12, HoldupVersion: 21, HeldupVersion: 24,
		Capacity: 10, SeatsTaken: 10, SlotStatus: seating.SlotOpen, SlotVersion: 30, FreedVersion: 29,
	}
	first := func(p *waitlist.Position) {
		p.BookingsAhead, p.SeatsAhead, p.ReadyBookingsAhead, p.ReadySeatsAhead = 0, 0, 0, 0
	}
	tests := []struct {
		name    string
		edit    func(*waitlist.Position)
		number  int
		needed  int
		reasons []waitlist.ReasonCode
		since   int64
		detail  string // of the first reason
	}{
		{"full, behind others", func(*waitlist.Position) {}, 3, 5,
			[]waitlist.ReasonCode{waitlist.SeatsTaken, waitlist.AheadOfYou}, 12, "All 10 seats are taken."},
		{"next, too few seats", func(p *waitlist.Position) { first(p); p.SeatsTaken = 9 }, 1, 1,
			[]waitlist.ReasonCode{waitlist.SeatsTaken}, 12, "You asked for 2 seats, and 1 of 10 is free."},
		{"the only seat", func(p *waitlist.Position) { first(p); p.Seats, p.Capacity, p.SeatsTaken = 1, 1, 1 }, 1, 1,
			[]waitlist.ReasonCode{waitlist.SeatsTaken}, 12, "The only seat is taken."},
		{"enough seats, for those ahead", func(p *waitlist.Position) { p.SeatsTaken = 7 }, 3, 2,
			[]waitlist.ReasonCode{waitlist.AheadOfYou}, 20, "2 bookings for 3 seats are ahead of you."},
		{"a larger one holds the queue up", func(p *waitlist.Position) { p.SeatsTaken, p.HoldupSeats = 8, 3 }, 3, 3,
			[]waitlist.ReasonCode{waitlist.LargerBookingAhead, waitlist.AheadOfYou}, 24, "A booking ahead of you needs 3 seats, and 2 of 10 are free."},
		{"the larger one came to hold it up later", func(p *waitlist.Position) {
			p.SeatsTaken, p.HoldupSeats, p.HoldupVersion = 8, 3, 27 // passed for the last time
		}, 3, 3, []waitlist.ReasonCode{waitlist.LargerBookingAhead, waitlist.AheadOfYou}, 27,
			"A booking ahead of you needs 3 seats, and 2 of 10 are free."},
		{"held up for longer than the ledger was read", func(p *waitlist.Position) {
			p.SeatsTaken, p.HoldupSeats, p.HeldupVersion = 8, 3, 0
		}, 3, 3, []waitlist.ReasonCode{waitlist.LargerBookingAhead, waitlist.AheadOfYou}, 0,
			"A booking ahead of you needs 3 seats, and 2 of 10 are free."},
		{"fewer seats accepted, too few free", func(p *waitlist.Position) { first(p); p.Seats, p.SeatsMin, p.SeatsTaken = 4, 2, 9 }, 1, 1,
			[]waitlist.ReasonCode{waitlist.SeatsTaken}, 12, "You asked for 4 seats (at least 2), and 1 of 10 is free."},
		{"fewer seats accepted, enough free", func(p *waitlist.Position) { first(p); p.Seats, p.SeatsMin, p.SeatsTaken = 4, 2, 8 }, 1, 0,
			[]waitlist.ReasonCode{waitlist.PromotionPending}, 29, "Enough seats are free for you: you will be promoted within a second."},
		{"a larger one does not matter when nothing is free", func(p *waitlist.Position) { p.HoldupSeats = 3 }, 3, 5,
			[]waitlist.ReasonCode{waitlist.SeatsTaken, waitlist.AheadOfYou}, 12, "All 10 seats are taken."},
		{"only blocked ones ahead", func(p *waitlist.Position) {
			p.ReadyBookingsAhead, p.ReadySeatsAhead = 0, 0
		}, 3, 2, []waitlist.ReasonCode{waitlist.SeatsTaken}, 12, "All 10 seats are taken."},
		{"blocked by an own booking", func(p *waitlist.Position) {
			first(p)
			p.SeatsTaken, p.BlockedBy, p.BlockedVersion = 5, uuid.New(), 17
		}, 1, 0, []waitlist.ReasonCode{waitlist.BlockedByOverlap}, 17, "You have a booking at an overlapping time. You keep your position."},
		{"more than the slot has", func(p *waitlist.Position) {
			first(p)
			p.Seats, p.SeatsTaken, p.BlockedVersion = 12, 0, 18
		}, 1, 2, []waitlist.ReasonCode{waitlist.ExceedsCapacity}, 18, "You asked for 12 seats, and the slot has 10 in total."},
		{"enough seats for all ahead", func(p *waitlist.Position) { p.SeatsTaken = 0 }, 3, 0,
			[]waitlist.ReasonCode{waitlist.PromotionPending}, 29, "Enough seats are free for you: you will be promoted within a second."},
		{"busy, and more than the slot has", func(p *waitlist.Position) {
			first(p)
			p.Seats, p.SeatsTaken, p.BlockedBy = 12, 0, uuid.New()
		}, 1, 2, []waitlist.ReasonCode{waitlist.BlockedByOverlap, waitlist.ExceedsCapacity}, 0, "You have a booking at an overlapping time. You keep your position."},
		{"beyond those who can be passed", func(p *waitlist.Position) {
			p.SeatsTaken, p.FirstFit, p.OversizedAhead, p.ReadyBookingsAhead, p.ReadySeatsAhead = 8, true, 100, 100, 300
		}, 3, 300, []waitlist.ReasonCode{waitlist.BeyondLookAhead, waitlist.AheadOfYou}, 0,
			"100 bookings ahead of you do not fit the free seats, and at most 100 can be passed."},
		{"the last who can be served", func(p *waitlist.Position) {
			p.SeatsTaken, p.FirstFit, p.OversizedAhead, p.ReadyBookingsAhead, p.ReadySeatsAhead = 8, true, 99, 99, 297
		}, 3, 297, []waitlist.ReasonCode{waitlist.AheadOfYou}, 20, "99 bookings for 297 seats are ahead of you."},
		{"the slot was cancelled", func(p *waitlist.Position) {
			p.SeatsTaken, p.SlotStatus = 0, seating.SlotCancelled
		}, 3, 0, nil, 0, ""},
		{"the slot has started", func(p *waitlist.Position) { p.Started = true }, 3, 5,
			[]waitlist.ReasonCode{waitlist.SlotStarted}, 0, "The slot has started, so nobody is promoted any more."},
		{"confirmed", func(p *waitlist.Position) { first(p); p.Status = seating.Confirmed }, 0, 0, nil, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := base
			test.edit(&p)
			if p.Number() != test.number || p.SeatsNeeded() != test.needed {
				t.Errorf("position %d, needed %d; want %d, %d", p.Number(), p.SeatsNeeded(), test.number, test.needed)
			}
			reasons := p.Reasons()
			var codes []waitlist.ReasonCode
			saysBlocked := slices.ContainsFunc(reasons, func(r waitlist.Reason) bool {
				return r.Code == waitlist.BlockedByOverlap || r.Code == waitlist.ExceedsCapacity
			})
			if p.Blocked() != saysBlocked {
				t.Errorf("blocked %t, because of %v", p.Blocked(), reasons)
			}
			for _, r := range reasons {
				codes = append(codes, r.Code)
			}
			if !slices.Equal(codes, test.reasons) {
				t.Fatalf("reasons %v, want %v", codes, test.reasons)
			}
			if len(reasons) > 0 && (reasons[0].SinceVersion != test.since || reasons[0].Detail != test.detail) {
				t.Errorf("first reason %+v, want since %d, %q", reasons[0], test.since, test.detail)
			}
		})
	}
}

func TestWhyPassedNamesTheFreeAndTheNeededSeats(t *testing.T) {
	t.Parallel()
	p := waitlist.Position{Seats: 3}
	if got := p.WhyPassed(waitlist.Pass{Seats: 1, Free: 2}); got != "2 seats were free and this booking needs 3." {
		t.Error(got)
	}
	p.SeatsMin = 2
	if got := p.WhyPassed(waitlist.Pass{Seats: 1, Free: 1}); got != "1 seat was free and this booking needs at least 2." {
		t.Error(got)
	}
}
