package seating

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// EditSlot changes a slot's settings; nil leaves a setting as it is.
type EditSlot struct {
	SlotID uuid.UUID
	// Revision is the one that the editor saw; 0 edits whatever is there.
	Revision         int64
	Capacity         *int
	StartsAt, EndsAt *time.Time
	Status           *SlotStatus
	// Displace cancels the bookings of attendees who have seats elsewhere at the
	// new time, instead of refusing it.
	Displace bool
	By       By
}

func (c EditSlot) needs() needs {
	n := needs{slots: []uuid.UUID{c.SlotID}, frees: true}
	if c.Capacity != nil {
		n.unblocks, n.capacity = true, *c.Capacity
	}
	if c.StartsAt != nil || c.EndsAt != nil {
		n.retimes = &retiming{c.StartsAt, c.EndsAt}
	}
	return n
}

func (c EditSlot) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	if c.Revision != 0 && c.Revision != slot.Revision {
		return Result{}, at(slot, fault.VersionMismatch.Newf("The slot is at revision %d; the edit was of revision %d.", slot.Revision, c.Revision))
	}
	if slot.gone() && c.Status != nil && *c.Status == SlotCancelled {
		return Result{Slot: *slot}, nil // Cancelling twice is cancelling once.
	}
	starts, ends := c.times(slot)
	retimed := !starts.Equal(slot.StartsAt) || !ends.Equal(slot.EndsAt)
	if err := c.admissible(s, slot, starts, ends, retimed); err != nil {
		return Result{}, err
	}
	before := slot.Version
	c.resize(s, slot)
	if retimed {
		s.retime(slot, starts, ends, c.By)
	}
	c.restate(s, slot)
	if slot.Version > before {
		slot.Revision++
	}
	return Result{Slot: *slot}, nil
}

// times are the slot's times after the edit.
func (c EditSlot) times(slot *Slot) (starts, ends time.Time) {
	return retiming{c.StartsAt, c.EndsAt}.of(slot.StartsAt, slot.EndsAt)
}

func (c EditSlot) admissible(s *State, slot *Slot, starts, ends time.Time, retimed bool) error {
	switch {
	case slot.gone():
		return at(slot, fault.SlotCancelled.New("The slot was cancelled; it cannot be edited any more."))
	case c.Capacity != nil && *c.Capacity < slot.SeatsTaken:
		return at(slot, fault.CapacityBelowTaken.Newf("%d seats are taken.", slot.SeatsTaken).With("seats_taken", slot.SeatsTaken))
	case !retimed:
		return nil
	case slot.Started(s.Now):
		return at(slot, fault.SlotStarted.New("The slot has started; its time cannot change any more."))
	case !starts.Before(ends):
		return fault.InvalidTimeRange.New("ends_at must be after starts_at.")
	case !s.Now.Before(starts):
		return fault.InvalidTimeRange.New("starts_at must be in the future.")
	}
	attendees, busy := s.attendees(slot, starts, ends)
	switch {
	case attendees > MaxRetimed:
		return at(slot, fault.EventHasBookings.Newf("The time of a slot with more than %d bookings cannot change.", MaxRetimed).With("count", attendees))
	case len(busy) > 0 && !c.Displace:
		return at(slot, fault.EventHasBookings.Newf("%d attendees have seats elsewhere at the new time.", len(busy)).With("count", len(busy)))
	}
	return nil
}

// attendees counts the bookings with seats, and finds those of users who have
// seats elsewhere at another time of the slot.
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

func (c EditSlot) resize(s *State, slot *Slot) {
	if c.Capacity == nil || *c.Capacity == slot.Capacity {
		return
	}
	by := c.By.because(fmt.Sprintf("capacity %d to %d", slot.Capacity, *c.Capacity))
	slot.Capacity = *c.Capacity
	s.record(slot, nil, KindEdited, by, Cause{})
	slot.chance(s.Now)
	s.unblockReady(slot) // Those whom the old capacity blocked: a newcomer must not come before them.
	if slot.WaitlistLength > 0 {
		s.wake(slot.ID)
	}
}

// retime moves the slot and all its bookings in time.
func (s *State) retime(slot *Slot, starts, ends time.Time, by By) {
	_, busy := s.attendees(slot, starts, ends)
	text := fmt.Sprintf("%s to %s", slot.StartsAt.UTC().Format(time.RFC3339), starts.UTC().Format(time.RFC3339))
	slot.StartsAt, slot.EndsAt = starts, ends
	s.record(slot, nil, KindEdited, by.because(text), Cause{})
	moved := Cause{slot.ID, slot.Version}
	for _, b := range busy {
		s.turn(b, Cancelled, KindCancelled, System("the slot's new time overlaps other seats"), moved)
	}
	for _, b := range s.Bookings() {
		if b.SlotID != slot.ID {
			continue
		}
		b.StartsAt, b.EndsAt = starts, ends
		if !b.Status.TakesSeats() {
			continue
		}
		if b.ExpiresAt.After(starts) { // Neither holds nor offers outlast the start.
			b.ExpiresAt = starts
			s.record(slot, b, KindEdited, System("the slot starts earlier"), moved)
		}
		s.noteSeats(b)
		for _, slotID := range s.blocks[b.ID] {
			s.wake(slotID)
		}
	}
	if slot.WaitlistLength > 0 {
		s.wake(slot.ID) // Who is blocked may have changed.
	}
}

func (c EditSlot) restate(s *State, slot *Slot) {
	if c.Status == nil || *c.Status == slot.Status {
		return
	}
	kind := map[SlotStatus]Kind{SlotOpen: KindReopened, SlotClosed: KindClosed, SlotCancelled: KindSlotCancelled}[*c.Status]
	s.restate(slot, *c.Status, kind, c.By)
}

// restate opens, closes or cancels a slot. The bookings of a cancelled slot go
// in pages, each caused by this entry.
func (s *State) restate(slot *Slot, to SlotStatus, kind Kind, by By) {
	s.record(slot, nil, kind, by, Cause{})
	slot.chance(s.Now)
	slot.Status = to
	if to == SlotCancelled {
		slot.PromotionDueAt, slot.CancelledBecause = time.Time{}, by.Reason
		s.clears[slot.ID] = true
	}
}

// because keeps the reason that was given, and says what changed where none was.
func (by By) because(what string) By {
	by.Reason = strings.TrimSuffix(what+": "+by.Reason, ": ")
	return by
}
