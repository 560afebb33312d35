//go:build unix

package event_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

func TestUpdateIsAMergePatch(t *testing.T) {
	h := open(t)
	draft, tag := h.draft(func(c *api.EventCreate) {
		c.WaitlistLimit, c.Location = nullable.NewNullableWithValue(5), ptr("Small Hall")
		c.BookingOpensAt = nullable.NewNullableWithValue(time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC))
	})
	got, err := h.update(draft.ID, tag, api.EventPatch{Location: ptr("Great Hall"), WaitlistLimit: nullable.NewNullNullable[int]()})
	must(t, err)
	if got.Location != "Great Hall" || !got.WaitlistLimit.IsNull() || got.Title != draft.Title || got.BookingOpensAt.IsNull() || got.Revision != 2 {
		t.Errorf("got %+v", got)
	}
	if !got.UpdatedAt.After(draft.UpdatedAt) {
		t.Error("updated_at did not change")
	}
	_, err = h.update(draft.ID, tag, api.EventPatch{Title: ptr("Other")})
	wantFault(t, err, fault.VersionMismatch)

	got, err = h.update(draft.ID, "*", api.EventPatch{Location: ptr("Great Hall"), MaxPasses: ptr(3), WaitlistLimit: nullable.NewNullNullable[int](),
		BookingOpensAt: draft.BookingOpensAt})
	must(t, err)
	if got.Revision != 2 {
		t.Errorf("an edit that changes nothing made revision %d", got.Revision)
	}
}

func TestWaitlistCannotBeTurnedOffWhileSomebodyWaits(t *testing.T) {
	h := open(t)
	e := h.event()
	h.full(e.ID)
	_, err := h.update(e.ID, "*", api.EventPatch{WaitlistMode: ptr(api.WaitlistModeOff)})
	wantFault(t, err, fault.WaitlistInUse)
	if now, _ := h.get(e.ID); now.WaitlistMode != api.WaitlistModeAutomatic || now.Revision != 1 {
		t.Errorf("got %+v", now)
	}
	other := h.event()
	testkit.Slot(t, h.pool, other.ID)
	got, err := h.update(other.ID, "*", api.EventPatch{WaitlistMode: ptr(api.WaitlistModeOff)})
	must(t, err)
	if got.WaitlistMode != api.WaitlistModeOff {
		t.Error("the waitlist is still on, though nobody waits")
	}
}

// Two of three seats are taken. The first in the queue needs three seats, the second
// one. Under first_fit the second can be served, and comes before any newcomer.
func TestNewRulesServeTheQueueBeforeNewcomers(t *testing.T) {
	h := open(t)
	e := h.event()
	slot := testkit.Slot(t, h.pool, e.ID, testkit.Capacity(3))
	book := func(seats int, ifFull seating.IfFull) (seating.Booking, error) {
		user := testkit.User(t, h.pool, access.Attendee).UserID
		o, err := h.desk.Do(t.Context(), desk.Submission{Command: seating.Book{
			BookingID: uuid.Must(uuid.NewV7()), SlotID: slot.ID, UserID: user,
			Seats: seats, IfFull: ifFull, By: seating.Actor{Role: seating.ActorAttendee, ID: user}}})
		return o.Result.Booking, err
	}
	for _, seats := range []int{2, 3} {
		_, err := book(seats, seating.Wait)
		must(t, err)
	}
	second, err := book(1, seating.Wait)
	must(t, err)

	_, err = h.update(e.ID, "*", api.EventPatch{OfferMinutes: ptr(30), Title: ptr("Other")})
	must(t, err)
	if jobs := h.jobs("promote"); len(jobs) != 0 {
		t.Errorf("nobody can be served, but there are jobs for %v", jobs)
	}
	_, err = h.update(e.ID, "*", api.EventPatch{Fit: ptr(api.FitPolicyFirstFit), MaxPasses: ptr(1)})
	must(t, err)
	if jobs := h.jobs("promote"); !slices.Equal(jobs, []uuid.UUID{slot.ID}) {
		t.Errorf("jobs for %v, want one for %v", jobs, slot.ID)
	}
	edit := list[int64](h, `SELECT version FROM ledger WHERE kind = 'edited' AND actor = 'organizer'
		AND reason = 'fit strict to first_fit, max_passes 3 to 1' AND booking_id IS NULL`)
	if len(edit) != 1 {
		t.Fatalf("%d entries for the edit, want 1", len(edit))
	}

	_, err = book(1, seating.Reject)
	wantFault(t, err, fault.SlotFull)
	_, err = book(1, seating.Wait)
	must(t, err)
	if causes := list[int64](h, `SELECT cause_version FROM ledger WHERE kind = 'promoted' AND booking_id = $1`, second.ID); !slices.Equal(causes, edit) {
		t.Errorf("promoted because of %v, want the edit, entry %v", causes, edit)
	}
	testkit.Sound(t, h.pool)
}

