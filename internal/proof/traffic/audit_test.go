//go:build unix

package traffic_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/proof/traffic"
)

// Two slots, and three bookings: old was moved from here to there, where moved
// is; upgraded waited here and then took the place of given, there.
var (
	here, there                 = uuid.New(), uuid.New()
	old, moved, given, upgraded = uuid.New(), uuid.New(), uuid.New(), uuid.New()
)

func at(slot uuid.UUID, version int64) traffic.Place {
	return traffic.Place{Slot: slot, Version: version}
}

// history is one in which everything is as it should be.
func history() ([]traffic.Receipt, traffic.Books) {
	entry := func(kind, actor string, booking uuid.UUID, status string) traffic.Entry {
		return traffic.Entry{Kind: kind, Actor: actor, Booking: booking, Seats: 1, Status: status}
	}
	caused := func(e traffic.Entry, reason string, cause traffic.Place) traffic.Entry {
		e.Reason, e.Cause = reason, cause
		return e
	}
	ledger := map[traffic.Place]traffic.Entry{
		at(here, 1):  {Kind: "opened", Actor: "organizer"},
		at(there, 1): {Kind: "opened", Actor: "organizer"},
		at(here, 2):  entry("confirmed", "attendee", old, "confirmed"),
		at(there, 2): entry("confirmed", "attendee", given, "confirmed"),
		at(here, 3):  entry("waitlisted", "attendee", upgraded, "waitlisted"),
		at(here, 4):  entry("moved", "attendee", old, "cancelled"),
		at(there, 3): caused(entry("confirmed", "attendee", moved, "confirmed"), "", at(here, 4)),
		at(here, 5):  caused(entry("promoted", "system", upgraded, "confirmed"), "", at(here, 4)),
		at(there, 4): caused(entry("cancelled", "system", given, "cancelled"), "upgraded", at(here, 5)),
		at(there, 5): entry("resized", "attendee", moved, "confirmed"),
		at(there, 6): entry("checked_in", "organizer", moved, "confirmed"),
	}
	bookings := map[uuid.UUID]traffic.Booking{
		old:      {At: at(here, 4), Seats: 1, Status: "cancelled"},
		moved:    {At: at(there, 6), Seats: 1, Status: "confirmed", MovedFrom: old},
		given:    {At: at(there, 4), Seats: 1, Status: "cancelled", ReplacedBy: upgraded},
		upgraded: {At: at(here, 5), Seats: 1, Status: "confirmed", Replaces: given},
	}
	receipt := func(command string, booking uuid.UUID, at traffic.Place, status string) traffic.Receipt {
		return traffic.Receipt{Command: command, Booking: booking, At: at, Seats: 1, Status: status}
	}
	return []traffic.Receipt{
		receipt("book", old, at(here, 2), "confirmed"),
		receipt("book", given, at(there, 2), "confirmed"),
		receipt("upgrade", upgraded, at(here, 3), "waitlisted"),
		receipt("move", moved, at(there, 3), "confirmed"),
		receipt("resize", moved, at(there, 6), "confirmed"), // read when it was checked in already
		receipt("check in", moved, at(there, 6), "confirmed"),
	}, traffic.Books{Ledger: ledger, Bookings: bookings}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		// harm does something to the good history.
		harm func(receipts []traffic.Receipt, b traffic.Books) []traffic.Receipt
		want string // the beginning of a finding; none if empty
	}{
		"good": {func(r []traffic.Receipt, _ traffic.Books) []traffic.Receipt { return r }, ""},
		"an acknowledged entry is gone": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			delete(b.Ledger, at(here, 2))
			return r
		}, "lost: book"},
		"an acknowledged entry is another's": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			b.Ledger[at(here, 2)] = traffic.Entry{Kind: "confirmed", Booking: given, Seats: 1, Status: "confirmed"}
			return r
		}, "lost: book"},
		"with other seats": {func(r []traffic.Receipt, _ traffic.Books) []traffic.Receipt {
			r[0].Seats = 2
			return r
		}, "lost: book"},
		"in another state": {func(r []traffic.Receipt, _ traffic.Books) []traffic.Receipt {
			r[0].Status = "waitlisted"
			return r
		}, "lost: book"},
		"a booking is gone": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			delete(b.Bookings, given)
			return r
		}, "lost: book"},
		"a booking is as it was before": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			row := b.Bookings[moved]
			row.At = at(there, 3)
			b.Bookings[moved] = row
			return r
		}, "lost: "},
		"a booking is not what its last entry says": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			row := b.Bookings[upgraded]
			row.Status = "waitlisted"
			b.Bookings[upgraded] = row
			return r
		}, "half applied: booking"},
		"an effect that was refused": {func(r []traffic.Receipt, _ traffic.Books) []traffic.Receipt {
			return r[1:]
		}, "unaccounted: confirmed"},
		"a move that was refused": {func(r []traffic.Receipt, _ traffic.Books) []traffic.Receipt {
			return append(r[:3:3], r[4:]...)
		}, "unaccounted: moved"},
		"a second effect": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			b.Ledger[at(there, 7)] = b.Ledger[at(there, 6)]
			return r
		}, "unaccounted: checked_in"},
		"a second change of seats": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			b.Ledger[at(there, 7)] = b.Ledger[at(there, 5)]
			return r
		}, "unaccounted: resized"},
		"moved away only": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			delete(b.Ledger, at(there, 3))
			return r
		}, "half applied: booking"},
		"arrived only": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			delete(b.Ledger, at(here, 4))
			return r
		}, "half applied: booking"},
		"moved to two places": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			b.Ledger[at(there, 7)] = b.Ledger[at(there, 3)]
			return r
		}, "half applied: the move"},
		"upgraded, and the old one kept": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			delete(b.Ledger, at(there, 4))
			b.Bookings[given] = traffic.Booking{At: at(there, 2), Seats: 1, Status: "confirmed"}
			return r
		}, "half applied: booking"},
		"given back, and not upgraded": {func(r []traffic.Receipt, b traffic.Books) []traffic.Receipt {
			delete(b.Ledger, at(here, 5))
			b.Bookings[upgraded] = traffic.Booking{At: at(here, 3), Seats: 1, Status: "waitlisted", Replaces: given}
			return r
		}, "half applied: booking"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receipts, books := history()
			found := traffic.Audit(test.harm(receipts, books), books)
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
