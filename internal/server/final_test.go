//go:build unix

package server_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

// series is an event of three slots: the first is over, the second runs, and the
// third is tomorrow. In each, an attendee is checked in and another is not.
type series struct {
	*env
	event                 db.Event
	organizer, here, away *testkit.Client
	slots                 [3]string // their paths
	attended, missed      [3]uuid.UUID
}

func newSeries(t *testing.T) *series {
	h := newEnv(t)
	s := &series{env: h, event: testkit.Event(t, h.pool)}
	s.organizer = h.token(testkit.Caller(s.event.OrganizerID, access.Organizer))
	_, s.here = h.user(access.Attendee)
	_, s.away = h.user(access.Attendee)
	for i := range s.slots {
		starts := time.Duration(24*(i+1)) * time.Hour
		slot := testkit.Slot(t, h.pool, s.event.ID, testkit.Capacity(4), testkit.Times(starts, starts+2*time.Hour))
		s.slots[i] = "/api/v1/slots/" + slot.ID.String()
		s.attended[i], s.missed[i] = s.book(s.here, i), s.book(s.away, i)
		s.organizer.Post(bookingPath(s.attended[i])+"/check-in", nil).Want(http.StatusOK)
		// Time passes.
		testkit.Exec(t, h.pool, "UPDATE slots SET starts_at = starts_at - $2::interval, ends_at = ends_at - $2::interval WHERE id = $1",
			slot.ID, [...]string{"3 days", "49 hours", "0"}[i])
	}
	return s
}

func (s *series) book(c *testkit.Client, slot int) uuid.UUID {
	s.t.Helper()
	var b api.Booking
	c.Post(s.slots[slot]+"/bookings", `{}`).Want(http.StatusCreated).Into(&b)
	return b.ID
}

func bookingPath(id uuid.UUID) string { return "/api/v1/bookings/" + id.String() }

// wantLive says which bookings are still confirmed, once nothing is left to be done.
func (s *series) wantLive(attended, missed [3]bool) {
	s.t.Helper()
	var got string
	want := fmt.Sprint(attended, missed)
	live := func(ids [3]uuid.UUID) (live [3]bool) {
		for i, id := range ids {
			var status string
			if err := s.pool.QueryRow(s.t.Context(), "SELECT status FROM bookings WHERE id = $1", id).Scan(&status); err != nil {
				s.t.Fatal(err)
			}
			live[i] = status == "confirmed"
		}
		return live
	}
	testkit.Await(s.t, "the right bookings are cancelled", func() error {
		if got = fmt.Sprint(live(s.attended), live(s.missed)); got != want {
			return fmt.Errorf("confirmed are %s, want %s", got, want)
		}
		return nil
	})
	testkit.Sound(s.t, s.pool)
}

func TestCancellingAnEventHalfWayThroughKeepsWhatWasAttended(t *testing.T) {
	t.Parallel()
	s := newSeries(t)
	s.organizer.Post("/api/v1/events/"+s.event.ID.String()+"/cancel", `{"reason": "The hall burnt down."}`).Want(http.StatusOK)
	s.wantLive([3]bool{true, true, false}, [3]bool{true, false, false})
	var slot api.Slot
	s.organizer.Get(s.slots[0]).Want(http.StatusOK).Into(&slot)
	if slot.Status != api.SlotStatusOpen {
		t.Errorf("the slot that had ended is %s", slot.Status)
	}
	s.organizer.Post(bookingPath(s.missed[0])+"/check-in", nil).Want(http.StatusOK)
	s.organizer.Post(bookingPath(s.attended[1])+"/check-in", nil).WantProblem(fault.SlotCancelled)
}

func TestSlotsAreCancelledUntilTheyEnd(t *testing.T) {
	t.Parallel()
	s := newSeries(t)
	reason := `{"reason": "The hall burnt down."}`
	s.organizer.Post(s.slots[0]+"/cancel", reason).WantProblem(fault.SlotEnded)
	s.organizer.Patch(s.slots[0], map[string]any{"ends_at": time.Now().Add(time.Hour)}, anyVersion).WantProblem(fault.SlotEnded)
	s.organizer.Post(s.slots[1]+"/cancel", reason).Want(http.StatusOK)
	s.organizer.Post(s.slots[2]+"/cancel", reason).Want(http.StatusOK)
	s.wantLive([3]bool{true, true, false}, [3]bool{true, false, false})
	s.organizer.Post(s.slots[1]+"/cancel", reason).Want(http.StatusOK)
}

