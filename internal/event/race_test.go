//go:build unix

package event_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

func TestSlotCreatedWhileTheEventIsCancelledGetsAJobOrIsRefused(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	h := open(t)
	e := h.event()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := h.createSlot(e.ID, tomorrow()); err != nil && !errors.Is(err, fault.InvalidTransition) {
				t.Error(err)
			}
		})
	}
	all.Go(func() {
		if _, err := h.cancel(h.mine(), e.ID, "x"); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	if slots := list[int64](h, `SELECT count(*) FROM slots`)[0]; slots != int64(len(h.jobs("clear"))) {
		t.Errorf("%d slots, %d jobs", slots, len(h.jobs("clear")))
	}
}

// Organizers do everything at the same time with one event. Each operation succeeds,
// or is refused with version_mismatch or contention.
func TestConcurrentEditsDoNotDeadlock(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	h := open(t)
	e := h.event()
	var slots []uuid.UUID
	for range 6 {
		slots = append(slots, testkit.Slot(t, h.pool, e.ID).ID)
	}
	const rounds = 15
	operations := map[string]func(i int) error{
		"rules": func(i int) error {
			_, err := h.update(e.ID, "*", api.EventPatch{MaxPasses: ptr(10 + i)})
			return err
		},
		"title": func(i int) error {
			_, err := h.update(e.ID, "*", api.EventPatch{Title: ptr(fmt.Sprint(i))})
			return err
		},
		"move": func(i int) error {
			s := slots[i%len(slots)]
			_, err := h.updateSlot(s, "*", api.SlotPatch{EndsAt: ptr(time.Now().Add(30*time.Hour + time.Duration(i)*time.Minute))})
			return err
		},
		"close": func(i int) error {
			_, err := h.updateSlot(slots[(i+3)%len(slots)], "*", api.SlotPatch{Status: ptr([]api.SlotEditStatus{"open", "closed"}[i/6%2])})
			return err
		},
		"create and delete": func(i int) error {
			a, err := h.createSlot(e.ID, tomorrow())
			if err != nil {
				return err
			}
			_, err = h.handler.DeleteSlot(h.mine(), api.DeleteSlotRequestObject{SlotID: body[api.Slot](t, a).ID, Params: api.DeleteSlotParams{IfMatch: ptr("*")}})
			return err
		},
		"publish": func(i int) error {
			_, err := h.publish(keyed(h.organizer, fmt.Sprint(i)), e.ID)
			return err
		},
	}
	var all sync.WaitGroup
	for name, do := range operations {
		all.Go(func() {
			for i := range rounds {
				if err := do(i); err != nil && !errors.Is(err, fault.VersionMismatch) && !errors.Is(err, fault.Contention) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	all.Wait()

	h.wantNoDeadlock()
}

// Batches take the slots of several events in any order, and organizers publish, cancel
// and extend these events with idempotency keys meanwhile. Nobody is told of a deadlock,
// because what lost is repeated: the database counts them.
func TestChangesOfSlotsOfSeveralEventsDoNotDeadlock(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	h := open(t)
	var events, slots []uuid.UUID
	for range 4 {
		events = append(events, h.event().ID)
	}
	for i := range 32 {
		// The order of the slots is not that of their events.
		slots = append(slots, testkit.Slot(t, h.pool, events[(i+i/4)%4]).ID)
	}
	operations := []func(n int) error{
		func(n int) error {
			to := []api.SlotEditStatus{"open", "closed"}[n/32%2]
			_, err := h.updateSlot(slots[n%len(slots)], "*", api.SlotPatch{Status: &to})
			return err
		},
		func(n int) error {
			_, err := h.updateSlot(slots[n*7%len(slots)], "*", api.SlotPatch{EndsAt: ptr(time.Now().Add(30*time.Hour + time.Duration(n)*time.Second))})
			return err
		},
		func(n int) error {
			_, err := h.handler.CancelSlot(keyed(h.organizer, fmt.Sprint("cancel", n)), api.CancelSlotRequestObject{
				SlotID: slots[n*5%len(slots)], Body: &api.Cancellation{Reason: "x"}})
			return err
		},
		func(n int) error {
			_, err := h.handler.CreateSlot(keyed(h.organizer, fmt.Sprint("create", n)), api.CreateSlotRequestObject{
				EventID: events[n%4], Body: ptr(tomorrow())})
			return err
		},
		func(n int) error {
			_, err := h.publish(keyed(h.organizer, fmt.Sprint("publish", n)), events[n%4])
			return err
		},
	}
	var all sync.WaitGroup
	for client := range 32 {
		all.Go(func() {
			for i := range 100 {
				n := client*31 + i*17
				// Mostly changes of statuses, which share batches.
				do := operations[0]
				if i%10 == 9 {
					do = operations[1+n%4]
				}
				if err := do(n); err != nil && !errors.Is(err, fault.VersionMismatch) && !errors.Is(err, fault.SlotCancelled) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	h.wantNoDeadlock()
	testkit.Sound(t, h.pool)
}

// wantNoDeadlock closes the desk and fails the test if the database has counted a
// deadlock.
func (h *env) wantNoDeadlock() {
	h.Helper()
	// A server process reports its deadlocks when it ends.
	h.desk.Close()
	h.pool.Reset()
	testkit.Eventually(h, "all server processes have ended", func() bool {
		return list[int64](h, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)[0] == 0
	})
	if n := list[int64](h, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)[0]; n != 0 {
		h.Errorf("%d deadlocks", n)
	}
}
