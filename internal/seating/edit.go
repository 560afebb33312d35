package seating

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// EditSlot changes a slot's settings; nil leaves a setting as it is. An edit that
// changes nothing makes no entry and no revision.
//
// Refusals: fault.NotFound, fault.NotPermitted, fault.VersionMismatch, fault.SlotCancelled,
// fault.SlotEnded, fault.CapacityBelowTaken, fault.SlotStarted, fault.InvalidTimeRange,
// fault.EventHasBookings.
type EditSlot struct {
	SlotID uuid.UUID
	// Revision is the one that the editor saw; 0 matches any.
	Revision         int64
	Capacity         *int
	StartsAt, EndsAt *time.Time
	// MaxDuration bounds the new times; 0 does not.
	MaxDuration time.Duration
	Status      *SlotStatus
	// Displace cancels the bookings of attendees who have seats elsewhere at the new
	// times. Without it, such an edit is refused.
	Displace bool
	By       Actor
}

func (c EditSlot) Needs() Needs {
	n := Needs{Slots: []uuid.UUID{c.SlotID}, Users: c.By.user(), Frees: true,
		ChangesSpan: c.StartsAt != nil || c.EndsAt != nil || c.Status != nil}
	if c.Capacity != nil {
		n.Unblocks, n.Capacity, n.Queue = true, *c.Capacity, true
	}
	if c.StartsAt != nil || c.EndsAt != nil {
		n.Unblocks, n.NewTimes = true, &NewTimes{c.StartsAt, c.EndsAt}
	}
	return n
}

func (c EditSlot) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	if err := s.checkActor(c.By, fault.NotPermitted.New("You no longer manage this event.")); err != nil {
		return Result{}, err
	}
	if c.Revision != 0 && c.Revision != slot.Revision {
		return Result{}, atVersion(slot, fault.VersionMismatch.Newf("The slot is at revision %d, and the edit is of revision %d.", slot.Revision, c.Revision))
	}
	if slot.isCancelled() && c.cancels() {
		return Result{Slot: *slot}, nil // Cancelling twice changes nothing.
	}
	starts, ends := c.times(slot)
	timesChange := !starts.Equal(slot.StartsAt) || !ends.Equal(slot.EndsAt)
	if err := c.checkAdmissible(s, slot, starts, ends, timesChange); err != nil {
		return Result{}, err
	}
	before := slot.Version
	c.changeCapacity(s, slot)
	if timesChange {
		s.setTimes(slot, starts, ends, c.By)
	}
	c.changeStatus(s, slot)
	if slot.Version > before {
		slot.Revision++
	}
	return Result{Slot: *slot}, nil
}

func (c EditSlot) cancels() bool { return c.Status != nil && *c.Status == SlotCancelled }

// times are the slot's times after the edit.
func (c EditSlot) times(slot *Slot) (starts, ends time.Time) {
	return NewTimes{c.StartsAt, c.EndsAt}.Change(slot.StartsAt, slot.EndsAt)
}

func (c EditSlot) checkAdmissible(s *State, slot *Slot, starts, ends time.Time, timesChange bool) error {
	switch {
	case slot.isCancelled():
		return atVersion(slot, fault.SlotCancelled.New("The slot was cancelled and can no longer be edited."))
	case slot.Ended(s.Now) && c.cancels():
		return atVersion(slot, fault.SlotEnded.New("The slot has ended; it can no longer be cancelled."))
	case c.Capacity != nil && *c.Capacity < slot.SeatsTaken:
		return atVersion(slot, fault.CapacityBelowTaken.Newf("The capacity cannot be less than the number of taken seats (%d).", slot.SeatsTaken).With(fault.Members{SeatsTaken: new(slot.SeatsTaken)}))
	case !timesChange:
		return nil
	}
	if err := slot.checkTimes(starts, ends, s.Now); err != nil {
		return err
	}
	if c.MaxDuration > 0 && ends.Sub(starts) > c.MaxDuration {
		return fault.InvalidTimeRange.Newf("ends_at must be at most %.0f days after starts_at.", c.MaxDuration.Hours()/24)
	}
	attendees, busy := s.attendees(slot, starts, ends)
	switch live := attendees + slot.WaitlistLength; {
	case live > MaxTimeChange:
		return atVersion(slot, fault.EventHasBookings.Newf("The times of a slot with more than %d bookings cannot change.", MaxTimeChange).With(fault.Members{Count: new(live)}))
	case len(busy) > 0 && (!c.Displace || slices.ContainsFunc(busy, func(b *Booking) bool { return b.isFinal(s.Now) })):
		// Who is there already is not displaced.
		return atVersion(slot, fault.EventHasBookings.Newf("%s would have overlapping bookings at the new times.", fault.Count(len(busy), "attendee")).With(fault.Members{Count: new(len(busy))}))
	}
	return nil
}

// checkTimes refuses new times. A slot that runs can be prolonged and shortened, and
// nothing of an ended one changes. The slots of drafts are free: nobody has booked them.
func (s *Slot) checkTimes(starts, ends, now time.Time) error {
	moves := !starts.Equal(s.StartsAt)
	switch booked := s.EventStatus != EventDraft; {
	case booked && s.Ended(now):
		return atVersion(s, fault.SlotEnded.New("The slot has ended; its times can no longer change."))
	case booked && s.Started(now) && moves:
		return atVersion(s, fault.SlotStarted.New("The slot has started; only its end can still change."))
	case !starts.Before(ends):
		return fault.InvalidTimeRange.New("ends_at must be after starts_at.")
	case moves && !now.Before(starts):
		return fault.InvalidTimeRange.New("starts_at must be in the future.")
	case booked && ends.Before(now):
		return fault.InvalidTimeRange.New("ends_at must not be in the past.")
	}
	return nil
}

