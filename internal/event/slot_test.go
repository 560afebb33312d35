//go:build unix

package event_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// tomorrow is a slot of two hours, in a day from now.
func tomorrow() api.SlotCreate {
	starts := time.Now().Add(24 * time.Hour)
	return api.SlotCreate{StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), Capacity: 50}
}

func (h *env) createSlot(eventID uuid.UUID, c api.SlotCreate) (response, error) {
	h.Helper()
	r, err := h.handler.CreateSlot(h.mine(), api.CreateSlotRequestObject{EventID: eventID, Body: &c})
	if err != nil {
		return response{}, err
	}
	return sent(h, r.VisitCreateSlotResponse), nil
}

func (h *env) updateSlot(id uuid.UUID, match string, p api.SlotPatch) (api.Slot, error) {
	h.Helper()
	r, err := h.handler.UpdateSlot(h.mine(), api.UpdateSlotRequestObject{SlotID: id, Params: api.UpdateSlotParams{IfMatch: &match}, JSONBody: &p})
	if err != nil {
		return api.Slot{}, err
	}
	return r.(api.UpdateSlot200JSONResponse).Body, nil
}

func TestCreatedSlotIsOpenAndCountsForItsEvent(t *testing.T) {
	h := open(t)
	draft, _ := h.draft()
	a, err := h.createSlot(draft.ID, tomorrow())
	must(t, err)
	made := body[api.Slot](t, a)
	if made.Status != api.SlotStatusOpen || made.Capacity != 50 || made.SeatsAvailable != 50 || made.Revision != 1 || made.Version != 1 {
		t.Errorf("got %+v", made)
	}
	if a.Code != 201 || a.Header().Get("Location") != "/api/v1/slots/"+made.ID.String() {
		t.Errorf("got %d at %s", a.Code, a.Header().Get("Location"))
	}
	now, tag := h.getSlot(made.ID)
	if now != made || tag != a.Header().Get("ETag") || tag != `"1.1"` {
		t.Errorf("made  %+v\nfound %+v\nas %s", made, now, tag)
	}
	e, _ := h.get(draft.ID)
	if e.SlotCount != 1 || e.SeatsAvailable != 50 || !value(e.StartsAt).Equal(made.StartsAt) || e.Revision != draft.Revision {
		t.Errorf("the event is %+v", e)
	}
}

func TestSlotAtAnInvalidTimeIsRefused(t *testing.T) {
	h := open(t)
	e := h.event()
	now := time.Now()
	for name, c := range map[string]struct {
		starts, ends time.Time
		pointer      string
	}{
		"ends before":       {now.Add(2 * time.Hour), now.Add(time.Hour), "/ends_at"},
		"ends at its start": {now.Add(time.Hour), now.Add(time.Hour + time.Nanosecond).Truncate(time.Microsecond), "/ends_at"},
		"has started":       {now.Add(-time.Minute), now.Add(time.Hour), "/starts_at"},
		"far away":          {now.AddDate(10, 0, 1), now.AddDate(10, 0, 2), "/starts_at"},
		"long":              {now.Add(time.Hour), now.Add(time.Hour + 31*24*time.Hour + time.Second), "/ends_at"},
	} {
		if name == "ends at its start" {
			c.starts = c.ends
		}
		_, err := h.createSlot(e.ID, api.SlotCreate{StartsAt: c.starts, EndsAt: c.ends, Capacity: 1})
		if f := refusal(t, err, fault.InvalidTimeRange); f.Fields[0].Pointer != c.pointer {
			t.Errorf("%s: got %+v", name, f.Fields)
		}
	}
	_, err := h.createSlot(h.event(status(seating.EventCancelled)).ID, tomorrow())
	wantFault(t, err, fault.InvalidTransition)
	if n := list[int64](h, `SELECT count(*) FROM slots`)[0]; n != 0 {
		t.Errorf("%d slots", n)
	}
}

func TestEventHasAtMostAThousandSlots(t *testing.T) {
	h := open(t)
	draft, _ := h.draft()
	h.exec(`INSERT INTO slots (id, event_id, starts_at, ends_at, capacity)
		SELECT gen_random_uuid(), $1, now() + n * interval '1 hour', now() + (n + 1) * interval '1 hour', 1 FROM generate_series(1, 999) n`, draft.ID)
	_, err := h.createSlot(draft.ID, tomorrow())
	must(t, err)
	_, err = h.createSlot(draft.ID, tomorrow())
	if f := refusal(t, err, fault.ValidationFailed); f.Fields[0].Code != "too_many_slots" {
		t.Errorf("got %+v", f.Fields)
	}
	_, err = h.handler.DeleteEvent(h.mine(), api.DeleteEventRequestObject{EventID: draft.ID, Params: api.DeleteEventParams{IfMatch: ptr("*")}})
	must(t, err)
	if n := list[int64](h, `SELECT count(*) FROM ledger WHERE kind = 'deleted'`)[0]; n != 1000 {
		t.Errorf("%d ledgers were closed", n)
	}
}

