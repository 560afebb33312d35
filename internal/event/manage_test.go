//go:build unix

package event_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// operation does something with an event or a slot.
type operation func(ctx context.Context, eventID, slotID uuid.UUID) error

// changes are the operations for those who manage the event.
func (h *env) changes() map[string]operation {
	anything := ptr("*")
	return map[string]operation{
		"updateEvent": func(ctx context.Context, id, _ uuid.UUID) error {
			_, err := h.handler.UpdateEvent(ctx, api.UpdateEventRequestObject{EventID: id, Params: api.UpdateEventParams{IfMatch: anything},
				ApplicationMergePatchPlusJSONBody: &api.EventPatch{Title: ptr("Mine")}})
			return err
		},
		"deleteEvent": func(ctx context.Context, id, _ uuid.UUID) error {
			_, err := h.handler.DeleteEvent(ctx, api.DeleteEventRequestObject{EventID: id, Params: api.DeleteEventParams{IfMatch: anything}})
			return err
		},
		"publishEvent": func(ctx context.Context, id, _ uuid.UUID) error { _, err := h.publish(ctx, id); return err },
		"cancelEvent":  func(ctx context.Context, id, _ uuid.UUID) error { _, err := h.cancel(ctx, id, "x"); return err },
		"createSlot": func(ctx context.Context, id, _ uuid.UUID) error {
			_, err := h.handler.CreateSlot(ctx, api.CreateSlotRequestObject{EventID: id, Body: ptr(tomorrow())})
			return err
		},
		"updateSlot": func(ctx context.Context, _, id uuid.UUID) error {
			_, err := h.handler.UpdateSlot(ctx, api.UpdateSlotRequestObject{SlotID: id, Params: api.UpdateSlotParams{IfMatch: anything},
				JSONBody: &api.SlotPatch{Capacity: ptr(11)}})
			return err
		},
		"deleteSlot": func(ctx context.Context, _, id uuid.UUID) error {
			_, err := h.handler.DeleteSlot(ctx, api.DeleteSlotRequestObject{SlotID: id, Params: api.DeleteSlotParams{IfMatch: anything}})
			return err
		},
		"cancelSlot": func(ctx context.Context, _, id uuid.UUID) error {
			_, err := h.handler.CancelSlot(ctx, api.CancelSlotRequestObject{SlotID: id, Body: &api.Cancellation{Reason: "x"}})
			return err
		},
		"getSlotLedger": func(ctx context.Context, _, id uuid.UUID) error {
			_, err := h.handler.GetSlotLedger(ctx, api.GetSlotLedgerRequestObject{SlotID: id})
			return err
		},
	}
}

// reads are the operations for those who may see the event.
func (h *env) reads() map[string]operation {
	return map[string]operation{
		"getEvent": func(ctx context.Context, id, _ uuid.UUID) error {
			_, err := h.handler.GetEvent(ctx, api.GetEventRequestObject{EventID: id})
			return err
		},
		"listSlots": func(ctx context.Context, id, _ uuid.UUID) error {
			_, err := h.handler.ListSlots(ctx, api.ListSlotsRequestObject{EventID: id})
			return err
		},
		"getSlot": func(ctx context.Context, _, id uuid.UUID) error {
			_, err := h.handler.GetSlot(ctx, api.GetSlotRequestObject{SlotID: id})
			return err
		},
	}
}

