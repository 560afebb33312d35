package simulation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/simulation"
	"eventbooking/internal/testkit"
)

// env is a database with a desk and the service on it.
type env struct {
	pool    *pgxpool.Pool
	desk    *desk.Desk
	service *simulation.Service
}

func open(t *testing.T) env {
	t.Helper()
	pool := testkit.Database(t)
	return env{pool, testkit.Desk(t, pool), simulation.New(pool)}
}

// wantFault fails the test unless err has the code.
func wantFault(t *testing.T, err error, code *fault.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code.Name)
	}
}

func TestManagersOfASlotCompareItsPolicies(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.Fit = "first_fit" })
	organizer := testkit.Caller(event.OrganizerID, access.Organizer)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(3))
	for _, seats := range []int{1, 1, 1, 2, 1, 1} { // the last three wait
		testkit.Book(t, e.desk, slot.ID, testkit.User(t, e.pool, access.Attendee).UserID, seats)
	}
	simulate := func(caller access.Caller, slotID uuid.UUID, body api.SimulationCreate) (api.Simulation, error) {
		s, err := e.service.Run(t.Context(), caller, slotID, simulation.AssumptionsFrom(body))
		if err != nil {
			return api.Simulation{}, err
		}
		return s.JSON(), nil
	}
	rate, runs, seed := 1.0, 3, 5
	s, err := simulate(organizer, slot.ID, api.SimulationCreate{CancellationRate: &rate, Runs: &runs, Seed: &seed})
	if err != nil {
		t.Fatal(err)
	}
	if s.SlotID != slot.ID || s.SlotVersion != 7 || !s.Estimate || len(s.Policies) != 4 || s.Policies[0].Promoted+s.Policies[0].StillWaiting != 3 || s.Policies[0].Promoted < 2 || !s.Policies[1].Current {
		t.Errorf("got %+v", s)
	}
	rate = 0
	if s, err = simulate(testkit.User(t, e.pool, access.Admin), slot.ID, api.SimulationCreate{CancellationRate: &rate}); err != nil || !s.Policies[0].WaitHoursMedian.IsNull() {
		t.Errorf("got %+v, %v", s, err)
	}
	testkit.Sound(t, e.pool)

	_, err = simulate(testkit.User(t, e.pool, access.Organizer), slot.ID, api.SimulationCreate{})
	wantFault(t, err, fault.NotPermitted)
	_, err = simulate(organizer, uuid.New(), api.SimulationCreate{})
	wantFault(t, err, fault.NotFound)
	_, err = simulate(organizer, slot.ID, api.SimulationCreate{Until: nullable.NewNullableWithValue(time.Now().Add(-time.Minute))})
	wantFault(t, err, fault.InvalidTimeRange)
	runs = 201
	_, err = simulate(organizer, slot.ID, api.SimulationCreate{Runs: &runs})
	wantFault(t, err, fault.ValidationFailed)
	_, err = simulation.OfSlot(t.Context(), e.pool, slot.ID, simulation.Assumptions{CancellationRate: 2, Runs: 1})
	wantFault(t, err, fault.ValidationFailed)
	_, err = simulation.OfSlot(t.Context(), e.pool, uuid.New(), simulation.DefaultAssumptions)
	wantFault(t, err, fault.NotFound)

	started := testkit.Slot(t, e.pool, event.ID, testkit.Times(-time.Minute, time.Hour))
	_, err = simulate(organizer, started.ID, api.SimulationCreate{})
	wantFault(t, err, fault.SlotStarted)
	testkit.Exec(t, e.pool, "UPDATE slots SET status = 'cancelled' WHERE id = $1", slot.ID)
	_, err = simulate(organizer, slot.ID, api.SimulationCreate{})
	wantFault(t, err, fault.SlotCancelled)
}

func TestSlotWithTooManyBookingsIsNotSimulated(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	testkit.InsertFullSlots(t, e.pool, event.ID, testkit.FullSlots{Slots: 1, Seated: 5001, Waiting: 5000})
	slot := e.slotOf(t, event.ID)
	_, err := simulation.OfSlot(t.Context(), e.pool, slot, simulation.DefaultAssumptions)
	wantFault(t, err, fault.ValidationFailed)
}

// slotOf finds a slot of an event.
func (e env) slotOf(t *testing.T, eventID uuid.UUID) (id uuid.UUID) {
	t.Helper()
	if err := e.pool.QueryRow(t.Context(), "SELECT id FROM slots WHERE event_id = $1 LIMIT 1", eventID).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}
