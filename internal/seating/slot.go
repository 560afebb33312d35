// Package seating has all rules about the seats and the queue of a slot.
//
// Commands (Book, Cancel, Promote, …) are pure and deterministic: each turns a
// loaded State into another and writes a ledger entry for every step. They know
// no context, database or clock. Package desk loads what they need under locks,
// applies them, and writes the outcome.
//
// Start reading here, then transition.go (how a booking changes its status),
// book.go and promote.go (the rules of the waitlist).
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
	// FreedVersion is the latest entry that made a promotion possible; it is the
	// cause of the next one.
	FreedVersion int64
	// PromotionDueAt is since when somebody might be promoted and no promotion has
	// run. Zero: nobody in the queue can be served now.
	PromotionDueAt time.Time

	// CancelledAt and CancelledBecause are when and why the slot or its event was
	// cancelled. An event's cancellation leaves slots alone that had ended by then.
	CancelledAt      time.Time
	CancelledBecause string

	CreatedAt, UpdatedAt time.Time

	// ready holds the ready queue in order: all of it or its first page. blocked
	// holds the blocked bookings, and timed the holds and offers, as far as they
	// were loaded.
	ready, blocked, timed []*Booking
	// heads is how many bookings of the ready queue were loaded. isCutShort says that a
	// command needed more of them.
	heads      int
	isCutShort bool

	// counted are the counters as verify expects them. wasDue and wasWrong say that
	// a promotion was due, or the queue out of order, when the slot was loaded.
	counted          counters
	wasDue, wasWrong bool
}

// Policy is what the organizer decided for the slots of an event.
type Policy struct {
	BookingOpensAt, BookingClosesAt time.Time // zero: when published; at the slot's start, or end with WalkIns
	// WalkIns keeps booking open while the slot runs.
	WalkIns            bool
	CancellationCloses time.Duration
	WaitlistMode       WaitlistMode
	WaitlistLimit      int // NoLimit: any number
	OfferFor, HoldFor  time.Duration
	Fit                Fit
	MaxPasses          int
	// MaxSeatsPerBooking and MaxSeatsPerUser (in all slots of the event) limit what is
	// asked for; 0: any number.
	MaxSeatsPerBooking, MaxSeatsPerUser int
}

// NoLimit is the waitlist limit of an event without one.
const NoLimit = -1

type (
	// EventStatus, SlotStatus, WaitlistMode and Fit have the same values in the API
	// and in the database.
	EventStatus  string
	SlotStatus   string
	WaitlistMode string
	Fit          string
)

// The values of these types.
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

// Available is how many seats somebody might still get: none once the slot has ended,
// or if it or its event was cancelled.
func (s *Slot) Available(now time.Time) int {
	if s.IsOver(now) {
		return 0
	}
	return s.Free()
}

// IsOver says whether the slot has ended, or it or its event was cancelled.
func (s *Slot) IsOver(now time.Time) bool { return s.isCancelled() || s.Ended(now) }

// isCancelled says whether the slot was cancelled for good, by itself or with its
// event.
func (s *Slot) isCancelled() bool {
	return s.Status == SlotCancelled || s.EventStatus == EventCancelled && !s.Ended(s.CancelledAt)
}

// Started says whether the slot has started. At StartsAt it has.
func (s *Slot) Started(now time.Time) bool { return !now.Before(s.StartsAt) }

// Ended says whether the slot has ended. At EndsAt it has.
func (s *Slot) Ended(now time.Time) bool { return !now.Before(s.EndsAt) }

// CancellationClosesAt is the time from which the attendee may no longer cancel a
// booking of a slot of the event: as the event says now or as it said when the booking was
// made, whichever is later. If the slot was moved since, it is the start.
func (s *Slot) CancellationClosesAt(b *Booking) time.Time {
	return b.StartsAt.Add(-min(s.Policy.CancellationCloses, b.CancellationCloses))
}

// canPromote says whether anybody on the waitlist can still get seats.
func (s *Slot) canPromote(now time.Time) bool {
	return s.EventStatus == EventPublished && s.Status != SlotCancelled && !s.Started(now)
}

// mustOffer says whether a promotion asks first. Inside the cancellation window it
// always does: nobody gets seats that they can no longer give back.
func (s *Slot) mustOffer(b *Booking, now time.Time) bool {
	return s.Policy.WaitlistMode == WaitlistOffer || !now.Before(s.CancellationClosesAt(b))
}

// deadline is when a hold or an offer of length d ends that begins now: never
// after the slot's start.
func (s *Slot) deadline(now time.Time, d time.Duration) time.Time {
	ends := now.Add(d)
	if s.StartsAt.Before(ends) {
		return s.StartsAt
	}
	return ends
}

// isReadyLoaded says whether ready is the whole ready queue, not its first page.
func (s *Slot) isReadyLoaded() bool { return len(s.ready) == s.WaitlistReady }

// addReady puts a booking that is ready into the loaded part of the queue, at its
// position, and counts it. A position beyond the loaded page is left to the next load.
func (s *Slot) addReady(b *Booking) {
	at, _ := slices.BinarySearchFunc(s.ready, b, byPosition)
	if at < len(s.ready) || s.isReadyLoaded() {
		s.ready = slices.Insert(s.ready, at, b)
	}
	s.WaitlistReady++
}

// removeReady takes a booking out of the ready queue.
func (s *Slot) removeReady(b *Booking) {
	s.ready = without(s.ready, b)
	s.WaitlistReady--
}

func byPosition(a, b *Booking) int { return cmp.Compare(a.QueuedVersion, b.QueuedVersion) }

func without(list []*Booking, b *Booking) []*Booking {
	if at := slices.Index(list, b); at >= 0 {
		return slices.Delete(list, at, at+1)
	}
	return list
}

// noteFreed notes that somebody who waits may be served because of the slot's
// latest entry.
func (s *Slot) noteFreed(now time.Time) {
	if s.Status == SlotCancelled {
		return // The cause of all that follows is the cancellation of the slot.
	}
	s.FreedVersion = s.Version
	s.markPromotionDue(now)
}

// noteReordered notes that somebody who waits may be served because of the slot's
// latest entry, though it freed no seats: a head that was too large left, or the
// rules changed. If a promotion is due already, its cause stays as it is.
func (s *Slot) noteReordered(now time.Time) {
	if s.PromotionDueAt.IsZero() || s.FreedVersion == 0 {
		s.noteFreed(now)
	}
}

// cause is the entry that made the next promotion possible.
func (s *Slot) cause() Cause {
	if s.FreedVersion == 0 {
		// Nothing was noted. The ledger refuses a promotion without a cause, so it
		// would fail each time and the seat would stay free for ever.
		return Cause{s.ID, s.Version}
	}
	return Cause{s.ID, s.FreedVersion}
}

// markPromotionDue makes a promotion due if seats are free and somebody is ready.
func (s *Slot) markPromotionDue(now time.Time) {
	if s.PromotionDueAt.IsZero() && s.WaitlistReady > 0 && s.Free() > 0 && s.canPromote(now) {
		s.PromotionDueAt = now
	}
}