// The others cannot promote anybody any more.
func TestNewRulesAreRecordedInSlotsThatStillPromote(t *testing.T) {
	h := open(t)
	e := h.event()
	open := testkit.Slot(t, h.pool, e.ID)
	cancelled := testkit.Slot(t, h.pool, e.ID)
	_, err := h.desk.Do(t.Context(), desk.Submission{Command: seating.EditSlot{SlotID: cancelled.ID, Status: ptr(seating.SlotCancelled), By: seating.System("test")}})
	must(t, err)
	_, err = h.update(e.ID, "*", api.EventPatch{WaitlistMode: ptr(api.WaitlistModeOffer)})
	must(t, err)
	if recorded := list[uuid.UUID](h, `SELECT slot_id FROM ledger WHERE kind = 'edited'`); !slices.Equal(recorded, []uuid.UUID{open.ID}) {
		t.Errorf("recorded in %v, want %v", recorded, open.ID)
	}
}

// lock locks a slot in another transaction, until release is called. process is its
// server process.
func (h *env) lock(slotID uuid.UUID) (process uint32, release func()) {
	h.Helper()
	tx, err := h.pool.Begin(context.Background())
	must(h, err)
	_, err = tx.Exec(context.Background(), `SELECT FROM slots WHERE id = $1 FOR NO KEY UPDATE`, slotID)
	must(h, err)
	return tx.Conn().PgConn().PID(), func() { must(h, tx.Rollback(context.Background())) }
}

// awaitWaiter returns when another process waits for a lock that process has.
func (h *env) awaitWaiter(process uint32) {
	h.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if list[int64](h, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND $1::int = ANY(pg_blocking_pids(pid))`, process)[0] > 0 {
			return
		}
	}
	h.Fatal("timed out waiting until a process waits for the lock")
}

// The desk reads the rules after it has locked a slot, so they must not change then.
func TestRulesChangeOnlyWhileAllSlotsAreLocked(t *testing.T) {
	testkit.SkipIfPooled(t, "it waits until a certain session waits")
	h := open(t)
	e := h.event()
	first := testkit.Slot(t, h.pool, e.ID)
	holder, releaseFirst := h.lock(first.ID)
	_, err := h.update(e.ID, "*", api.EventPatch{Title: ptr("A title needs no locks")})
	must(t, err)

	done := make(chan error, 1)
	go func() {
		_, err := h.update(e.ID, "*", api.EventPatch{MaxPasses: ptr(7), HoldMinutes: ptr(5)})
		done <- err
	}()
	h.awaitWaiter(holder)
	// A slot that is added while the others are being locked is locked too.
	second := testkit.Slot(t, h.pool, e.ID)
	other, releaseSecond := h.lock(second.ID)
	releaseFirst()
	h.awaitWaiter(other)
	if now, _ := h.get(e.ID); now.MaxPasses != 3 {
		t.Error("the rules changed while another transaction had locked a slot")
	}
	releaseSecond()
	must(t, <-done)
	if now, _ := h.get(e.ID); now.MaxPasses != 7 || now.HoldMinutes != 5 {
		t.Error("the rules did not change")
	}
}

func TestOneOfSeveralEditsOfARevisionSucceeds(t *testing.T) {
	h := open(t)
	draft, tag := h.draft()
	results := make(chan error, 8)
	for i := range cap(results) {
		go func() {
			_, err := h.update(draft.ID, tag, api.EventPatch{OfferMinutes: ptr(100 + i)})
			results <- err
		}()
	}
	succeeded := 0
	for range cap(results) {
		if err := <-results; err == nil {
			succeeded++
		} else {
			wantFault(t, err, fault.VersionMismatch)
		}
	}
	if now, _ := h.get(draft.ID); succeeded != 1 || now.Revision != 2 {
		t.Errorf("%d edits succeeded, revision %d", succeeded, now.Revision)
	}
}
