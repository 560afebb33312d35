//go:build unix

package load_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/proof/load"
	"eventbooking/internal/proof/spec"
)

// Two slots, and three bookings: old was moved from here to there, where moved
// is; upgraded waited here and then took the place of given, there.
var (
	here, there                 = uuid.New(), uuid.New()
	old, moved, given, upgraded = uuid.New(), uuid.New(), uuid.New(), uuid.New()
)

func at(slot uuid.UUID, version int64) load.EntryKey {
	return load.EntryKey{Slot: slot, Version: version}
}

// history is one in which everything is as it should be.
func history() ([]load.Receipt, load.Stored) {
	entry := func(kind spec.Kind, actor string, booking uuid.UUID, status spec.Status) load.Entry {
		return load.Entry{Kind: kind, Actor: actor, Booking: booking, Seats: 1, Status: status}
	}
	caused := func(e load.Entry, reason string, cause load.EntryKey) load.Entry {
		e.Reason, e.Cause = reason, cause
		return e
	}
	ledger := map[load.EntryKey]load.Entry{
		at(here, 1):  {Kind: "opened", Actor: "organizer"},
		at(there, 1): {Kind: "opened", Actor: "organizer"},
		at(here, 2):  entry("confirmed", "attendee", old, spec.Confirmed),
		at(there, 2): entry("confirmed", "attendee", given, spec.Confirmed),
		at(here, 3):  entry("waitlisted", "attendee", upgraded, spec.Waitlisted),
		at(here, 4):  entry("moved", "attendee", old, spec.Cancelled),
		at(there, 3): caused(entry("confirmed", "attendee", moved, spec.Confirmed), "", at(here, 4)),
		at(here, 5):  caused(entry("promoted", "system", upgraded, spec.Confirmed), "", at(here, 4)),
		at(there, 4): caused(entry("cancelled", "system", given, spec.Cancelled), "upgraded", at(here, 5)),
		at(there, 5): entry("resized", "attendee", moved, spec.Confirmed),
		at(there, 6): entry("checked_in", "organizer", moved, spec.Confirmed),
	}
	bookings := map[uuid.UUID]load.Booking{
		old:      {At: at(here, 4), Seats: 1, Status: spec.Cancelled},
		moved:    {At: at(there, 6), Seats: 1, Status: spec.Confirmed, MovedFrom: old},
		given:    {At: at(there, 4), Seats: 1, Status: spec.Cancelled, ReplacedBy: upgraded},
		upgraded: {At: at(here, 5), Seats: 1, Status: spec.Confirmed, Replaces: given},
	}
	receipt := func(command string, booking uuid.UUID, at load.EntryKey, status spec.Status) load.Receipt {
		return load.Receipt{Command: command, Booking: booking, At: at, Seats: 1, Status: status}
	}
	return []load.Receipt{
		receipt("book", old, at(here, 2), spec.Confirmed),
		receipt("book", given, at(there, 2), spec.Confirmed),
		receipt("upgrade", upgraded, at(here, 3), spec.Waitlisted),
		receipt("move", moved, at(there, 3), spec.Confirmed),
		receipt(string(spec.Resize), moved, at(there, 6), spec.Confirmed), // read when it was checked in already
		receipt(string(spec.CheckIn), moved, at(there, 6), spec.Confirmed),
	}, load.Stored{Ledger: ledger, Bookings: bookings}
}

func TestTheAuditFindsEachDifference(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		// harm does something to the good history.
		harm func(receipts []load.Receipt, b load.Stored) []load.Receipt
		want string // the beginning of a finding; none if empty
	}{
		"good": {func(r []load.Receipt, _ load.Stored) []load.Receipt { return r }, ""},
		"an acknowledged entry is gone": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			delete(b.Ledger, at(here, 2))
			return r
		}, "lost: book"},
		"an acknowledged entry is another's": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			b.Ledger[at(here, 2)] = load.Entry{Kind: "confirmed", Booking: given, Seats: 1, Status: spec.Confirmed}
			return r
		}, "lost: book"},
		"with other seats": {func(r []load.Receipt, _ load.Stored) []load.Receipt {
			r[0].Seats = 2
			return r
		}, "lost: book"},
		"in another state": {func(r []load.Receipt, _ load.Stored) []load.Receipt {
			r[0].Status = spec.Waitlisted
			return r
		}, "lost: book"},
		"a booking is gone": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			delete(b.Bookings, given)
			return r
		}, "lost: book"},
		"a booking is as it was before": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			row := b.Bookings[moved]
			row.At = at(there, 3)
			b.Bookings[moved] = row
			return r
		}, "lost: "},
		"a booking is not what its last entry says": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			row := b.Bookings[upgraded]
			row.Status = spec.Waitlisted
			b.Bookings[upgraded] = row
			return r
		}, "half applied: booking"},
		"an effect that was refused": {func(r []load.Receipt, _ load.Stored) []load.Receipt {
			return r[1:]
		}, "unaccounted: confirmed"},
		"a move that was refused": {func(r []load.Receipt, _ load.Stored) []load.Receipt {
			return append(r[:3:3], r[4:]...)
		}, "unaccounted: moved"},
		"a second effect": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			b.Ledger[at(there, 7)] = b.Ledger[at(there, 6)]
			return r
		}, "unaccounted: checked_in"},
		"a second change of seats": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			b.Ledger[at(there, 7)] = b.Ledger[at(there, 5)]
			return r
		}, "unaccounted: resized"},
		"moved away only": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			delete(b.Ledger, at(there, 3))
			return r
		}, "half applied: booking"},
		"arrived only": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			delete(b.Ledger, at(here, 4))
			return r
		}, "half applied: booking"},
		"moved to two places": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			b.Ledger[at(there, 7)] = b.Ledger[at(there, 3)]
			return r
		}, "half applied: the move"},
		"upgraded, and the old one kept": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			delete(b.Ledger, at(there, 4))
			b.Bookings[given] = load.Booking{At: at(there, 2), Seats: 1, Status: spec.Confirmed}
			return r
		}, "half applied: booking"},
		"given back, and not upgraded": {func(r []load.Receipt, b load.Stored) []load.Receipt {
			delete(b.Ledger, at(here, 5))
			b.Bookings[upgraded] = load.Booking{At: at(here, 3), Seats: 1, Status: spec.Waitlisted, Replaces: given}
			return r
		}, "half applied: booking"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receipts, books := history()
			found := load.Audit(test.harm(receipts, books), books)
			if test.want == "" && len(found) > 0 || test.want != "" && !contains(found, test.want) {
				t.Errorf("want %q, found %q", test.want, found)
			}
		})
	}
}

func contains(found []string, beginning string) bool {
	for _, f := range found {
		if strings.HasPrefix(f, beginning) {
			return true
		}
	}
	return false
}
