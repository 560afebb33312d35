package seating_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"eventbooking/internal/seating"
)

// Whatever commands do to slots, replaying what they wrote gives the same slots.
func TestReplayAgreesWithState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
		state := seating.NewState(now)
		ledgers := map[uuid.UUID][]seating.Entry{}
		var slots []uuid.UUID
		for i := range 3 { // the first two overlap
			opened, entry := seating.Opened(drawSlot(t, i, now), seating.System(""))
			state.AddSlot(opened)
			slots = append(slots, opened.ID)
			ledgers[opened.ID] = []seating.Entry{entry}
		}
		var bookings []seating.Booking
		for range rapid.IntRange(1, 80).Draw(t, "commands") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
			state.Now = now
			command := drawCommand(t, slots, bookings)
			result, err := state.Apply(command)
			if _, books := command.(seating.Book); books && err == nil {
				bookings = append(bookings, result.Booking)
			}
		}
		for _, e := range state.Entries() {
			ledgers[e.SlotID] = append(ledgers[e.SlotID], e)
		}
		for _, slot := range state.Slots() {
			compare(t, state, slot, ledgers[slot.ID])
		}
	})
}

func drawSlot(t *rapid.T, i int, now time.Time) seating.Slot {
	starts := now.Add(20 * time.Hour)
	if i == 2 {
		starts = starts.Add(5 * time.Hour)
	}
	return seating.Slot{
		ID: uuid.UUID{15: byte(i + 1)}, EventID: uuid.UUID{14: 1}, EventStatus: seating.EventPublished, Status: seating.SlotOpen,
		StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), Capacity: rapid.IntRange(1, 6).Draw(t, "capacity"), CreatedAt: now,
		Policy: seating.Policy{
			CancellationCloses: time.Duration(rapid.IntRange(0, 3).Draw(t, "cancellation closes")) * time.Hour,
			WaitlistMode:       rapid.SampledFrom([]seating.WaitlistMode{seating.WaitlistAutomatic, seating.WaitlistOffer}).Draw(t, "mode"),
			WaitlistLimit:      seating.NoLimit,
			OfferFor:           time.Hour,
			Fit:                rapid.SampledFrom([]seating.Fit{seating.FitStrict, seating.FitFirstFit}).Draw(t, "fit"),
			MaxPasses:          rapid.IntRange(0, 2).Draw(t, "max passes"),
		},
	}
}

func drawCommand(t *rapid.T, slots []uuid.UUID, bookings []seating.Booking) seating.Command {
	slot := rapid.SampledFrom(slots).Draw(t, "slot")
	by := seating.System("test")
	kind := rapid.SampledFrom([]string{"book", "book", "book", "book", "book", "cancel", "cancel", "promote", "promote", "expire", "edit"}).Draw(t, "command")
	switch {
	case kind == "cancel" && len(bookings) > 0:
		b := rapid.SampledFrom(bookings).Draw(t, "booking")
		return seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
	case kind == "promote":
		return seating.Promote{SlotID: slot}
	case kind == "expire":
		return seating.Expire{SlotID: slot}
	case kind == "edit":
		capacity := rapid.IntRange(1, 7).Draw(t, "capacity")
		status := rapid.SampledFrom([]seating.SlotStatus{seating.SlotOpen, seating.SlotOpen, seating.SlotClosed, seating.SlotCancelled}).Draw(t, "status")
		if status == seating.SlotCancelled && rapid.Bool().Draw(t, "clear") {
			return seating.Clear{SlotID: slot} // does nothing unless the slot was cancelled before
		}
		return seating.EditSlot{SlotID: slot, Capacity: &capacity, Status: &status, By: by}
	}
	return seating.Book{
		BookingID: uuid.UUID{0: 1, 14: byte(len(bookings) >> 8), 15: byte(len(bookings))}, SlotID: slot,
		UserID: uuid.UUID{0: 2, 15: byte(rapid.IntRange(1, 8).Draw(t, "user"))},
		Seats:  rapid.IntRange(1, 3).Draw(t, "seats"), IfFull: seating.Wait, By: by,
	}
}

