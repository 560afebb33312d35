package desk

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
)

// maxHolds is how many earlier holds of a user in a slot count. More than these are made by
// a machine, and stopped by the quota of changes.
const maxHolds = 1000

// readQuotas reads what counts for the quotas, where they are set.
func (l *loaded) readQuotas(p *pipeline, commands []*pending) {
	q := db.New()
	if holds := l.holdsOf(commands); len(holds.UserIds) > 0 {
		read(p, &l.holds, q.HoldsEnded, holds)
	}
	if changes := l.changesOf(commands); len(changes.UserIds) > 0 {
		read(p, &l.changes, q.ChangesCount, changes)
	}
	if limited := keyQuotas(commands); len(limited) > 0 {
		read(p, &l.keysUsed, q.IdempotencyKeysCount, limited)
	}
}

// holdsOf asks for the earlier holds of who wants to hold seats.
func (l *loaded) holdsOf(commands []*pending) db.HoldsEndedParams {
	p := db.HoldsEndedParams{Since: l.now.Add(-seating.QuotaWindow - longestHold), Page: maxHolds}
	if l.quotas.Holds == 0 {
		return p
	}
	seen := map[seating.UserSlot]bool{}
	for _, c := range commands {
		for _, of := range c.needs.Holds {
			if !seen[of] {
				seen[of] = true
				p.UserIds, p.SlotIds = append(p.UserIds, of.UserID), append(p.SlotIds, of.SlotID)
			}
		}
	}
	return p
}

// changesOf asks how often who wants seats has changed their bookings of the slot, unless
// its whole ledger is shorter than the quota.
func (l *loaded) changesOf(commands []*pending) db.ChangesCountParams {
	p := db.ChangesCountParams{Since: l.now.Add(-seating.QuotaWindow), Page: int32(l.quotas.Changes)}
	if l.quotas.Changes == 0 {
		return p
	}
	seen := map[seating.UserSlot]bool{}
	for _, c := range commands {
		for _, of := range c.needs.Wanted {
			slot, found := l.slots[of.SlotID]
			if found && slot.Version >= int64(l.quotas.Changes) && !seen[of] {
				seen[of] = true
				p.UserIds, p.SlotIds = append(p.UserIds, of.UserID), append(p.SlotIds, of.SlotID)
				p.Starts, p.Ends = append(p.Starts, slot.StartsAt), append(p.Ends, slot.EndsAt)
			}
		}
	}
	return p
}

// longestHold is that of events_hold_minutes.
const longestHold = time.Hour

// addQuotas adds to the state what was read for the quotas.
func (l *loaded) addQuotas(s *seating.State) {
	for _, row := range l.holds {
		s.AddHold(seating.UserSlot{UserID: row.UserID, SlotID: row.SlotID}, seating.Span{From: row.BeganAt, To: row.EndedAt})
	}
	for _, row := range l.changes {
		s.AddChanges(seating.UserSlot{UserID: row.UserID, SlotID: row.SlotID}, seating.Changes{Count: int(row.Changes), First: row.FirstAt})
	}
}

// keyQuotas returns the users whose idempotency keys are limited.
func keyQuotas(commands []*pending) (users []uuid.UUID) {
	for _, c := range commands {
		if c.Key != nil && c.Key.Quota > 0 {
			users = append(users, c.Key.UserID)
		}
	}
	return seating.SortedIDs(users)
}

// checkKeyQuota refuses a new key of a user who has used too many, those of this batch
// included.
func (l *loaded) checkKeyQuota(k *idempotency.Key, keys keyring) error {
	used := keys.of(k.UserID) - l.answered.of(k.UserID)
	first := l.now
	for _, row := range l.keysUsed {
		if row.UserID == k.UserID {
			used, first = used+int(row.Keys), row.FirstAt
		}
	}
	return k.CheckQuota(used, first)
}

// of is how many keys in the ring are a user's.
func (ring keyring) of(userID uuid.UUID) (n int) {
	for id := range ring {
		if id.userID == userID {
			n++
		}
	}
	return n
}
