//go:build unix

package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
)

// Stored is what the database has at one moment.
type Stored struct {
	Ledger   map[EntryKey]Entry
	Bookings map[uuid.UUID]Booking
}

// Entry is one of the ledger's.
type Entry struct {
	Kind          spec.Kind
	Actor, Reason string
	Booking       uuid.UUID // nil: about the slot
	Seats         int
	Status        spec.Status
	Cause         EntryKey
}

// Booking is one's row.
type Booking struct {
	At                              EntryKey // of its last change
	Seats                           int
	Status                          spec.Status
	Replaces, ReplacedBy, MovedFrom uuid.UUID
}

// Audit compares what people were told with what is stored, when nobody is still
// waiting for an answer, and says what is wrong:
//
//   - lost: an acknowledged effect that is not in the ledger as it was acknowledged,
//     or a booking that is behind it;
//   - unaccounted: something that a person did, according to the ledger, and that
//     no answer told of: a second effect, or one that was refused;
//   - half applied: one side of a move or an upgrade without the other. A part of
//     a bundle is lost when the bundle was acknowledged, and unaccounted otherwise.
func Audit(receipts []Receipt, stored Stored) []string {
	a := audit{stored: stored, told: make(map[EntryKey]bool, len(receipts)), resized: map[uuid.UUID]int{}, attended: map[uuid.UUID]bool{}}
	for _, r := range receipts {
		a.receipt(r)
	}
	a.moves()
	for at, e := range stored.Ledger {
		a.entry(at, e)
	}
	for id, b := range stored.Bookings {
		a.booking(id, b)
	}
	return a.found
}

type audit struct {
	stored Stored
	// told are the entries that answers told of.
	told map[EntryKey]bool
	// resized counts the acknowledged changes of a booking's seats. Their answers
	// show the booking a moment later, perhaps after a promotion.
	resized map[uuid.UUID]int
	// moved is where each booking that was moved went, by the entry of its moving.
	moved map[EntryKey]uuid.UUID
	// attended are the bookings that were ever checked in: they need not be given back.
	attended map[uuid.UUID]bool
	found    []string
}

func (a *audit) find(format string, args ...any) {
	a.found = append(a.found, fmt.Sprintf(format, args...))
}

func (a *audit) receipt(r Receipt) {
	a.told[r.At] = true
	if r.Command == string(spec.Resize) {
		a.resized[r.Booking]++
	}
	e, there := a.stored.Ledger[r.At]
	switch {
	case !there:
		a.find("lost: %s of booking %s, acknowledged at %s, is not in the ledger", r.Command, r.Booking, r.At)
	case e.Booking != r.Booking || e.Seats != r.Seats || e.Status != r.Status:
		a.find("lost: %s of booking %s, acknowledged as %s with %d seats at %s: there is %+v", r.Command, r.Booking, r.Status, r.Seats, r.At, e)
	}
	if b, there := a.stored.Bookings[r.Booking]; !there || b.At.Slot != r.At.Slot || b.At.Version < r.At.Version {
		a.find("lost: %s of booking %s, acknowledged at %s: the booking is %+v", r.Command, r.Booking, r.At, b)
	}
}

// moves pairs the two sides of moves: the entry of the new booking names the
// entry of the old one as its cause.
func (a *audit) moves() {
	a.moved = map[EntryKey]uuid.UUID{}
	for at, e := range a.stored.Ledger {
		cause, caused := a.stored.Ledger[e.Cause]
		if !caused || cause.Kind != spec.KindMoved || e.Kind != spec.KindConfirmed { // a promotion may have the same cause
			continue
		}
		if a.stored.Bookings[e.Booking].MovedFrom != cause.Booking || a.moved[e.Cause] != uuid.Nil {
			a.find("half applied: the move at %s made booking %s at %s", e.Cause, e.Booking, at)
		}
		a.moved[e.Cause] = e.Booking
		a.told[e.Cause] = a.told[e.Cause] || a.told[at]
	}
}

func (a *audit) entry(at EntryKey, e Entry) {
	if e.Kind == spec.KindCheckedIn {
		a.attended[e.Booking] = true
	}
	if e.Kind == spec.KindMoved && a.moved[at] == uuid.Nil {
		a.find("half applied: booking %s was moved away at %s, and arrived nowhere", e.Booking, at)
	}
	if e.Reason == "upgraded" {
		old := a.stored.Bookings[e.Booking]
		if cause := a.stored.Ledger[e.Cause]; cause.Status != spec.Confirmed || cause.Booking != old.ReplacedBy {
			a.find("half applied: booking %s was given back at %s, for %s at %s", e.Booking, at, old.ReplacedBy, e.Cause)
		}
	}
	if e.Booking == uuid.Nil || e.Actor == "system" || a.told[at] {
		return
	}
	if e.Kind == spec.KindResized && a.resized[e.Booking] > 0 {
		a.resized[e.Booking]--
		return
	}
	a.find("unaccounted: %s of booking %s at %s by the %s: no answer told of it", e.Kind, e.Booking, at, e.Actor)
}

func (a *audit) booking(id uuid.UUID, b Booking) {
	e := a.stored.Ledger[b.At]
	if e.Booking != id || e.Status != b.Status || e.Seats != b.Seats {
		a.find("half applied: booking %s is %+v, and the ledger has %+v", id, b, e)
	}
	if b.MovedFrom != uuid.Nil {
		if old := a.stored.Bookings[b.MovedFrom]; old.Status != spec.Cancelled || a.moved[old.At] != id {
			a.find("half applied: booking %s was made by a move of %s, which is %+v", id, b.MovedFrom, old)
		}
	}
	if kept := a.kept(id, b); b.Status == spec.Confirmed && a.stored.Bookings[kept].Status.TakesSeats() && !a.attended[kept] {
		a.find("half applied: booking %s is confirmed, and %s that it replaces still has seats", id, kept)
	}
}

// kept is the booking that one replaces: the one that it named, or what took the
// place of that by a move or an upgrade.
func (a *audit) kept(id uuid.UUID, b Booking) uuid.UUID {
	kept := b.Replaces
	for range a.stored.Bookings { // at most
		next := a.stored.Bookings[kept].ReplacedBy
		if next == uuid.Nil || next == id {
			break
		}
		kept = next
	}
	return kept
}

// Compare audits receipts against a database, when nobody is still waiting for an
// answer. What is wrong goes into a file in a directory, together with what was
// found already.
func Compare(ctx context.Context, databaseURL, dir string, receipts *Receipts, found ...string) error {
	stored, err := readStored(ctx, databaseURL)
	if err != nil {
		return err
	}
	if found = append(found, Audit(receipts.All(), stored)...); len(found) == 0 {
		return nil
	}
	file := filepath.Join(dir, "findings.txt")
	err = os.WriteFile(file, []byte(strings.Join(found, "\n")+"\n"), 0o600)
	return errors.Join(lab.Broken(fmt.Errorf("%d findings, in %s; the first: %s", len(found), file, found[0])), err)
}
