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

	// A server process reports its deadlocks when it ends.
	h.desk.Close()
	h.pool.Reset()
	testkit.Eventually(t, "all server processes have ended", func() bool {
		return list[int64](h, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)[0] == 0
	})
	if n := list[int64](h, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)[0]; n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}
