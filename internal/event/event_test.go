//go:build unix

package event_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

func TestCreateFillsInTheDefaults(t *testing.T) {
	h := open(t)
	got, tag := h.draft()
	if got.Status != api.EventStatusDraft || got.OrganizerID != h.organizer.UserID || got.Revision != 1 ||
		got.WaitlistMode != api.WaitlistModeAutomatic || got.OfferMinutes != 60 || got.Fit != api.FitPolicyStrict || got.MaxPasses != 3 || got.HoldMinutes != 10 || got.WalkIns ||
		!got.WaitlistLimit.IsNull() || !got.BookingOpensAt.IsNull() || !got.StartsAt.IsNull() || !got.PublishedAt.IsNull() {
		t.Errorf("got %+v", got)
	}
	again, sameTag := h.get(got.ID)
	if tag == "" || tag != sameTag || !again.CreatedAt.Equal(got.CreatedAt) {
		t.Errorf("created as %s, read as %s", tag, sameTag)
	}
}

func TestCreateStoresAllSettings(t *testing.T) {
	h := open(t)
	opens := time.Date(2026, 12, 1, 8, 0, 0, 123456789, time.FixedZone("", 3600))
	got, _ := h.draft(func(c *api.EventCreate) {
		c.Description, c.Location = ptr("Two quartets"), ptr("Small Hall")
		c.BookingOpensAt = nullable.NewNullableWithValue(opens)
		c.BookingClosesAt = nullable.NewNullableWithValue(opens.Add(time.Hour))
		c.CancellationClosesMinutes, c.WaitlistLimit = ptr(120), nullable.NewNullableWithValue(50)
		c.WaitlistMode, c.OfferMinutes, c.Fit, c.MaxPasses = ptr(api.WaitlistModeOffer), ptr(30), ptr(api.FitPolicyFirstFit), ptr(0)
		c.HoldMinutes, c.WalkIns = ptr(15), ptr(true)
		c.MaxSeatsPerBooking, c.MaxSeatsPerUser = nullable.NewNullableWithValue(4), nullable.NewNullableWithValue(8)
	})
	if got.Description != "Two quartets" || got.Location != "Small Hall" || got.CancellationClosesMinutes != 120 ||
		value(got.WaitlistLimit) != 50 || got.WaitlistMode != api.WaitlistModeOffer || got.OfferMinutes != 30 ||
		value(got.MaxSeatsPerBooking) != 4 || value(got.MaxSeatsPerUser) != 8 ||
		got.Fit != api.FitPolicyFirstFit || got.MaxPasses != 0 || got.HoldMinutes != 15 || !got.WalkIns ||
		!value(got.BookingOpensAt).Equal(opens.Truncate(time.Microsecond)) || value(got.BookingOpensAt).Location() != time.UTC {
		t.Errorf("got %+v", got)
	}
}

// A new event limits the seats of a booking, unless its organizer wants no limit.
func TestOmittedAndNullLimitsOfSeatsDiffer(t *testing.T) {
	h := open(t)
	omitted, tag := h.draft()
	if value(omitted.MaxSeatsPerBooking) != 10 || !omitted.MaxSeatsPerUser.IsNull() {
		t.Errorf("got %+v", omitted)
	}
	none, _ := h.draft(func(c *api.EventCreate) { c.MaxSeatsPerBooking = nullable.NewNullNullable[int]() })
	if !none.MaxSeatsPerBooking.IsNull() {
		t.Errorf("got %+v", none)
	}
	edited, err := h.update(omitted.ID, tag, api.EventPatch{MaxSeatsPerBooking: nullable.NewNullNullable[int](), MaxSeatsPerUser: nullable.NewNullableWithValue(3)})
	if err != nil || !edited.MaxSeatsPerBooking.IsNull() || value(edited.MaxSeatsPerUser) != 3 {
		t.Errorf("got %+v, %v", edited, err)
	}
}

