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
	"eventbooking/internal/account"
	"eventbooking/internal/event"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

func TestCreateFillsInTheDefaults(t *testing.T) {
	h := open(t)
	got, tag := h.draft()
	if got.Status != api.EventStatusDraft || got.OrganizerID != h.organizer.UserID || got.Revision != 1 ||
		got.WaitlistMode != api.WaitlistModeAutomatic || got.OfferMinutes != 60 || got.Fit != api.FitPolicyStrict || got.MaxPasses != 3 || got.HoldMinutes != 10 ||
		!got.WaitlistLimit.IsNull() || !got.BookingOpensAt.IsNull() || !got.StartsAt.IsNull() || !got.PublishedAt.IsNull() {
		t.Errorf("got %+v", got)
	}
	again, sameTag := h.get(got.ID)
	if tag == "" || tag != sameTag || !again.CreatedAt.Equal(got.CreatedAt) {
		t.Errorf("created as %s, read as %s", tag, sameTag)
	}
}

func TestCreateKeepsEverything(t *testing.T) {
	h := open(t)
	opens := time.Date(2026, 12, 1, 8, 0, 0, 123456789, time.FixedZone("", 3600))
	got, _ := h.draft(func(c *api.EventCreate) {
		c.Description, c.Location = ptr("Two quartets"), ptr("Small Hall")
		c.BookingOpensAt = nullable.NewNullableWithValue(opens)
		c.BookingClosesAt = nullable.NewNullableWithValue(opens.Add(time.Hour))
		c.CancellationClosesMinutes, c.WaitlistLimit = ptr(120), nullable.NewNullableWithValue(50)
		c.WaitlistMode, c.OfferMinutes, c.Fit, c.MaxPasses = ptr(api.WaitlistModeOffer), ptr(30), ptr(api.FitPolicyFirstFit), ptr(0)
		c.HoldMinutes = ptr(15)
	})
	if got.Description != "Two quartets" || got.Location != "Small Hall" || got.CancellationClosesMinutes != 120 ||
		value(got.WaitlistLimit) != 50 || got.WaitlistMode != api.WaitlistModeOffer || got.OfferMinutes != 30 ||
		got.Fit != api.FitPolicyFirstFit || got.MaxPasses != 0 || got.HoldMinutes != 15 ||
		!value(got.BookingOpensAt).Equal(opens.Truncate(time.Microsecond)) || value(got.BookingOpensAt).Location() != time.UTC {
		t.Errorf("got %+v", got)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
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
		"this machine's": {api.EventPatch{TimeZone: ptr("Local")}, fault.UnknownTimeZone, "/time_zone"},
		"its file":       {api.EventPatch{TimeZone: ptr("localtime")}, fault.UnknownTimeZone, "/time_zone"},
		"nothing":        {api.EventPatch{TimeZone: ptr("")}, fault.UnknownTimeZone, "/time_zone"},
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
		t.Error("a refused edit left something")
	}
	_, err := h.handler.CreateEvent(h.mine(), api.CreateEventRequestObject{Body: &api.EventCreate{Title: "x", TimeZone: "nowhere"}})
	refused(t, err, fault.UnknownTimeZone)
	// The two bounds meet here, one stored and one new.
	_, err = h.update(draft.ID, tag, api.EventPatch{BookingOpensAt: at(noon)})
	must(t, err)
	_, err = h.update(draft.ID, "*", api.EventPatch{BookingClosesAt: at(noon)})
	refused(t, err, fault.InvalidTimeRange)
}

func TestUpdateIsAMergePatch(t *testing.T) {
	h := open(t)
	draft, tag := h.draft(func(c *api.EventCreate) {
		c.WaitlistLimit, c.Location = nullable.NewNullableWithValue(5), ptr("Small Hall")
		c.BookingOpensAt = nullable.NewNullableWithValue(time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC))
	})
	got, err := h.update(draft.ID, tag, api.EventPatch{Location: ptr("Great Hall"), WaitlistLimit: nullable.NewNullNullable[int]()})
	must(t, err)
	if got.Location != "Great Hall" || !got.WaitlistLimit.IsNull() || got.Title != draft.Title || got.BookingOpensAt.IsNull() || got.Revision != 2 {
		t.Errorf("got %+v", got)
	}
	if !got.UpdatedAt.After(draft.UpdatedAt) {
		t.Error("updated_at stayed")
	}
	_, err = h.update(draft.ID, tag, api.EventPatch{Title: ptr("Other")})
	refused(t, err, fault.VersionMismatch)

	got, err = h.update(draft.ID, "*", api.EventPatch{Location: ptr("Great Hall"), MaxPasses: ptr(3), WaitlistLimit: nullable.NewNullNullable[int](),
		BookingOpensAt: draft.BookingOpensAt})
	must(t, err)
	if got.Revision != 2 {
		t.Errorf("an edit that changes nothing made revision %d", got.Revision)
	}
}