func TestSlotEditsCompareTheRevisionOnly(t *testing.T) {
	h := open(t)
	slot := testkit.Slot(t, h.pool, h.event().ID)
	_, tag := h.getSlot(slot.ID)
	testkit.Book(t, h.desk, slot.ID, testkit.User(t, h.pool, access.Attendee).UserID, 3)

	// Bookings in between change the version, but not the revision.
	got, err := h.updateSlot(slot.ID, tag, api.SlotPatch{Capacity: ptr(20), Status: ptr(api.SlotEditStatusClosed)})
	must(t, err)
	if got.Capacity != 20 || got.Status != api.SlotStatusClosed || got.SeatsTaken != 3 || got.Revision != 2 {
		t.Errorf("got %+v", got)
	}
	_, err = h.updateSlot(slot.ID, tag, api.SlotPatch{Capacity: ptr(30)})
	wantFault(t, err, fault.VersionMismatch)
	_, err = h.updateSlot(slot.ID, "*", api.SlotPatch{Capacity: ptr(2)})
	wantFault(t, err, fault.CapacityBelowTaken)
	same, err := h.updateSlot(slot.ID, "*", api.SlotPatch{Capacity: ptr(20), StartsAt: ptr(slot.StartsAt.Add(time.Nanosecond))})
	must(t, err)
	if same.Revision != 2 || same.Version != got.Version {
		t.Errorf("an edit that changes nothing made %+v", same)
	}
	moved, err := h.updateSlot(slot.ID, "*", api.SlotPatch{StartsAt: ptr(slot.StartsAt.Add(time.Hour)), EndsAt: ptr(slot.EndsAt.Add(time.Hour))})
	must(t, err)
	if !moved.StartsAt.Equal(slot.StartsAt.Add(time.Hour)) || moved.Revision != 3 {
		t.Errorf("got %+v", moved)
	}
	for _, p := range map[string]api.SlotPatch{
		"too long":          {EndsAt: ptr(moved.StartsAt.Add(31*24*time.Hour + time.Second))},
		"too long, earlier": {StartsAt: ptr(time.Now().Add(time.Hour)), EndsAt: ptr(time.Now().Add(32 * 24 * time.Hour))},
		"too far":           {StartsAt: ptr(time.Now().AddDate(11, 0, 0)), EndsAt: ptr(time.Now().AddDate(11, 0, 1))},
		"ends before":       {EndsAt: ptr(moved.StartsAt)},
		"in the past":       {StartsAt: ptr(time.Now().Add(-time.Hour))},
	} {
		_, err := h.updateSlot(slot.ID, "*", p)
		wantFault(t, err, fault.InvalidTimeRange)
	}
	_, err = h.handler.UpdateSlot(h.mine(), api.UpdateSlotRequestObject{SlotID: slot.ID, JSONBody: &api.SlotPatch{}})
	wantFault(t, err, fault.VersionRequired)
}

func TestCancelSlotNeedsAReasonAndQueuesAJob(t *testing.T) {
	h := open(t)
	slot := h.full(h.event().ID)
	cancel := func(id uuid.UUID, key, reason string) (response, error) {
		r, err := h.handler.CancelSlot(keyed(h.organizer, key), api.CancelSlotRequestObject{SlotID: id, Body: &api.Cancellation{Reason: reason}})
		if err != nil {
			return response{}, err
		}
		return sent(t, r.VisitCancelSlotResponse), nil
	}
	first, err := cancel(slot.ID, "a", "The hall is flooded.")
	must(t, err)
	if got := body[api.Slot](t, first); got.Status != api.SlotStatusCancelled || got.Revision != 2 {
		t.Errorf("got %+v", got)
	}
	for key, replayed := range map[string]string{"a": "true", "b": ""} {
		again, err := cancel(slot.ID, key, "The hall is flooded.")
		must(t, err)
		if again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != replayed {
			t.Errorf("got %s %v", again.Body, again.Header())
		}
	}
	if jobs := h.jobs("clear"); !slices.Equal(jobs, []uuid.UUID{slot.ID}) {
		t.Errorf("jobs for %v", jobs)
	}
	entry := list[string](h, `SELECT kind || ': ' || reason FROM ledger WHERE slot_id = $1 ORDER BY version DESC LIMIT 1`, slot.ID)
	if entry[0] != "slot_cancelled: The hall is flooded." {
		t.Errorf("the ledger says %q", entry[0])
	}
	_, err = h.updateSlot(slot.ID, "*", api.SlotPatch{Capacity: ptr(9)})
	wantFault(t, err, fault.SlotCancelled)
	_, err = cancel(slot.ID, "c", " ")
	wantFault(t, err, fault.ValidationFailed)
	draft, _ := h.draft()
	_, err = cancel(testkit.Slot(t, h.pool, draft.ID).ID, "d", "x")
	wantFault(t, err, fault.InvalidTransition)
}