// For everybody else a draft is as if it did not exist.
func TestOnlyManagersChangeEventsAndSeeDrafts(t *testing.T) {
	h := open(t)
	admin, stranger := testkit.User(t, h.pool, access.Admin), testkit.User(t, h.pool, access.Organizer)
	former := h.organizer
	former.Role = access.Attendee
	operations, reads := h.changes(), h.reads()
	draft, shown := h.event(status(seating.EventDraft)), h.event()
	draftSlot, shownSlot := testkit.Slot(t, h.pool, draft.ID), testkit.Slot(t, h.pool, shown.ID)
	testkit.Exec(t, h.pool, "UPDATE users SET role = 'attendee' WHERE id = $1", former.UserID)
	for name, do := range operations {
		nothing := do(as(stranger), testkit.ID(), testkit.ID())
		wantFault(t, nothing, fault.NotFound)
		for _, caller := range []access.Caller{stranger, former} {
			err := do(as(caller), draft.ID, draftSlot.ID)
			wantFault(t, err, fault.NotFound)
			if err.Error() != nothing.Error() {
				t.Errorf("%s: the error for a draft is %q, for no event %q", name, err, nothing)
			}
			wantFault(t, do(as(caller), shown.ID, shownSlot.ID), fault.NotPermitted)
		}
	}
	testkit.Exec(t, h.pool, "UPDATE users SET role = 'organizer' WHERE id = $1", former.UserID)
	unable := h.organizer
	unable.Abilities = []string{access.AbilityEventsWrite}
	for name, do := range reads {
		nothing := do(as(access.Nobody), testkit.ID(), testkit.ID())
		for _, caller := range []access.Caller{access.Nobody, stranger, former, unable} {
			err := do(as(caller), draft.ID, draftSlot.ID)
			wantFault(t, err, fault.NotFound)
			if err.Error() != nothing.Error() {
				t.Errorf("%s: the error for a draft is %q, for no event %q", name, err, nothing)
			}
			must(t, do(as(caller), shown.ID, shownSlot.ID))
		}
		must(t, do(as(admin), draft.ID, draftSlot.ID))
		must(t, do(h.mine(), draft.ID, draftSlot.ID))
	}
	if now, _ := h.get(shown.ID); now.Revision != 1 || now.SlotCount != 1 {
		t.Errorf("a refused operation changed something: %+v", now)
	}
	must(t, operations["updateEvent"](as(admin), draft.ID, draftSlot.ID))
	must(t, operations["updateSlot"](as(admin), draft.ID, draftSlot.ID))
	actor := list[string](h, `SELECT actor FROM ledger WHERE slot_id = $1 ORDER BY version DESC LIMIT 1`, draftSlot.ID)
	if actor[0] != "admin" {
		t.Errorf("the ledger records %s", actor[0])
	}
}

// Whoever is demoted or deleted after their request was authenticated changes nothing more.
func TestTheRoleIsLookedAtAgainBeforeAWrite(t *testing.T) {
	h := open(t)
	draft, shown := h.event(status(seating.EventDraft)), h.event()
	draftSlot, shownSlot := testkit.Slot(t, h.pool, draft.ID), testkit.Slot(t, h.pool, shown.ID)
	operations := h.changes()
	delete(operations, "deleteEvent")   // which is for drafts only
	delete(operations, "getSlotLedger") // which writes nothing
	create := func() error {
		_, err := h.handler.CreateEvent(h.mine(), api.CreateEventRequestObject{Body: &api.EventCreate{Title: "Concert", TimeZone: "UTC"}})
		return err
	}
	testkit.Exec(t, h.pool, "UPDATE users SET role = 'attendee' WHERE id = $1", h.organizer.UserID)
	for name, do := range operations {
		t.Log(name)
		wantFault(t, do(h.mine(), shown.ID, shownSlot.ID), fault.NotPermitted)
	}
	wantFault(t, create(), fault.NotPermitted)
	// What exists for nobody else does not exist.
	for _, name := range []string{"publishEvent", "deleteEvent", "deleteSlot", "createSlot"} {
		wantFault(t, h.changes()[name](h.mine(), draft.ID, draftSlot.ID), fault.NotFound)
	}
	testkit.Exec(t, h.pool, "UPDATE users SET role = 'organizer', deleted_at = now(), password_hash = NULL WHERE id = $1", h.organizer.UserID)
	for name, do := range operations {
		t.Log(name)
		wantFault(t, do(h.mine(), shown.ID, shownSlot.ID), fault.TokenInvalid)
	}
	wantFault(t, create(), fault.TokenInvalid)
	wantFault(t, h.changes()["deleteEvent"](h.mine(), draft.ID, draftSlot.ID), fault.TokenInvalid)
	if n := list[int64](h, "SELECT count(*) FROM events")[0]; n != 2 {
		t.Errorf("%d events", n)
	}
	if now, _ := h.get(shown.ID); now.Revision != 1 || now.SlotCount != 1 {
		t.Errorf("a refused operation changed something: %+v", now)
	}
}
