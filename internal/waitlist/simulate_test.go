package waitlist_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

func TestSimulate(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.Fit = "first_fit" })
	organizer := testkit.Caller(event.OrganizerID, account.Organizer)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(3))
	for _, seats := range []int{1, 1, 1, 2, 1, 1} { // the last three wait
		testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, seats)
	}
	ask := func(caller account.Caller, slotID uuid.UUID, body api.SimulationCreate) (api.SimulateSlot200JSONResponse, error) {
		r, err := h.handler.SimulateSlot(account.WithCaller(t.Context(), caller), api.SimulateSlotRequestObject{SlotID: slotID, Body: &body})
		s, _ := r.(api.SimulateSlot200JSONResponse)
		return s, err
	}
	rate, runs, seed := 1.0, 3, 5
	s, err := ask(organizer, slot.ID, api.SimulationCreate{CancellationRate: &rate, Runs: &runs, Seed: &seed})
	if err != nil {
		t.Fatal(err)
	}
	if s.SlotID != slot.ID || s.SlotVersion != 7 || !s.Estimate || len(s.Policies) != 4 || s.Policies[0].Promoted+s.Policies[0].StillWaiting != 3 || s.Policies[0].Promoted < 2 || !s.Policies[1].Current {
		t.Errorf("got %+v", s)
	}
	rate = 0
	if s, err = ask(testkit.User(t, h.pool, account.Admin), slot.ID, api.SimulationCreate{CancellationRate: &rate}); err != nil || !s.Policies[0].WaitHoursMedian.IsNull() {
		t.Errorf("got %+v, %v", s, err)
	}
	h.sound(t)

	_, err = ask(testkit.User(t, h.pool, account.Organizer), slot.ID, api.SimulationCreate{})
	wants(t, err, fault.NotPermitted)
	_, err = ask(organizer, uuid.New(), api.SimulationCreate{})
	wants(t, err, fault.NotFound)
	_, err = ask(organizer, slot.ID, api.SimulationCreate{Until: nullable.NewNullableWithValue(time.Now().Add(-time.Minute))})
	wants(t, err, fault.InvalidTimeRange)
	runs = 201
	_, err = ask(organizer, slot.ID, api.SimulationCreate{Runs: &runs})
	wants(t, err, fault.ValidationFailed)
	_, err = waitlist.SimulateSlot(t.Context(), h.pool, slot.ID, waitlist.Assumptions{CancellationRate: 2, Runs: 1})
	wants(t, err, fault.ValidationFailed)
	_, err = waitlist.SimulateSlot(t.Context(), h.pool, uuid.New(), waitlist.DefaultAssumptions)
	wants(t, err, fault.NotFound)

	started := testkit.Slot(t, h.pool, event.ID, testkit.Times(-time.Minute, time.Hour))
	_, err = ask(organizer, started.ID, api.SimulationCreate{})
	wants(t, err, fault.SlotStarted)
	h.exec(t, "UPDATE slots SET status = 'cancelled' WHERE id = $1", slot.ID)
	_, err = ask(organizer, slot.ID, api.SimulationCreate{})
	wants(t, err, fault.SlotCancelled)
}

func TestSimulationsAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	testkit.InsertFullSlots(t, h.pool, event.ID, testkit.FullSlots{Slots: 1, Seated: 5001, Waiting: 5000})
	slot := h.slotOf(t, event.ID)
	_, err := waitlist.SimulateSlot(t.Context(), h.pool, slot, waitlist.DefaultAssumptions)
	wants(t, err, fault.ValidationFailed)
}

// slotOf is a slot of an event.
func (h house) slotOf(t *testing.T, eventID uuid.UUID) (id uuid.UUID) {
	t.Helper()
	if err := h.pool.QueryRow(t.Context(), "SELECT id FROM slots WHERE event_id = $1 LIMIT 1", eventID).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}