func TestOnlySlotsWithoutBookingsAreDeleted(t *testing.T) {
	h := open(t)
	e := h.event()
	remove := func(id uuid.UUID, match *string) error {
		_, err := h.handler.DeleteSlot(h.mine(), api.DeleteSlotRequestObject{SlotID: id, Params: api.DeleteSlotParams{IfMatch: match}})
		return err
	}
	slot := testkit.Slot(t, h.pool, e.ID)
	wantFault(t, remove(slot.ID, nil), fault.VersionRequired)
	wantFault(t, remove(slot.ID, ptr(`"2.1"`)), fault.VersionMismatch)
	wantFault(t, remove(h.full(e.ID).ID, ptr("*")), fault.EventHasBookings)
	must(t, remove(slot.ID, ptr(`"1.1"`)))
	wantFault(t, remove(slot.ID, ptr("*")), fault.NotFound)
	if now, _ := h.get(e.ID); now.SlotCount != 1 {
		t.Errorf("got %+v", now)
	}
}

func TestSlotsAreListedByTheirStart(t *testing.T) {
	h := open(t)
	e := h.event()
	var want []uuid.UUID
	for _, hours := range []time.Duration{5, 1, 3, 1, 4, 2} {
		want = append(want, testkit.Slot(t, h.pool, e.ID, testkit.Times(hours*time.Hour, (hours+1)*time.Hour)).ID)
	}
	testkit.Slot(t, h.pool, h.event().ID)
	want = list[uuid.UUID](h, `SELECT id FROM slots WHERE id = ANY($1) ORDER BY starts_at, id`, want)

	var got []uuid.UUID
	var cursor *string
	for more := true; more; {
		r, err := h.handler.ListSlots(h.mine(), api.ListSlotsRequestObject{EventID: e.ID, Params: api.ListSlotsParams{Limit: ptr(2), Cursor: cursor}})
		must(t, err)
		slots := r.(api.ListSlots200JSONResponse).Body
		for _, s := range slots.Data {
			got = append(got, s.ID)
		}
		cursor, more = ptr(value(slots.NextCursor)), slots.HasMore
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	empty, err := h.handler.ListSlots(h.mine(), api.ListSlotsRequestObject{EventID: h.event().ID})
	must(t, err)
	if slots := empty.(api.ListSlots200JSONResponse).Body; slots.Data == nil || len(slots.Data) != 0 || slots.HasMore || !slots.NextCursor.IsNull() {
		t.Errorf("got %+v", slots)
	}
	foreign, err := page.Next([]any{"slots", testkit.ID()}, struct{}{})
	must(t, err)
	_, err = h.handler.ListSlots(h.mine(), api.ListSlotsRequestObject{EventID: e.ID, Params: api.ListSlotsParams{Cursor: &foreign}})
	wantFault(t, err, fault.CursorMismatch)
}

func TestLedgerIsListedInOrder(t *testing.T) {
	h := open(t)
	slot := h.full(h.event().ID)
	for _, capacity := range []int{5, 6} {
		_, err := h.updateSlot(slot.ID, "*", api.SlotPatch{Capacity: &capacity})
		must(t, err)
	}
	var got []api.LedgerEntry
	var cursor *string
	for more := true; more; {
		r, err := h.handler.GetSlotLedger(h.mine(), api.GetSlotLedgerRequestObject{SlotID: slot.ID, Params: api.GetSlotLedgerParams{Limit: ptr(2), Cursor: cursor}})
		must(t, err)
		entries := r.(api.GetSlotLedger200JSONResponse).Body
		got = append(got, entries.Data...)
		cursor, more = ptr(value(entries.NextCursor)), entries.HasMore
	}
	for i, e := range got {
		if e.Version != int64(i+1) || e.SlotID != slot.ID {
			t.Errorf("entry %d is %+v", i, e)
		}
	}
	if len(got) < 5 || got[0].Kind != api.LedgerKindOpened || got[2].Kind != api.LedgerKindWaitlisted || got[2].BookingID.IsNull() {
		t.Errorf("got %+v", got)
	}
	_, err := h.handler.GetSlotLedger(h.mine(), api.GetSlotLedgerRequestObject{SlotID: slot.ID, Params: api.GetSlotLedgerParams{Cursor: ptr("x")}})
	wantFault(t, err, fault.InvalidCursor)
}
