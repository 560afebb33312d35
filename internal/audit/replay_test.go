package audit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/audit"
	"eventbooking/internal/seating"
)

func TestReplayNamesTheFirstContradiction(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit func([]seating.Entry) []seating.Entry
		at   int64
		why  string
	}{
		"a gap":        {without(3), 4, "should be entry 3"},
		"no beginning": {without(1), 2, "should be entry 1"},
		"begins twice": {change(2, func(e *seating.Entry) { e.Kind = seating.KindOpened }), 2, "begins with opened"},
		"another slot": {change(3, func(e *seating.Entry) { e.SlotID = uuid.UUID{1} }), 3, "should be of slot"},
		"seats":        {change(3, func(e *seating.Entry) { e.SeatsTaken++ }), 3, "it should be 2 and 0"},
		"queue":        {change(5, func(e *seating.Entry) { e.WaitlistLength++ }), 5, "it should be 2 and 2"},
		"capacity":     {change(5, func(e *seating.Entry) { e.Capacity = 9 }), 5, "the capacity was 2"},
		"oversell": {change(4, func(e *seating.Entry) {
			*e = seating.Entry{SlotID: e.SlotID, Version: 4, Kind: seating.KindEdited, Capacity: 1, SeatsTaken: 2}
		}), 4, "2 of 1 seats are taken"},
		"an impossible step": {change(6, func(e *seating.Entry) { e.Kind = seating.KindExpired }), 6, "cannot be expired"},
		"about nothing":      {change(6, func(e *seating.Entry) { e.BookingID = uuid.Nil }), 6, "should be about a booking"},
		"about a booking":    {change(6, func(e *seating.Entry) { e.Kind = seating.KindClosed }), 6, "cannot be closed"},
		"kind and status":    {change(7, func(e *seating.Entry) { e.Status = seating.Offered }), 7, "should leave the booking"},
		"another user":       {change(6, func(e *seating.Entry) { e.UserID = uuid.UUID{9} }), 6, "another user's"},
		"no cause":           {change(7, func(e *seating.Entry) { e.Cause = seating.Cause{} }), 7, "needs a cause"},
		"half a cause":       {change(7, func(e *seating.Entry) { e.Cause.Version = 0 }), 7, "half of its cause"},
		"a later cause":      {change(7, func(e *seating.Entry) { e.Cause.Version = 7 }), 7, "comes later"},
		"a jump": {change(7, func(e *seating.Entry) { e.BookingID, e.UserID = ledgerBooking(4), ledgerUser(4) }), 7,
			"waits at an earlier position"},
		"passed by nobody": {change(5, func(e *seating.Entry) {
			e.Kind, e.Cause = seating.KindPassed, seating.Cause{SlotID: e.SlotID, Version: 1}
		}), 5, "nobody passed"},
		"more seats, by nothing": {change(6, func(e *seating.Entry) { e.Seats = 2 }), 6, "was for 1 seat"},
		"nothing at all":         {func([]seating.Entry) []seating.Entry { return nil }, 0, ""},
		"nothing different":      {func(l []seating.Entry) []seating.Entry { return l }, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := audit.Replay(test.edit(someLedger()))
			if test.why == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var c *audit.Contradiction
			if !errors.As(err, &c) {
				t.Fatalf("Replay found nothing: %v", err)
			}
			if c.Entry.Version != test.at || !strings.Contains(c.Why, test.why) {
				t.Errorf("got %v; want entry %d: %s", err, test.at, test.why)
			}
		})
	}
}