func TestInvalidSettingsAreRefusedWithTheirField(t *testing.T) {
	h := open(t)
	draft, tag := h.draft()
	noon := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	at := nullable.NewNullableWithValue[time.Time]
	for name, c := range map[string]struct {
		patch   api.EventPatch
		code    *fault.Code
		pointer string
	}{
		"no such zone":   {api.EventPatch{TimeZone: ptr("Europe/Atlantis")}, fault.UnknownTimeZone, "/time_zone"},
		"local zone":     {api.EventPatch{TimeZone: ptr("Local")}, fault.UnknownTimeZone, "/time_zone"},
		"local file":     {api.EventPatch{TimeZone: ptr("localtime")}, fault.UnknownTimeZone, "/time_zone"},
		"empty zone":     {api.EventPatch{TimeZone: ptr("")}, fault.UnknownTimeZone, "/time_zone"},
		"a path":         {api.EventPatch{TimeZone: ptr("../../etc/passwd")}, fault.UnknownTimeZone, "/time_zone"},
		"a blank title":  {api.EventPatch{Title: ptr(" \t")}, fault.ValidationFailed, "/title"},
		"closes first":   {api.EventPatch{BookingOpensAt: at(noon), BookingClosesAt: at(noon.Add(-time.Second))}, fault.InvalidTimeRange, "/booking_closes_at"},
		"closes at once": {api.EventPatch{BookingOpensAt: at(noon), BookingClosesAt: at(noon.Add(time.Nanosecond))}, fault.InvalidTimeRange, "/booking_closes_at"},
		"opens long ago": {api.EventPatch{BookingOpensAt: at(time.Time{})}, fault.InvalidTimeRange, "/booking_opens_at"},
		"never closes":   {api.EventPatch{BookingClosesAt: at(time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)))}, fault.InvalidTimeRange, "/booking_closes_at"},
	} {
		_, err := h.update(draft.ID, tag, c.patch)
		if f := refusal(t, err, c.code); len(f.Fields) != 1 || f.Fields[0].Pointer != c.pointer {
			t.Errorf("%s: got %+v, want %s", name, f.Fields, c.pointer)
		}
	}
	if now, _ := h.get(draft.ID); now.Revision != draft.Revision {
		t.Error("a refused edit changed something")
	}
	_, err := h.handler.CreateEvent(h.mine(), api.CreateEventRequestObject{Body: &api.EventCreate{Title: "x", TimeZone: "nowhere"}})
	wantFault(t, err, fault.UnknownTimeZone)
	// One of the two times is stored, the other is new.
	_, err = h.update(draft.ID, tag, api.EventPatch{BookingOpensAt: at(noon)})
	must(t, err)
	_, err = h.update(draft.ID, "*", api.EventPatch{BookingClosesAt: at(noon)})
	wantFault(t, err, fault.InvalidTimeRange)
}

func (h *env) publish(ctx context.Context, id uuid.UUID) (response, error) {
	h.Helper()
	r, err := h.handler.PublishEvent(ctx, api.PublishEventRequestObject{EventID: id})
	if err != nil {
		return response{}, err
	}
	return sent(h, r.VisitPublishEventResponse), nil
}

func (h *env) cancel(ctx context.Context, id uuid.UUID, reason string) (response, error) {
	h.Helper()
	r, err := h.handler.CancelEvent(ctx, api.CancelEventRequestObject{EventID: id, Body: &api.Cancellation{Reason: reason}})
	if err != nil {
		return response{}, err
	}
	return sent(h, r.VisitCancelEventResponse), nil
}

func TestPublishingTwiceChangesNothing(t *testing.T) {
	h := open(t)
	draft, _ := h.draft()
	testkit.Slot(t, h.pool, draft.ID)
	first, err := h.publish(h.mine(), draft.ID)
	must(t, err)
	got := body[api.Event](t, first)
	if got.Status != api.EventStatusPublished || got.PublishedAt.IsNull() || got.Revision != 2 {
		t.Errorf("got %+v", got)
	}
	second, err := h.publish(h.mine(), draft.ID)
	must(t, err)
	if second.Body.String() != first.Body.String() || second.Header().Get("ETag") != first.Header().Get("ETag") {
		t.Errorf("publishing twice changed something:\n%s\n%s", first.Body, second.Body)
	}
	_, err = h.publish(h.mine(), h.event(status(seating.EventCancelled)).ID)
	if f := refusal(t, err, fault.InvalidTransition); *f.Members.From != "cancelled" || *f.Members.To != "published" {
		t.Errorf("got %v", f.Members)
	}
	_, err = h.publish(h.mine(), testkit.ID())
	wantFault(t, err, fault.NotFound)
}

