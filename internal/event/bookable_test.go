//go:build unix

package event_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// times are those of a slot, from now.
type times struct{ starts, ends time.Duration }

func (h *env) slotsAt(eventID uuid.UUID, all ...times) (ids []uuid.UUID) {
	h.Helper()
	for _, at := range all {
		ids = append(ids, testkit.Slot(h, h.pool, eventID, testkit.Times(at.starts, at.ends)).ID)
	}
	return ids
}

// An event that nobody could ever book is not published.
func TestEventThatNobodyCouldBookIsNotPublished(t *testing.T) {
	h := open(t)
	over, runs, comes := times{-2 * time.Hour, -time.Hour}, times{-time.Hour, time.Hour}, times{2 * time.Hour, 3 * time.Hour}
	opens := func(after time.Duration) func(*db.Event) {
		return func(e *db.Event) { e.BookingOpensAt = ptr(time.Now().Add(after)) }
	}
	walkIns := func(e *db.Event) { e.WalkIns = true }
	for name, c := range map[string]struct {
		edits   []func(*db.Event)
		slots   []times
		refused bool
	}{
		"no slot":                             {nil, nil, true},
		"one that has ended":                  {nil, []times{over}, true},
		"one that runs":                       {nil, []times{runs}, false},
		"one that comes":                      {nil, []times{comes}, false},
		"one that has ended, one that comes":  {nil, []times{over, comes}, false},
		"opens before the last start":         {[]func(*db.Event){opens(time.Hour)}, []times{runs, comes}, false},
		"opens after the last start":          {[]func(*db.Event){opens(150 * time.Minute)}, []times{runs, comes}, true},
		"with walk-ins, before the last end":  {[]func(*db.Event){opens(150 * time.Minute), walkIns}, []times{runs, comes}, false},
		"with walk-ins, after the last end":   {[]func(*db.Event){opens(4 * time.Hour), walkIns}, []times{runs, comes}, true},
		"with walk-ins, one that has ended":   {[]func(*db.Event){walkIns}, []times{over}, true},
		"walk-ins do not matter before start": {[]func(*db.Event){walkIns}, []times{comes}, false},
	} {
		e := h.event(append(c.edits, status(seating.EventDraft))...)
		h.slotsAt(e.ID, c.slots...)
		_, err := h.publish(h.mine(), e.ID)
		if c.refused {
			wantFault(t, err, fault.NoBookableSlot)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := h.event(status(seating.EventDraft))
	cancelled := h.slotsAt(e.ID, comes)[0]
	testkit.Exec(t, h.pool, "UPDATE slots SET status = 'cancelled' WHERE id = $1", cancelled)
	_, err := h.publish(h.mine(), e.ID)
	wantFault(t, err, fault.NoBookableSlot)
	h.slotsAt(e.ID, comes)
	_, err = h.publish(h.mine(), e.ID)
	must(t, err)
}

// A published event cannot be edited so that nobody could ever book it; one that is
// over already can be edited.
func TestEditLeavesAPublishedEventBookable(t *testing.T) {
	h := open(t)
	opens := func(after time.Duration) api.EventPatch {
		return api.EventPatch{BookingOpensAt: nullable.NewNullableWithValue(time.Now().Add(after))}
	}
	e := h.event()
	h.slotsAt(e.ID, times{time.Hour, 3 * time.Hour})
	_, err := h.update(e.ID, "*", opens(2*time.Hour))
	wantFault(t, err, fault.NoBookableSlot)
	both := opens(2 * time.Hour)
	both.WalkIns = ptr(true)
	got, err := h.update(e.ID, "*", both)
	if err != nil || !got.WalkIns {
		t.Errorf("with walk-ins: %+v, %v", got, err)
	}
	_, err = h.update(e.ID, "*", api.EventPatch{WalkIns: ptr(false)})
	wantFault(t, err, fault.NoBookableSlot)
	_, err = h.update(e.ID, "*", opens(time.Minute))
	must(t, err)

	over := h.event()
	h.slotsAt(over.ID, times{-2 * time.Hour, -time.Hour})
	_, err = h.update(over.ID, "*", opens(time.Hour))
	must(t, err)
	draft, _ := h.draft()
	_, err = h.update(draft.ID, "*", opens(time.Hour))
	must(t, err)
}

// The seats of running slots are available with walk_ins only.
func TestWalkInsMakeRunningSlotsAvailable(t *testing.T) {
	h := open(t)
	for _, walkIns := range []bool{false, true} {
		e := h.event(func(e *db.Event) { e.WalkIns = walkIns })
		h.slotsAt(e.ID, times{-time.Hour, time.Hour}, times{-2 * time.Hour, -time.Hour})
		got, _ := h.get(e.ID)
		if (got.SeatsAvailable == 10) != walkIns || got.WalkIns != walkIns {
			t.Errorf("walk-ins %t: %+v", walkIns, got)
		}
		r, err := h.handler.ListEvents(h.mine(), api.ListEventsRequestObject{Params: api.ListEventsParams{
			When: ptr(api.EventWhenOngoing), Available: ptr(true), OrganizerID: &e.OrganizerID}})
		must(t, err)
		found := false
		for _, listed := range r.(api.ListEvents200JSONResponse).Body.Data {
			found = found || listed.ID == e.ID && listed.SeatsAvailable == 10
		}
		if found != walkIns {
			t.Errorf("walk-ins %t: listed as available: %t", walkIns, found)
		}
	}
}
