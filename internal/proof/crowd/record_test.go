//go:build unix

package crowd_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/proof/crowd"
)

// The checker sees each way in which an acknowledgement and the database can
// disagree, and nothing else.
func TestCompare(t *testing.T) {
	t.Parallel()
	one, two := uuid.New(), uuid.New()
	record := func(bookings map[uuid.UUID]bool, keys ...string) crowd.Record {
		r := crowd.Record{Bookings: bookings, Keys: map[string]bool{}}
		for _, key := range keys {
			r.Keys[key] = true
		}
		return r
	}
	type bookings = map[uuid.UUID]bool
	for name, c := range map[string]struct {
		told, stored crowd.Record
		want         string
	}{
		"alike":               {record(bookings{one: true, two: false}, "a", "b", "c"), record(bookings{one: true, two: false}, "a", "b", "c"), ""},
		"lost booking":        {record(bookings{one: true}, "a"), record(bookings{}, "a"), "is lost"},
		"lost cancellation":   {record(bookings{one: false}, "a"), record(bookings{one: true}, "a"), "cancellation of booking " + one.String() + " was acknowledged and is lost"},
		"cancelled by nobody": {record(bookings{one: true}, "a"), record(bookings{one: false}, "a"), "nobody was told that it was cancelled"},
		"two effects":         {record(bookings{one: true}, "a"), record(bookings{one: true, two: true}, "a"), "nobody was told"},
		"lost answer":         {record(bookings{one: true}, "a"), record(bookings{one: true}), "the answer to the key a was given and is lost"},
		"effect of a refusal": {record(bookings{one: true}, "a"), record(bookings{one: true}, "a", "b"), "the key b has an answer that nobody got"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := crowd.Compare(c.told, c.stored)
			if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}
