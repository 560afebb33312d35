package seating

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// EditRules changes the rules by which a slot's waitlist is served, because the
// organizer edited the event. Under other rules somebody who waits may be served,
// so a promotion is due from this entry on, before any newcomer. The only refusal
// is fault.NotFound.
type EditRules struct {
	SlotID       uuid.UUID
	WaitlistMode WaitlistMode
	Fit          Fit
	MaxPasses    int
	By           Actor
}

func (c EditRules) Needs() Needs { return Needs{Slots: []uuid.UUID{c.SlotID}} }

func (c EditRules) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	changes := c.changes(slot.Policy)
	slot.Policy.WaitlistMode, slot.Policy.Fit, slot.Policy.MaxPasses = c.WaitlistMode, c.Fit, c.MaxPasses
	if changes != "" && slot.canPromote(s.Now) {
		s.record(slot, nil, KindEdited, c.By.withReason(changes), Cause{})
		slot.noteReordered(s.Now)
	}
	return Result{Slot: *slot}, nil
}

// changes says in words what differs from the rules before; it is empty if nothing does.
func (c EditRules) changes(before Policy) string {
	var changes []string
	if c.WaitlistMode != before.WaitlistMode {
		changes = append(changes, fmt.Sprintf("waitlist_mode %s to %s", before.WaitlistMode, c.WaitlistMode))
	}
	if c.Fit != before.Fit {
		changes = append(changes, fmt.Sprintf("fit %s to %s", before.Fit, c.Fit))
	}
	if c.MaxPasses != before.MaxPasses {
		changes = append(changes, fmt.Sprintf("max_passes %d to %d", before.MaxPasses, c.MaxPasses))
	}
	return strings.Join(changes, ", ")
}