func TestCancelKeepsTheFirstReasonAndQueuesJobs(t *testing.T) {
	h := open(t)
	e := h.event()
	slots := []uuid.UUID{h.full(e.ID).ID, testkit.Slot(t, h.pool, e.ID).ID}
	before, _ := h.get(e.ID)
	if before.SeatsAvailable != 10 || before.SlotCount != 2 {
		t.Errorf("got %+v", before)
	}
	first, err := h.cancel(h.mine(), e.ID, "The quartet is ill.")
	must(t, err)
	got := body[api.Event](t, first)
	if got.Status != api.EventStatusCancelled || value(got.CancellationReason) != "The quartet is ill." || got.CancelledAt.IsNull() ||
		got.SeatsAvailable != 0 || got.Revision != 2 {
		t.Errorf("got %+v", got)
	}
	second, err := h.cancel(h.mine(), e.ID, "Another reason.")
	must(t, err)
	if second.Body.String() != first.Body.String() {
		t.Errorf("cancelling twice changed something:\n%s\n%s", first.Body, second.Body)
	}
	if jobs := h.jobs("clear"); !slices.Equal(jobs, slots) {
		t.Errorf("jobs for %v, want %v", jobs, slots)
	}
	_, err = h.update(e.ID, "*", api.EventPatch{Title: ptr("Other")})
	wantFault(t, err, fault.InvalidTransition)
	_, err = h.cancel(h.mine(), e.ID, " ")
	wantFault(t, err, fault.ValidationFailed)
	draft, _ := h.draft()
	_, err = h.cancel(h.mine(), draft.ID, "Nobody knows.")
	wantFault(t, err, fault.InvalidTransition)

	_, err = h.desk.Do(t.Context(), desk.Submission{Command: seating.CancelAllBookings{SlotID: slots[0]}})
	must(t, err)
	if live := list[int64](h, `SELECT count(*) FROM bookings WHERE status <> 'cancelled'`)[0]; live != 0 {
		t.Errorf("%d bookings are left", live)
	}
}

func TestOnlyDraftsAreDeletedWithTheirSlots(t *testing.T) {
	h := open(t)
	draft, tag := h.draft()
	slots := []seating.Slot{testkit.Slot(t, h.pool, draft.ID), testkit.Slot(t, h.pool, draft.ID)}
	remove := func(id uuid.UUID, match *string) error {
		_, err := h.handler.DeleteEvent(h.mine(), api.DeleteEventRequestObject{EventID: id, Params: api.DeleteEventParams{IfMatch: match}})
		return err
	}
	wantFault(t, remove(draft.ID, nil), fault.VersionRequired)
	wantFault(t, remove(draft.ID, ptr(`"9.x"`)), fault.VersionMismatch)
	wantFault(t, remove(h.event().ID, ptr("*")), fault.InvalidTransition)
	must(t, remove(draft.ID, &tag))
	wantFault(t, remove(draft.ID, &tag), fault.NotFound)
	_, err := h.handler.GetEvent(h.mine(), api.GetEventRequestObject{EventID: draft.ID})
	wantFault(t, err, fault.NotFound)
	kinds := list[string](h, `SELECT kind || ' ' || actor FROM ledger WHERE slot_id = $1 ORDER BY version`, slots[1].ID)
	if !slices.Equal(kinds, []string{"opened system", "deleted organizer"}) {
		t.Errorf("the ledger says %v", kinds)
	}
}

func TestRepeatedRequestHasOneEffect(t *testing.T) {
	h := open(t)
	create := func() response {
		r, err := h.handler.CreateEvent(keyed(h.organizer, "k"), api.CreateEventRequestObject{Body: &api.EventCreate{Title: "x", TimeZone: "UTC"}})
		must(t, err)
		return sent(t, r.VisitCreateEventResponse)
	}
	first, second := create(), create()
	if first.Code != 201 || second.Code != 201 || first.Body.String() != second.Body.String() || second.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("got %d %s\nand %d %s", first.Code, first.Body, second.Code, second.Body)
	}
	e := body[api.Event](t, first)
	if first.Header().Get("Location") != "/api/v1/events/"+e.ID.String() {
		t.Errorf("Location is %s", first.Header().Get("Location"))
	}
	if n := list[int64](h, `SELECT count(*) FROM events`)[0]; n != 1 {
		t.Errorf("%d events", n)
	}
}