func compare(t *rapid.T, state *seating.State, slot *seating.Slot, ledger []seating.Entry) {
	replayed, err := seating.Replay(ledger)
	if err != nil {
		t.Fatal(err, describe(ledger))
	}
	type counters struct {
		Version                                             int64
		Capacity, SeatsTaken, WaitlistLength, WaitlistReady int
	}
	want := counters{slot.Version, slot.Capacity, slot.SeatsTaken, slot.WaitlistLength, slot.WaitlistReady}
	if got := (counters{replayed.Version, replayed.Capacity, replayed.SeatsTaken, replayed.WaitlistLength, replayed.WaitlistReady}); got != want {
		t.Fatalf("replayed %+v, want %+v%s", got, want, describe(ledger))
	}
	var queue []*seating.Booking
	count := 0
	for _, b := range state.Bookings() {
		if b.SlotID != slot.ID {
			continue
		}
		count++
		recalled := replayed.Bookings[b.ID]
		want := seating.Recalled{
			UserID: b.UserID, Seats: b.Seats, Status: b.Status, Version: b.Version,
			QueuedVersion: b.QueuedVersion, Passes: b.Passes, Blocked: b.Blocked != seating.NotBlocked,
		}
		if recalled != want {
			t.Fatalf("booking %s: replayed %+v, want %+v%s", b.ID, recalled, want, describe(ledger))
		}
		if b.Status == seating.Waitlisted {
			queue = append(queue, b)
		}
	}
	slices.SortFunc(queue, func(a, b *seating.Booking) int { return int(a.QueuedVersion - b.QueuedVersion) })
	if !slices.EqualFunc(queue, replayed.Queue, func(b *seating.Booking, id uuid.UUID) bool { return b.ID == id }) {
		t.Fatalf("replayed queue %v, want %v", replayed.Queue, queue)
	}
	if count != len(replayed.Bookings) {
		t.Fatalf("replayed %d bookings, want %d", len(replayed.Bookings), count)
	}
}

func describe(ledger []seating.Entry) string {
	var lines strings.Builder
	for _, e := range ledger {
		fmt.Fprintf(&lines, "\n%3d %-14s %s %d %-10s %d/%d +%d cause %d %s", e.Version, e.Kind, e.BookingID.String()[30:], e.Seats, e.Status,
			e.SeatsTaken, e.Capacity, e.WaitlistLength, e.Cause.Version, e.By.Reason)
	}
	return lines.String()
}

// The first entry that contradicts those before it is named, with the reason.
func TestReplayContradictions(t *testing.T) {
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
		}), 4, "2 seats are taken of a capacity of 1"},
		"an impossible step": {change(6, func(e *seating.Entry) { e.Status = seating.Offered }), 6, "cannot become"},
		"kind and status":    {change(7, func(e *seating.Entry) { e.Status = seating.Offered }), 7, "should leave the booking"},
		"another user":       {change(6, func(e *seating.Entry) { e.UserID = uuid.UUID{9} }), 6, "another user's"},
		"no cause":           {change(7, func(e *seating.Entry) { e.Cause = seating.Cause{} }), 7, "needs a cause"},
		"half a cause":       {change(7, func(e *seating.Entry) { e.Cause.Version = 0 }), 7, "half of its cause"},
		"a later cause":      {change(7, func(e *seating.Entry) { e.Cause.Version = 7 }), 7, "comes later"},
		"a jump": {change(7, func(e *seating.Entry) { e.BookingID, e.UserID = ledgerBooking(4), ledgerUser(4) }), 7,
			"waits at an earlier place"},
		"passed by nobody": {change(5, func(e *seating.Entry) {
			e.Kind, e.Cause = seating.KindPassed, seating.Cause{SlotID: e.SlotID, Version: 1}
		}), 5, "nobody passed"},
		"unblocked, but never blocked": {change(5, func(e *seating.Entry) {
			e.Kind, e.Cause = seating.KindUnblocked, seating.Cause{SlotID: e.SlotID, Version: 1}
		}), 5, "was that before"},
		"nothing at all":    {func([]seating.Entry) []seating.Entry { return nil }, 0, ""},
		"nothing different": {func(l []seating.Entry) []seating.Entry { return l }, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := seating.Replay(test.edit(someLedger()))
			if test.why == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var c *seating.Contradiction
			if !errors.As(err, &c) {
				t.Fatalf("Replay found nothing: %v", err)
			}
			if c.Entry.Version != test.at || !strings.Contains(c.Why, test.why) {
				t.Errorf("got %v; want entry %d: %s", err, test.at, test.why)
			}
		})
	}
}

// Whoever does not fit may be passed, with an entry right after, in the order of the queue.
func TestReplayPasses(t *testing.T) {
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
	replayed, err := seating.Replay(ledger)
	if err != nil {
		t.Fatal(err)
	}
	if got := replayed.Bookings[ledgerBooking(large)].Passes; got != 1 {
		t.Errorf("passes = %d, want 1", got)
	}
	if _, err := seating.Replay(ledger[:4]); err == nil || !strings.Contains(err.Error(), "no entry says so") {
		t.Errorf("an unnoted pass at the end: %v", err)
	}
	unnoted := entry(5, seating.KindConfirmed, 4, 0, seating.Confirmed, 2, 1)
	if _, err := seating.Replay(append(slices.Clone(ledger[:4]), unnoted)); err == nil || !strings.Contains(err.Error(), "no entry says so") {
		t.Errorf("an unnoted pass: %v", err)
	}
	ledger[4].Cause.Version = 2
	if _, err := seating.Replay(ledger); err == nil || !strings.Contains(err.Error(), "entry 4 passed") {
		t.Errorf("passed by another entry: %v", err)
	}
}

// someLedger: two get the two seats, two wait, the first leaves, the next is promoted.
func someLedger() []seating.Entry {
	slot := uuid.UUID{15: 1}
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	opened, first := seating.Opened(seating.Slot{
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
