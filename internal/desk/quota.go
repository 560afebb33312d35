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

// readQuotas reads what counts for the quotas, where they are set: for holds, the user's
// earlier ones of the slot; for changes, those of the slot, unless its whole ledger is
// shorter than the quota.
func (l *loaded) readQuotas(p *pipeline, commands []*pending) {
	if l.quotas == (seating.Quotas{}) {
		return
	}
	since, q := l.now.Add(-seating.QuotaWindow), db.New()
	holds := db.HoldsEndedParams{Since: since.Add(-longestHold), Page: maxHolds}
	changes := db.ChangesCountParams{Since: since, Page: int32(l.quotas.Changes)}
	holding, seen := map[seating.UserSlot]bool{}, map[seating.UserSlot]bool{}
	for _, c := range commands {
		for _, of := range c.needs.Holds {
			if l.quotas.Holds > 0 && !holding[of] {
				holding[of] = true
				holds.UserIds, holds.SlotIds = append(holds.UserIds, of.UserID), append(holds.SlotIds, of.SlotID)
			}
		}
		for _, of := range c.needs.Wanted {
			slot, found := l.slots[of.SlotID]
			if l.quotas.Changes == 0 || !found || slot.Version < int64(l.quotas.Changes) || seen[of] {
				continue
			}
			seen[of] = true
			changes.UserIds, changes.SlotIds = append(changes.UserIds, of.UserID), append(changes.SlotIds, of.SlotID)
			changes.Starts, changes.Ends = append(changes.Starts, slot.StartsAt), append(changes.Ends, slot.EndsAt)
		}
	}
	if len(holds.UserIds) > 0 {
		read(p, &l.holds, q.HoldsEnded, holds)
	}
	if len(changes.UserIds) > 0 {
		read(p, &l.changes, q.ChangesCount, changes)
	}
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