// attendees counts the slot's bookings with seats, and finds those of users who
// would have seats elsewhere if the slot were at the given times.
func (s *State) attendees(slot *Slot, starts, ends time.Time) (count int, busy []*Booking) {
	for _, b := range s.Bookings() {
		if b.SlotID != slot.ID || !b.Status.TakesSeats() {
			continue
		}
		count++
		if s.blocker(b.UserID, starts, ends, b.ID) != nil {
			busy = append(busy, b)
		}
	}
	return count, busy
}

func (c EditSlot) changeCapacity(s *State, slot *Slot) {
	if c.Capacity == nil || *c.Capacity == slot.Capacity {
		return
	}
	by := c.By.withReason(fmt.Sprintf("capacity %d to %d", slot.Capacity, *c.Capacity))
	slot.Capacity = *c.Capacity
	s.record(slot, nil, KindEdited, by, Cause{})
	slot.noteFreed(s.Now)
	s.blockTooLarge(slot) // Nobody may wait behind bookings that cannot be served.
	s.unblockEnded(slot)  // Bookings that the old capacity blocked come before newcomers.
	if slot.WaitlistLength > 0 {
		s.requestPromotion(slot.ID)
	}
}

// blockTooLarge blocks the loaded bookings in the queue that the slot is too small for.
// A promotion blocks the others, when it comes to them.
func (s *State) blockTooLarge(slot *Slot) {
	for _, b := range slices.Clone(slot.ready) {
		if b.minSeats() > slot.Capacity {
			s.block(b, BlockedCapacity, uuid.Nil)
		}
	}
}

// setTimes changes the times of the slot and of all its bookings. Attendees who
// have seats elsewhere at the new times lose theirs here.
func (s *State) setTimes(slot *Slot, starts, ends time.Time, by Actor) {
	_, busy := s.attendees(slot, starts, ends)
	changes := changesOfTimes(slot, starts, ends)
	times := TimeChange{slot.StartsAt, slot.EndsAt, starts, ends}
	slot.StartsAt, slot.EndsAt = starts, ends
	s.record(slot, nil, KindEdited, by.withReason(changes), Cause{})
	s.entries[len(s.entries)-1].Times = times
	edit := Cause{slot.ID, slot.Version}
	for _, b := range busy {
		s.transition(b, Cancelled, KindCancelled, System("the slot's new times overlap another booking"), edit)
	}
	for _, b := range s.Bookings() {
		if b.SlotID == slot.ID {
			s.moveWithSlot(slot, b, edit)
		}
	}
	for _, b := range slices.Clone(slot.blocked) { // Whom the old times hindered comes before newcomers.
		if _, ended := s.blockEnded(slot, b); ended {
			s.unblock(b, edit)
		}
	}
	if slot.WaitlistLength > 0 {
		s.requestPromotion(slot.ID) // Which bookings are blocked may have changed.
	}
}

// moveWithSlot gives a booking the new times of its slot. A live one gets the version
// of that entry, and can be cancelled until the new start: its attendee did not choose
// it. The desk does the same to the bookings that were not loaded.
func (s *State) moveWithSlot(slot *Slot, b *Booking, edit Cause) {
	b.StartsAt, b.EndsAt = slot.StartsAt, slot.EndsAt
	if b.Status.Live() {
		b.Version, b.UpdatedAt, b.CancellationCloses = edit.Version, s.Now, 0
	}
	if !b.Status.TakesSeats() {
		return
	}
	if b.ExpiresAt.After(slot.StartsAt) { // Holds and offers end by the slot's start.
		b.ExpiresAt = slot.StartsAt
		s.record(slot, b, KindEdited, System("the slot starts earlier"), edit)
	}
	s.promoteBehind(b)
	s.promoteBlockedBy(b)
}

// changesOfTimes says in words which times change.
func changesOfTimes(slot *Slot, starts, ends time.Time) string {
	var changes []string
	note := func(name string, from, to time.Time) {
		if !from.Equal(to) {
			changes = append(changes, fmt.Sprintf("%s %s to %s", name, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)))
		}
	}
	note("starts_at", slot.StartsAt, starts)
	note("ends_at", slot.EndsAt, ends)
	return strings.Join(changes, ", ")
}

func (c EditSlot) changeStatus(s *State, slot *Slot) {
	if c.Status == nil || *c.Status == slot.Status {
		return
	}
	kind := map[SlotStatus]Kind{SlotOpen: KindReopened, SlotClosed: KindClosed, SlotCancelled: KindSlotCancelled}[*c.Status]
	s.setStatus(slot, *c.Status, kind, c.By)
}

// setStatus opens, closes or cancels a slot. CancelAllBookings then cancels the
// bookings of a cancelled slot, page by page; this entry is their cause.
func (s *State) setStatus(slot *Slot, to SlotStatus, kind Kind, by Actor) {
	s.record(slot, nil, kind, by, Cause{})
	slot.Status = to
	if to == SlotCancelled {
		slot.FreedVersion, slot.PromotionDueAt, slot.CancelledBecause = slot.Version, time.Time{}, by.Reason
		if slot.CancelledAt.IsZero() { // Otherwise the event was cancelled, then.
			slot.CancelledAt = s.Now
		}
		s.cancellations[slot.ID] = true
	}
}

// withReason puts what changed in front of the reason that was given, if any.
func (a Actor) withReason(change string) Actor {
	a.Reason = strings.TrimSuffix(change+": "+a.Reason, ": ")
	return a
}
