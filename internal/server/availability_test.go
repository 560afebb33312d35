//go:build unix

package server_test

import (
	"net/http"
	"testing"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/testkit"
)

// Nobody can get a seat of a slot that is over, wherever its seats are shown. When it
// becomes over without an edit, its ETag changes.
func TestASlotThatIsOverHasNoSeatsAvailable(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, admin := h.user(access.Admin)
	for name, end := range map[string]func(slot, event string){
		"slot cancelled": func(slot, _ string) {
			var cancelled api.Slot
			admin.Post("/api/v1/slots/"+slot+"/cancel", `{"reason": "Rain"}`).Want(http.StatusOK).Into(&cancelled)
			if cancelled.SeatsAvailable != 0 {
				t.Errorf("the answer to its cancellation has %d", cancelled.SeatsAvailable)
			}
		},
		"event cancelled": func(_, event string) {
			var cancelled api.Event
			admin.Post("/api/v1/events/"+event+"/cancel", `{"reason": "Rain"}`).Want(http.StatusOK).Into(&cancelled)
			if cancelled.SeatsAvailable != 0 {
				t.Errorf("the answer to its cancellation has %d", cancelled.SeatsAvailable)
			}
		},
		"ended": func(slot, _ string) {
			testkit.Exec(t, h.pool, "UPDATE slots SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' WHERE id = $1", slot)
		},
	} {
		made := testkit.Event(t, h.pool)
		event, slot := made.ID.String(), testkit.Slot(t, h.pool, made.ID).ID.String()
		_, me := h.user(access.Attendee)
		var booking api.Booking
		me.Post("/api/v1/slots/"+slot+"/bookings", `{}`).Want(http.StatusCreated).Into(&booking)
		before := h.Get("/api/v1/slots/" + slot).Want(http.StatusOK)
		end(slot, event)

		after := h.Get("/api/v1/slots/"+slot, testkit.Header("If-None-Match", before.Header.Get("ETag"))).Want(http.StatusOK)
		var one api.Slot
		after.Into(&one)
		var list api.SlotList
		h.Get("/api/v1/events/" + event + "/slots").Want(http.StatusOK).Into(&list)
		var whole api.Event
		h.Get("/api/v1/events/" + event).Want(http.StatusOK).Into(&whole)
		var position api.WaitlistPosition
		me.Get("/api/v1/bookings/" + booking.ID.String() + "/waitlist-position").Want(http.StatusOK).Into(&position)
		var promotion api.Promotion
		admin.Post("/api/v1/slots/"+slot+"/promote", nil).Want(http.StatusOK).Into(&promotion)
		for where, n := range map[string]int{
			"slot": one.SeatsAvailable, "list": list.Data[0].SeatsAvailable, "event": whole.SeatsAvailable,
			"position": position.SeatsAvailable, "promotion": promotion.Slot.SeatsAvailable,
		} {
			if n != 0 {
				t.Errorf("%s: the %s has %d seats available", name, where, n)
			}
		}
		for _, available := range []string{"true", "false"} {
			var found api.EventList
			h.Get("/api/v1/events?when=all&available=" + available + "&organizer_id=" + whole.OrganizerID.String()).Want(http.StatusOK).Into(&found)
			if (len(found.Data) == 1) != (available == "false") {
				t.Errorf("%s: available=%s finds %d events", name, available, len(found.Data))
			}
		}
	}
}
