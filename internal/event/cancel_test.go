//go:build unix

package event_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"eventbooking/gen/api"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// Ten thousand bookings are cancelled in pages. The work may stop after any page, and
// other workers continue it.
func TestBookingsOfACancelledEventAreCancelledInPages(t *testing.T) {
	testkit.SkipIfShort(t, "it cancels ten thousand bookings")
	h := open(t)
	e := h.event()
	testkit.InsertFullSlots(t, h.pool, e.ID, testkit.FullSlots{Slots: 4, Seated: 2000, Waiting: 500})
	live := func() int64 {
		return list[int64](h, `SELECT count(*) FROM bookings WHERE status IN ('waitlisted', 'held', 'offered', 'confirmed')`)[0]
	}
	if _, err := h.cancel(h.mine(), e.ID, "the hall burnt down"); err != nil {
		t.Fatal(err)
	}
	if live() != 10_000 || len(h.jobs("clear")) != 4 {
		t.Fatalf("%d bookings live, %d jobs", live(), len(h.jobs("clear")))
	}

	// A page of two slots, and then a worker that is stopped.
	for _, slotID := range list[uuid.UUID](h, `SELECT id FROM slots ORDER BY id LIMIT 2`) {
		outcome, err := h.desk.Do(t.Context(), desk.Submission{Command: seating.CancelAllBookings{SlotID: slotID}, Internal: true})
		must(t, err)
		if !outcome.Result.More {
			t.Error("one page was enough")
		}
	}
	stop := work(t, h)
	testkit.Eventually(t, "the worker has begun", func() bool { return live() < 9000 })
	stop()
	if live() == 0 {
		t.Log("the worker finished before it was stopped")
	}

	defer work(t, h)()
	testkit.Eventually(t, "every booking is cancelled", func() bool { return live() == 0 })
	if reasons := list[string](h, `SELECT DISTINCT reason FROM ledger WHERE kind = 'cancelled'`); len(reasons) != 1 || reasons[0] != "the hall burnt down" {
		t.Errorf("the reasons are %q", reasons)
	}
	if n := list[int64](h, `SELECT count(*) FROM ledger WHERE kind = 'cancelled'`)[0]; n != 10_000 {
		t.Errorf("%d entries for ten thousand bookings", n)
	}
	testkit.Sound(t, h.pool)
}

// work runs the workers until stop is called, which interrupts their jobs.
func work(t *testing.T, h *env) (stop func()) {
	t.Helper()
	workers := river.NewWorkers()
	waitlist.AddWorkers(workers, h.pool, h.desk)
	client, err := river.NewClient[pgx.Tx](riverpgxv5.New(h.pool), &river.Config{
		Schema: postgres.RiverSchema, Workers: workers, TestOnly: true,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}},
	})
	must(t, err)
	must(t, client.Start(context.Background()))
	return func() { must(t, client.StopAndCancel(context.Background())) }
}

// New times at which attendees have other seats are refused, with the number of
// attendees, unless on_conflict is cancel.
func TestOverlappingNewTimesAreRefusedOrCancelBookings(t *testing.T) {
	h := open(t)
	e := h.event()
	slot := testkit.Slot(t, h.pool, e.ID)
	later := testkit.Slot(t, h.pool, e.ID, func(s *seating.Slot) {
		s.StartsAt, s.EndsAt = slot.EndsAt, slot.EndsAt.Add(slot.EndsAt.Sub(slot.StartsAt))
	})
	busy, idle := testkit.User(t, h.pool, "attendee"), testkit.User(t, h.pool, "attendee")
	displaced := testkit.Book(t, h.desk, slot.ID, busy.UserID, 1)
	kept := testkit.Book(t, h.desk, slot.ID, idle.UserID, 1)
	elsewhere := testkit.Book(t, h.desk, later.ID, busy.UserID, 1)

	move := api.SlotPatch{StartsAt: ptr(later.StartsAt), EndsAt: ptr(later.EndsAt)}
	for _, policy := range []*api.SlotConflictPolicy{nil, ptr(api.SlotConflictPolicyRefuse)} {
		move.OnConflict = policy
		_, err := h.updateSlot(slot.ID, "*", move)
		if f := refusal(t, err, fault.EventHasBookings); *f.Members.Count != 1 {
			t.Errorf("got %v", f.Members)
		}
	}
	move.OnConflict = ptr(api.SlotConflictPolicyCancel)
	moved, err := h.updateSlot(slot.ID, "*", move)
	if err != nil || !moved.StartsAt.Equal(later.StartsAt) || moved.SeatsTaken != 1 {
		t.Errorf("%+v, %v", moved, err)
	}
	for id, want := range map[uuid.UUID]string{displaced.ID: "cancelled", kept.ID: "confirmed", elsewhere.ID: "confirmed"} {
		if got := list[string](h, `SELECT status FROM bookings WHERE id = $1`, id)[0]; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	testkit.Sound(t, h.pool)
}
