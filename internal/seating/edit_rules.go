package seating

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// EditRules changes the rules by which a slot's waitlist is served, because the
// organizer edited the event. Whoever waits may be next under other rules, so
// the promotion is due with this entry, before any newcomer.
type EditRules struct {
	SlotID       uuid.UUID
	WaitlistMode WaitlistMode
	Fit          Fit
	MaxPasses    int
	By           By
}

func (c EditRules) needs() needs { return needs{slots: []uuid.UUID{c.SlotID}} }

func (c EditRules) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	changes := c.changes(slot.Policy)
	slot.Policy.WaitlistMode, slot.Policy.Fit, slot.Policy.MaxPasses = c.WaitlistMode, c.Fit, c.MaxPasses
	if changes != "" && slot.promotes(s.Now) {
		s.record(slot, nil, KindEdited, c.By.because(changes), Cause{})
		slot.noteReordered(s.Now)
	}
	return Result{Slot: *slot}, nil
}

// changes says in words what differs from the rules before; empty: nothing does.
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