// A booking that is too large may be passed, if the entry right after says so.
func TestReplayExpectsAnEntryForEachPass(t *testing.T) {
	t.Parallel()
	const small, large = 1, 2
	entry := func(version int64, kind seating.Kind, booking byte, seats int, status seating.Status, taken, waiting int) seating.Entry {
		return seating.Entry{
			SlotID: uuid.UUID{15: 1}, Version: version, Kind: kind, BookingID: ledgerBooking(booking), UserID: ledgerUser(booking),
			Seats: seats, Status: status, Capacity: 2, SeatsTaken: taken, WaitlistLength: waiting, By: seating.System(""),
		}
	}
	opened := seating.Entry{SlotID: uuid.UUID{15: 1}, Version: 1, Kind: seating.KindOpened, Capacity: 2, By: seating.System("")}
	passed := entry(5, seating.KindPassed, large, 2, seating.Waitlisted, 2, 1)
	passed.Cause = seating.Cause{SlotID: passed.SlotID, Version: 4}
	ledger := []seating.Entry{
		opened,
		entry(2, seating.KindConfirmed, 3, 1, seating.Confirmed, 1, 0),
		entry(3, seating.KindWaitlisted, large, 2, seating.Waitlisted, 1, 1),
		entry(4, seating.KindConfirmed, small, 1, seating.Confirmed, 2, 1),
		passed,
	}
	replayed, err := audit.Replay(ledger)
	if err != nil {
		t.Fatal(err)
	}
	if got := replayed.Bookings[ledgerBooking(large)].Passes; got != 1 {
		t.Errorf("passes = %d, want 1", got)
	}
	if _, err := audit.Replay(ledger[:4]); err == nil || !strings.Contains(err.Error(), "no entry says so") {
		t.Errorf("an unnoted pass at the end: %v", err)
	}
	unnoted := entry(5, seating.KindConfirmed, 4, 0, seating.Confirmed, 2, 1)
	if _, err := audit.Replay(append(slices.Clone(ledger[:4]), unnoted)); err == nil || !strings.Contains(err.Error(), "no entry says so") {
		t.Errorf("an unnoted pass: %v", err)
	}
	ledger[4].Cause.Version = 2
	if _, err := audit.Replay(ledger); err == nil || !strings.Contains(err.Error(), "entry 4 passed") {
		t.Errorf("passed by another entry: %v", err)
	}
}

// someLedger is of a slot with two seats: two bookings get them, two wait, the first
// is cancelled, and the third is promoted.
func someLedger() []seating.Entry {
	slot := uuid.UUID{15: 1}
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	opened, first := seating.Open(seating.Slot{
		ID: slot, EventStatus: seating.EventPublished, Status: seating.SlotOpen, Capacity: 2, CreatedAt: now,
		StartsAt: now.Add(time.Hour), EndsAt: now.Add(2 * time.Hour),
		Policy: seating.Policy{WaitlistMode: seating.WaitlistAutomatic, WaitlistLimit: seating.NoLimit, Fit: seating.FitStrict},
	}, seating.System(""))
	state := seating.NewState(now)
	state.AddSlot(opened)
	commands := []seating.Command{}
	for i := range byte(4) {
		commands = append(commands, seating.Book{BookingID: ledgerBooking(i + 1), UserID: ledgerUser(i + 1), SlotID: slot, Seats: 1, IfFull: seating.Wait})
	}
	commands = append(commands, seating.Cancel{SlotID: slot, BookingID: ledgerBooking(1), UserID: ledgerUser(1)}, seating.Promote{SlotID: slot})
	for _, c := range commands {
		if _, err := state.Apply(c); err != nil {
			panic(err)
		}
	}
	return append([]seating.Entry{first}, state.Entries()...)
}

func ledgerBooking(i byte) uuid.UUID { return uuid.UUID{0: 1, 15: i} }
func ledgerUser(i byte) uuid.UUID    { return uuid.UUID{0: 2, 15: i} }

// without and change edit the entry of a version.
func without(version int) func([]seating.Entry) []seating.Entry {
	return func(ledger []seating.Entry) []seating.Entry { return slices.Delete(ledger, version-1, version) }
}

func change(version int, edit func(*seating.Entry)) func([]seating.Entry) []seating.Entry {
	return func(ledger []seating.Entry) []seating.Entry {
		edit(&ledger[version-1])
		return ledger
	}
}
