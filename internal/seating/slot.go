// Package seating is the seat core: the one place where seats change hands.
//
// A slot is a state machine. Commands (Book, Cancel, Promote, Expire, EditSlot,
// Clear) are pure and deterministic code that turns a loaded State into another,
// with a ledger entry for every step; they know no context, database or clock.
// The Desk gathers commands, loads what they need under locks, lets them decide,
// and writes the outcome, a batch of commands in one transaction.
//
// Start reading here, at the noun; then state.go (how a booking changes its
// status), book.go and promote.go (the rules), desk.go and batch.go (the shell).
package seating

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Slot is one dated session of an event with its capacity, its counters, and the
// part of its queue that was loaded.
type Slot struct {
	ID, EventID, OrganizerID uuid.UUID
	EventStatus              EventStatus
	Status                   SlotStatus
	StartsAt, EndsAt         time.Time
	Capacity                 int
	Policy                   Policy
	// Revision counts edits of the settings, Version the entries of the ledger.
	Revision, Version int64

	SeatsTaken int
	// WaitlistLength counts all who wait, WaitlistReady those who are not blocked.
	WaitlistLength, WaitlistReady int
	// FreedVersion is the latest entry that made a promotion possible: the next one's cause.
	FreedVersion int64
	// PromotionDueAt is since when somebody might be promoted and nobody has
	// looked yet. Zero: nobody in the queue can be served as things stand.
	PromotionDueAt time.Time

	// CancelledBecause is the reason for the end of the slot or of its event.
	CancelledBecause string

	CreatedAt, UpdatedAt time.Time

	// ready holds the heads of the ready queue in order: all of it or its first
	// page. blocked and timed hold those who are blocked, and the holds and offers,
	// as far as they were loaded.
	ready, blocked, timed []*Booking
}

// Policy is what the organizer decided for the slots of an event.
type Policy struct {
	BookingOpensAt, BookingClosesAt time.Time // zero: when published; at the slot's start
	CancellationCloses              time.Duration
	WaitlistMode                    WaitlistMode
	WaitlistLimit                   int // NoLimit: any number
	OfferFor, HoldFor               time.Duration
	Fit                             Fit
	MaxPasses                       int
}

// NoLimit is the waitlist limit of an event without one.
const NoLimit = -1

type (
	// EventStatus, SlotStatus, WaitlistMode and Fit are the words of the API and of the database.
	EventStatus  string
	SlotStatus   string
	WaitlistMode string
	Fit          string
)

// The words, one list each.
const (
	EventDraft     EventStatus = "draft"
	EventPublished EventStatus = "published"
	EventCancelled EventStatus = "cancelled"

	SlotOpen      SlotStatus = "open"
	SlotClosed    SlotStatus = "closed"
	SlotCancelled SlotStatus = "cancelled"

	WaitlistOff       WaitlistMode = "off"
	WaitlistAutomatic WaitlistMode = "automatic"
	WaitlistOffer     WaitlistMode = "offer"

	FitStrict   Fit = "strict"
	FitFirstFit Fit = "first_fit"
)

// Free is how many seats nobody has.
func (s *Slot) Free() int { return s.Capacity - s.SeatsTaken }

// gone says that the slot or its event was cancelled, for good.
func (s *Slot) gone() bool { return s.Status == SlotCancelled || s.EventStatus == EventCancelled }

// Started says whether the slot has begun. The beginning belongs to the slot.
func (s *Slot) Started(now time.Time) bool { return !now.Before(s.StartsAt) }

// CancellationClosesAt is from when on attendees may no longer cancel.
func (s *Slot) CancellationClosesAt() time.Time {
	return s.StartsAt.Add(-s.Policy.CancellationCloses)
}

// promotes says whether somebody who waits here can still get seats.
func (s *Slot) promotes(now time.Time) bool {
	return s.EventStatus == EventPublished && s.Status != SlotCancelled && !s.Started(now)
}

// offers says whether a promotion asks first. Inside the cancellation window it
// always does: nobody gets seats that they can no longer give back.
func (s *Slot) offers(now time.Time) bool {
	return s.Policy.WaitlistMode == WaitlistOffer || !now.Before(s.CancellationClosesAt())
}

// kept is until when seats are kept from now on, never past the start.
func (s *Slot) kept(now time.Time, d time.Duration) time.Time {
	ends := now.Add(d)
	if s.StartsAt.Before(ends) {
		return s.StartsAt
	}
	return ends
}

// readyLoaded says whether ready is the whole ready queue, not its first page.
func (s *Slot) readyLoaded() bool { return len(s.ready) == s.WaitlistReady }

// enqueue puts a booking that is ready into the loaded part of the queue, at its
// place, and counts it. A place beyond the loaded page is left to the next load.
func (s *Slot) enqueue(b *Booking) {
	at, _ := slices.BinarySearchFunc(s.ready, b, byPlace)
	if at < len(s.ready) || s.readyLoaded() {
		s.ready = slices.Insert(s.ready, at, b)
	}
	s.WaitlistReady++
}

// dequeue takes a booking out of the ready queue.
func (s *Slot) dequeue(b *Booking) {
	s.ready = without(s.ready, b)
	s.WaitlistReady--
}

func byPlace(a, b *Booking) int { return cmp.Compare(a.QueuedVersion, b.QueuedVersion) }

func without(list []*Booking, b *Booking) []*Booking {
	if at := slices.Index(list, b); at >= 0 {
		return slices.Delete(list, at, at+1)
	}
	return list
}

// chance notes that the slot's latest entry may let somebody who waits be served.
func (s *Slot) chance(now time.Time) {
	if s.Status == SlotCancelled {
		return // What follows is caused by the cancellation of the slot.
	}
	s.FreedVersion = s.Version
	s.look(now)
}

// noteReordered notes that the slot's latest entry may let somebody who waits be
// served, though it freed no seats: a head that was too large left, or the rules
// changed. Where a promotion is due already, what made it due stays its cause.
func (s *Slot) noteReordered(now time.Time) {
	if s.PromotionDueAt.IsZero() || s.FreedVersion == 0 {
		s.chance(now)
	}
}

// cause is the entry to which a promotion is due.
func (s *Slot) cause() Cause {
	if s.FreedVersion == 0 {
		// Nothing was noted. No promotion may lack a cause: the ledger refuses it,
		// each time, and the seat would never be given.
		return Cause{s.ID, s.Version}
	}
	return Cause{s.ID, s.FreedVersion}
}

// look makes a promotion due, if there are seats and somebody who might want them.
func (s *Slot) look(now time.Time) {
	if s.PromotionDueAt.IsZero() && s.WaitlistReady > 0 && s.Free() > 0 && s.promotes(now) {
		s.PromotionDueAt = now
	}
}