func TestDeletingAUserCancelsTheFutureOnly(t *testing.T) {
	t.Parallel()
	s := newSeries(t)
	s.here.Post("/api/v1/me/deletion", leave).Want(http.StatusNoContent)
	s.away.Post("/api/v1/me/deletion", leave).Want(http.StatusNoContent)
	s.wantLive([3]bool{true, true, false}, [3]bool{true, false, false})
}

func TestFinalAndCheckedInBookingsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSeries(t)
	cancel := `{"reason": "Paid twice."}`
	for _, id := range []uuid.UUID{s.attended[0], s.missed[0], s.attended[1]} {
		s.organizer.Post(bookingPath(id)+"/cancel", cancel).WantProblem(fault.BookingFinal)
		s.organizer.Patch(bookingPath(id), `{"seats": 2}`).WantProblem(fault.BookingFinal)
		s.organizer.Post(bookingPath(id)+"/move", map[string]any{"slot_id": s.slots[2][len("/api/v1/slots/"):]}).WantProblem(fault.BookingFinal)
	}
	s.here.Post(bookingPath(s.attended[2])+"/cancel", nil).WantProblem(fault.CheckedIn)
	s.here.Post(bookingPath(s.attended[2])+"/move", map[string]any{"slot_id": s.slots[1][len("/api/v1/slots/"):]}).WantProblem(fault.CheckedIn)
	var preview api.CancellationPreview
	s.here.Get(bookingPath(s.attended[2]) + "/cancellation-preview").Want(http.StatusOK).Into(&preview)
	if reason, _ := preview.ReasonCode.Get(); preview.Allowed || reason != fault.CheckedIn.Name {
		t.Errorf("the preview is %+v", preview)
	}
	s.organizer.Post(bookingPath(s.attended[2])+"/cancel", cancel).Want(http.StatusOK)
	// The way out of a wrong check-in.
	s.organizer.Delete(bookingPath(s.attended[1]) + "/check-in").Want(http.StatusOK)
	s.organizer.Post(bookingPath(s.attended[1])+"/cancel", cancel).Want(http.StatusOK)
	testkit.Exec(t, s.pool, "UPDATE slots SET starts_at = starts_at - interval '7 days', ends_at = ends_at - interval '7 days' WHERE event_id = $1", s.event.ID)
	s.organizer.Post(bookingPath(s.missed[0])+"/check-in", nil).WantProblem(fault.CheckInClosed)
	s.organizer.Delete(bookingPath(s.attended[0]) + "/check-in").WantProblem(fault.CheckInClosed)
}

// A wait that would give a booking back is served after its slot has ended, and
// leaves it alone.
func TestAnUpgradeDoesNotRewriteThePast(t *testing.T) {
	t.Parallel()
	s := newSeries(t)
	full := testkit.Slot(t, s.pool, s.event.ID, testkit.Capacity(1), testkit.Times(90*time.Hour, 91*time.Hour))
	path := "/api/v1/slots/" + full.ID.String() + "/bookings"
	var taken, upgrade api.Booking
	_, rival := s.user(access.Attendee)
	rival.Post(path, `{}`).Want(http.StatusCreated).Into(&taken)
	s.away.Post(path, map[string]any{"if_full": "waitlist", "replaces_booking_id": s.missed[2]}).Want(http.StatusCreated).Into(&upgrade)
	testkit.Exec(t, s.pool, "UPDATE slots SET starts_at = starts_at - interval '4 days', ends_at = ends_at - interval '4 days' WHERE id = $1", s.slots[2][len("/api/v1/slots/"):])
	rival.Post(bookingPath(taken.ID)+"/cancel", nil).Want(http.StatusOK)
	eventually(t, "the wait is served", func() bool {
		s.away.Get(bookingPath(upgrade.ID)).Want(http.StatusOK).Into(&upgrade)
		return upgrade.Status == api.BookingStatusConfirmed
	})
	s.wantLive([3]bool{true, true, true}, [3]bool{true, true, true})
}