func TestParseMatch(t *testing.T) {
	t.Parallel()
	_, err := event.ParseMatch(nil)
	refused(t, err, fault.VersionRequired)
	for text, want := range map[string]int64{`*`: 0, `"3"`: 3, `"3.17"`: 3, ` "12.ab34" `: 12} {
		if got, err := event.ParseMatch(&text); err != nil || got.Revision != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{``, `3`, `"`, `""`, `"3`, `3"`, `"0.1"`, `"-1.1"`, `"x.1"`, `"99999999999999999999.1"`, `W/"3.1"`, `"1.2", "3.4"`} {
		_, err := event.ParseMatch(&text)
		refused(t, err, fault.VersionMismatch)
	}
}

func TestTheWaitlistStaysOnWhileSomebodyWaits(t *testing.T) {
	h := open(t)
	e := h.event()
	h.full(e.ID)
	_, err := h.update(e.ID, "*", api.EventPatch{WaitlistMode: ptr(api.WaitlistModeOff)})
	refused(t, err, fault.WaitlistInUse)
	if now, _ := h.get(e.ID); now.WaitlistMode != api.WaitlistModeAutomatic || now.Revision != 1 {
		t.Errorf("got %+v", now)
	}
	other := h.event()
	testkit.Slot(t, h.pool, other.ID)
	got, err := h.update(other.ID, "*", api.EventPatch{WaitlistMode: ptr(api.WaitlistModeOff)})
	must(t, err)
	if got.WaitlistMode != api.WaitlistModeOff {
		t.Error("nobody waits there")
	}
}

// Three seats, of which two are taken; who waits first wants three, and who waits
// second one. Under first_fit the second can be served, and comes before any newcomer.
func TestNewRulesServeWhoWaitsBeforeANewcomer(t *testing.T) {
	h := open(t)
	e := h.event()
	slot := testkit.Slot(t, h.pool, e.ID, testkit.Capacity(3))
	book := func(seats int, ifFull seating.IfFull) (seating.Booking, error) {
		o, err := h.desk.Do(t.Context(), seating.Order{Command: seating.Book{
			BookingID: uuid.Must(uuid.NewV7()), SlotID: slot.ID, UserID: testkit.User(t, h.pool, account.Attendee).UserID,
			Seats: seats, IfFull: ifFull, By: seating.By{Actor: seating.ByAttendee}}})
		return o.Result.Booking, err
	}
	for _, seats := range []int{2, 3} {
		_, err := book(seats, seating.Wait)
		must(t, err)
	}
	second, err := book(1, seating.Wait)
	must(t, err)

	_, err = h.update(e.ID, "*", api.EventPatch{OfferMinutes: ptr(30), Title: ptr("Other")})
	must(t, err)
	if jobs := h.jobs("promote"); len(jobs) != 0 {
		t.Errorf("nobody can be served, and yet there are jobs for %v", jobs)
	}
	_, err = h.update(e.ID, "*", api.EventPatch{Fit: ptr(api.FitPolicyFirstFit), MaxPasses: ptr(1)})
	must(t, err)
	if jobs := h.jobs("promote"); !slices.Equal(jobs, []uuid.UUID{slot.ID}) {
		t.Errorf("jobs for %v, want one for %v", jobs, slot.ID)
	}
	edit := list[int64](h, `SELECT version FROM ledger WHERE kind = 'edited' AND actor = 'organizer'
		AND reason = 'fit strict to first_fit, max_passes 3 to 1' AND booking_id IS NULL`)
	if len(edit) != 1 {
		t.Fatalf("the ledger says so %d times", len(edit))
	}

	_, err = book(1, seating.Reject)
	refused(t, err, fault.SlotFull)
	_, err = book(1, seating.Wait)
	must(t, err)
	if by := list[int64](h, `SELECT cause_version FROM ledger WHERE kind = 'promoted' AND booking_id = $1`, second.ID); !slices.Equal(by, edit) {
		t.Errorf("promoted by %v, want by the edit, entry %v", by, edit)
	}
	h.sound()
}

// An edit of the rules leaves its mark where somebody may still be promoted.
func TestNewRulesAreNotedInSlotsThatStillPromote(t *testing.T) {
	h := open(t)
	e := h.event()
	open := testkit.Slot(t, h.pool, e.ID)
	cancelled := testkit.Slot(t, h.pool, e.ID)
	_, err := h.desk.Do(t.Context(), seating.Order{Command: seating.EditSlot{SlotID: cancelled.ID, Status: ptr(seating.SlotCancelled), By: seating.System("test")}})
	must(t, err)
	_, err = h.update(e.ID, "*", api.EventPatch{WaitlistMode: ptr(api.WaitlistModeOffer)})
	must(t, err)
	if noted := list[uuid.UUID](h, `SELECT slot_id FROM ledger WHERE kind = 'edited'`); !slices.Equal(noted, []uuid.UUID{open.ID}) {
		t.Errorf("noted in %v, want in %v", noted, open.ID)
	}
}

// locked holds a slot's lock, as a process of the server, until it is released.
func (h *house) locked(slotID uuid.UUID) (process uint32, release func()) {
	h.Helper()
	tx, err := h.pool.Begin(context.Background())
	must(h, err)
	_, err = tx.Exec(context.Background(), `SELECT FROM slots WHERE id = $1 FOR NO KEY UPDATE`, slotID)
	must(h, err)
	return tx.Conn().PgConn().PID(), func() { must(h, tx.Rollback(context.Background())) }
}

// waits returns when somebody waits for a lock that a process has.
func (h *house) waits(process uint32) {
	h.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if list[int64](h, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND $1::int = ANY(pg_blocking_pids(pid))`, process)[0] > 0 {
			return
		}
	}
	h.Fatal("nobody waits")
}

// What the desk reads after it has locked a slot does not change under it.
func TestRulesChangeUnderTheLocksOfAllSlots(t *testing.T) {
	h := open(t)
	e := h.event()
	first := testkit.Slot(t, h.pool, e.ID)
	holder, releaseFirst := h.locked(first.ID)
	_, err := h.update(e.ID, "*", api.EventPatch{Title: ptr("Titles need no slot")})
	must(t, err)

	done := make(chan error, 1)
	go func() {
		_, err := h.update(e.ID, "*", api.EventPatch{MaxPasses: ptr(7), HoldMinutes: ptr(5)})
		done <- err
	}()
	h.waits(holder)
	// A slot that comes while the others are being locked is noticed, and locked too.
	second := testkit.Slot(t, h.pool, e.ID)
	other, releaseSecond := h.locked(second.ID)
	releaseFirst()
	h.waits(other)
	if now, _ := h.get(e.ID); now.MaxPasses != 3 {
		t.Error("the rules changed while a slot was locked by somebody else")
	}
	releaseSecond()
	must(t, <-done)
	if now, _ := h.get(e.ID); now.MaxPasses != 7 || now.HoldMinutes != 5 {
		t.Error("the rules did not change")
	}
}

func TestTwoEditsOfOneRevision(t *testing.T) {
	h := open(t)
	draft, tag := h.draft()
	results := make(chan error, 8)
	for i := range cap(results) {
		go func() {
			_, err := h.update(draft.ID, tag, api.EventPatch{OfferMinutes: ptr(100 + i)})
			results <- err
		}()
	}
	won := 0
	for range cap(results) {
		if err := <-results; err == nil {
			won++
		} else {
			refused(t, err, fault.VersionMismatch)
		}
	}
	if now, _ := h.get(draft.ID); won != 1 || now.Revision != 2 {
		t.Errorf("%d edits won, revision %d", won, now.Revision)
	}
}

func (h *house) publish(ctx context.Context, id uuid.UUID) (answer, error) {
	h.Helper()
	r, err := h.handler.PublishEvent(ctx, api.PublishEventRequestObject{EventID: id})
	if err != nil {
		return answer{}, err
	}
	return sent(h, r.VisitPublishEventResponse), nil
}

func (h *house) cancel(ctx context.Context, id uuid.UUID, reason string) (answer, error) {
	h.Helper()
	r, err := h.handler.CancelEvent(ctx, api.CancelEventRequestObject{EventID: id, Body: &api.Cancellation{Reason: reason}})
	if err != nil {
		return answer{}, err
	}
	return sent(h, r.VisitCancelEventResponse), nil
}

func TestPublish(t *testing.T) {
	h := open(t)
	draft, _ := h.draft()
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
	if f := refusal(t, err, fault.InvalidTransition); f.Extra["from"] != seating.EventCancelled || f.Extra["to"] != seating.EventPublished {
		t.Errorf("got %v", f.Extra)
	}
	_, err = h.publish(h.mine(), testkit.ID())
	refused(t, err, fault.NotFound)
}

func TestCancel(t *testing.T) {
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
	refused(t, err, fault.InvalidTransition)
	_, err = h.cancel(h.mine(), e.ID, " ")
	refused(t, err, fault.ValidationFailed)
	draft, _ := h.draft()
	_, err = h.cancel(h.mine(), draft.ID, "Nobody knows.")
	refused(t, err, fault.InvalidTransition)

	_, err = h.desk.Do(t.Context(), seating.Order{Command: seating.Clear{SlotID: slots[0]}})
	must(t, err)
	if live := list[int64](h, `SELECT count(*) FROM bookings WHERE status <> 'cancelled'`)[0]; live != 0 {
		t.Errorf("%d bookings are left", live)
	}
}

func TestDelete(t *testing.T) {
	h := open(t)
	draft, tag := h.draft()
	slots := []seating.Slot{testkit.Slot(t, h.pool, draft.ID), testkit.Slot(t, h.pool, draft.ID)}
	remove := func(id uuid.UUID, match *string) error {
		_, err := h.handler.DeleteEvent(h.mine(), api.DeleteEventRequestObject{EventID: id, Params: api.DeleteEventParams{IfMatch: match}})
		return err
	}
	refused(t, remove(draft.ID, nil), fault.VersionRequired)
	refused(t, remove(draft.ID, ptr(`"9.x"`)), fault.VersionMismatch)
	refused(t, remove(h.event().ID, ptr("*")), fault.InvalidTransition)
	must(t, remove(draft.ID, &tag))
	refused(t, remove(draft.ID, &tag), fault.NotFound)
	_, err := h.handler.GetEvent(h.mine(), api.GetEventRequestObject{EventID: draft.ID})
	refused(t, err, fault.NotFound)
	kinds := list[string](h, `SELECT kind || ' ' || actor FROM ledger WHERE slot_id = $1 ORDER BY version`, slots[1].ID)
	if !slices.Equal(kinds, []string{"opened system", "deleted organizer"}) {
		t.Errorf("the ledger says %v", kinds)
	}
}

func TestARepeatedRequestHasOneEffect(t *testing.T) {
	h := open(t)
	create := func() answer {
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
		t.Errorf("it is at %s", first.Header().Get("Location"))
	}
	if n := list[int64](h, `SELECT count(*) FROM events`)[0]; n != 1 {
		t.Errorf("%d events", n)
	}
}

// Each operation on an event or a slot, by those who do not manage it.
func TestOwnership(t *testing.T) {
	h := open(t)
	admin, stranger := testkit.User(t, h.pool, account.Admin), testkit.User(t, h.pool, account.Organizer)
	former := h.organizer
	former.Role = account.Attendee
	anything := ptr("*")
	operations := map[string]func(ctx context.Context, eventID, slotID uuid.UUID) error{
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
	reads := map[string]func(ctx context.Context, eventID, slotID uuid.UUID) error{
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
	draft, shown := h.event(status(seating.EventDraft)), h.event()
	draftSlot, shownSlot := testkit.Slot(t, h.pool, draft.ID), testkit.Slot(t, h.pool, shown.ID)
	for name, do := range operations {
		nothing := do(as(stranger), testkit.ID(), testkit.ID())
		refused(t, nothing, fault.NotFound)
		for _, caller := range []account.Caller{stranger, former} {
			err := do(as(caller), draft.ID, draftSlot.ID)
			refused(t, err, fault.NotFound)
			if err.Error() != nothing.Error() {
				t.Errorf("%s: a draft is told from nothing: %q, %q", name, err, nothing)
			}
			refused(t, do(as(caller), shown.ID, shownSlot.ID), fault.NotPermitted)
		}
	}
	unable := h.organizer
	unable.Abilities = []string{account.AbilityEventsWrite}
	for name, do := range reads {
		nothing := do(as(account.Nobody), testkit.ID(), testkit.ID())
		for _, caller := range []account.Caller{account.Nobody, stranger, former, unable} {
			err := do(as(caller), draft.ID, draftSlot.ID)
			refused(t, err, fault.NotFound)
			if err.Error() != nothing.Error() {
				t.Errorf("%s: a draft is told from nothing: %q, %q", name, err, nothing)
			}
			must(t, do(as(caller), shown.ID, shownSlot.ID))
		}
		must(t, do(as(admin), draft.ID, draftSlot.ID))
		must(t, do(h.mine(), draft.ID, draftSlot.ID))
	}
	if now, _ := h.get(shown.ID); now.Revision != 1 || now.SlotCount != 1 {
		t.Errorf("something was done: %+v", now)
	}
	must(t, operations["updateEvent"](as(admin), draft.ID, draftSlot.ID))
	must(t, operations["updateSlot"](as(admin), draft.ID, draftSlot.ID))
	actor := list[string](h, `SELECT actor FROM ledger WHERE slot_id = $1 ORDER BY version DESC LIMIT 1`, draftSlot.ID)
	if actor[0] != "admin" {
		t.Errorf("the ledger says that %s did it", actor[0])
	}
}
