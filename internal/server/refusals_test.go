//go:build unix

package server_test

import (
	"fmt"
	"net/http"
	"time"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

var anyVersion = testkit.Header("If-Match", "*")

// place is a slot of two seats that somebody wants to book, with a booking of theirs in
// another slot of its event.
type place struct {
	*pairs
	event, slot, booking string
	me, other            *testkit.Client
}

func (p *pairs) place(edits ...func(*db.Event)) place {
	p.t.Helper()
	event := testkit.Event(p.t, p.pool, edits...)
	at := place{pairs: p, event: event.ID.String()}
	_, at.me = p.user(access.Attendee)
	_, at.other = p.user(access.Attendee)
	at.slot = testkit.Slot(p.t, p.pool, event.ID, testkit.Capacity(2)).ID.String()
	elsewhere := testkit.Slot(p.t, p.pool, event.ID, testkit.Times(72*time.Hour, 73*time.Hour)).ID.String()
	at.booking = made(at.me.Post("/api/v1/slots/"+elsewhere+"/bookings", `{"seats": 2}`))
	return at
}

// exec runs a statement about the place's slot and event: {slot} and {event}.
func (at place) exec(sql string) {
	at.t.Helper()
	testkit.Exec(at.t, at.pool, fill(sql, map[string]string{"slot": "'" + at.slot + "'", "event": "'" + at.event + "'"}))
}

func (at place) book(by *testkit.Client, seats int) (booking string) {
	at.t.Helper()
	return made(by.Post("/api/v1/slots/"+at.slot+"/bookings", fmt.Sprintf(`{"seats": %d}`, seats)))
}

// reasons to refuse seats of a slot, with what brings them about.
var reasons = map[*fault.Code]func(at place){
	// The slots and bookings of a cancelled event are cancelled later, by jobs.
	fault.EventNotPublished: func(at place) {
		at.exec("UPDATE events SET status = 'cancelled', cancelled_at = now() WHERE id = {event}")
	},
	fault.SlotCancelled: func(at place) { at.exec("UPDATE slots SET status = 'cancelled' WHERE id = {slot}") },
	fault.BookingNotOpen: func(at place) {
		at.exec("UPDATE events SET booking_opens_at = now() + interval '1 hour' WHERE id = {event}")
	},
	fault.BookingClosed: func(at place) { at.exec("UPDATE slots SET status = 'closed' WHERE id = {slot}") },
	fault.SlotStarted: func(at place) {
		at.exec("UPDATE slots SET starts_at = now() - interval '1 hour', ends_at = now() + interval '1 hour' WHERE id = {slot}")
	},
	fault.AlreadyBooked: func(at place) { at.book(at.me, 1) },
	fault.BookingOverlap: func(at place) {
		event := testkit.Event(at.t, at.pool)
		slot := testkit.Slot(at.t, at.pool, event.ID).ID.String()
		made(at.me.Post("/api/v1/slots/"+slot+"/bookings", `{}`))
	},
	fault.BookingSeatLimit:    func(at place) { at.exec("UPDATE events SET max_seats_per_booking = 1 WHERE id = {event}") },
	fault.UserSeatLimit:       func(at place) { at.exec("UPDATE events SET max_seats_per_user = 1 WHERE id = {event}") },
	fault.SlotFull:            func(at place) { at.book(at.other, 1) },
	fault.SeatsExceedCapacity: func(at place) { at.exec("UPDATE slots SET capacity = 1 WHERE id = {slot}") },
}

// asks request two seats of the slot. What each does first, it does before there is a
// reason to refuse it.
var asks = map[string]func(at place) func() testkit.Answer{
	"createBooking": func(at place) func() testkit.Answer {
		return func() testkit.Answer { return at.me.Post("/api/v1/slots/"+at.slot+"/bookings", `{"seats": 2}`) }
	},
	"createHold": func(at place) func() testkit.Answer {
		return func() testkit.Answer { return at.me.Post("/api/v1/slots/"+at.slot+"/holds", `{"seats": 2}`) }
	},
	"createBookings": func(at place) func() testkit.Answer {
		return func() testkit.Answer {
			return at.me.Post("/api/v1/bookings", `{"items": [{"slot_id": "`+at.slot+`", "seats": 2}]}`)
		}
	},
	"moveBooking": func(at place) func() testkit.Answer {
		return func() testkit.Answer {
			return at.me.Post("/api/v1/bookings/"+at.booking+"/move", `{"slot_id": "`+at.slot+`"}`)
		}
	},
	"updateBooking": func(at place) func() testkit.Answer {
		booking := at.book(at.me, 1)
		return func() testkit.Answer { return at.me.Patch("/api/v1/bookings/"+booking, `{"seats": 2}`) }
	},
}

func raiseOfBooking(p *pairs) {
	for id, ask := range asks {
		for code, refuse := range reasons {
			if p.operations[id].lists(code) {
				at := p.place()
				send := ask(at)
				refuse(at)
				p.raises(id, code, send())
			}
		}
	}
	full := p.place(func(e *db.Event) { e.WaitlistLimit = new(int32(0)) })
	full.book(full.other, 2)
	wait := `{"if_full": "waitlist"}`
	p.raises("createBooking", fault.WaitlistFull, full.me.Post("/api/v1/slots/"+full.slot+"/bookings", wait))
	full.exec("UPDATE events SET waitlist_mode = 'off', waitlist_limit = NULL WHERE id = {event}")
	p.raises("createBooking", fault.WaitlistDisabled, full.me.Post("/api/v1/slots/"+full.slot+"/bookings", wait))

	large := testkit.Slot(p.t, p.pool, testkit.Event(p.t, p.pool).ID, testkit.Capacity(100), testkit.Times(99*time.Hour, 100*time.Hour))
	at := p.place()
	at.me.Post("/api/v1/slots/"+large.ID.String()+"/holds", `{"seats": 20}`).Want(http.StatusCreated)
	p.raises("createHold", fault.HoldLimit, at.me.Post("/api/v1/slots/"+at.slot+"/holds", `{}`))
}

// raiseOfQuotas asks a service whose quotas are used up by one of each.
func raiseOfQuotas(p *pairs) {
	limited := p.another(func(c *server.Config) {
		c.Quotas = server.Quotas{Quotas: seating.Quotas{Holds: 1, Changes: 2}, Drafts: 2}
	})
	event := testkit.Event(p.t, p.pool, func(e *db.Event) { e.HoldMinutes = 1 }).ID
	slot := func(hour int) string {
		return testkit.Slot(p.t, p.pool, event, testkit.Times(time.Duration(hour)*time.Hour, time.Duration(hour+1)*time.Hour)).ID.String()
	}
	held, changed, free := slot(200), slot(202), slot(204)
	release := func(slot, how string) {
		limited.Post("/api/v1/bookings/"+made(limited.Post("/api/v1/slots/"+slot+"/"+how, `{}`))+"/cancel", `{}`).Want(http.StatusOK)
	}
	release(held, "holds")
	p.raises("createHold", fault.QuotaExceeded, limited.Post("/api/v1/slots/"+held+"/holds", `{}`))
	testkit.Exec(p.t, p.pool, "ALTER TABLE ledger DISABLE TRIGGER USER")
	testkit.Exec(p.t, p.pool, "UPDATE ledger SET actor_id = NULL, actor = 'system' WHERE slot_id = '"+held+"'") // not the user's
	testkit.Exec(p.t, p.pool, "ALTER TABLE ledger ENABLE TRIGGER USER")
	p.raises("createHold", fault.HoldCooldown, limited.Post("/api/v1/slots/"+held+"/holds", `{}`))
	release(changed, "bookings")
	p.raises("createBooking", fault.QuotaExceeded, limited.Post("/api/v1/slots/"+changed+"/bookings", `{}`))
	p.raises("createBookings", fault.QuotaExceeded, limited.Post("/api/v1/bookings", `{"items": [{"slot_id": "`+changed+`"}]}`))
	booking := made(limited.Post("/api/v1/slots/"+free+"/bookings", `{}`))
	p.raises("moveBooking", fault.QuotaExceeded, limited.Post("/api/v1/bookings/"+booking+"/move", `{"slot_id": "`+changed+`"}`))
	limited.Patch("/api/v1/bookings/"+booking, `{"seats": 2}`).Want(http.StatusOK)
	p.raises("updateBooking", fault.QuotaExceeded, limited.Patch("/api/v1/bookings/"+booking, `{"seats": 3}`))
	limited.Patch("/api/v1/bookings/"+booking, `{"seats": 1}`).Want(http.StatusOK) // Giving back is never refused.
	limited.Post("/api/v1/bookings/"+booking+"/cancel", `{}`).Want(http.StatusOK)
	draft := `{"title": "Draft", "time_zone": "UTC"}`
	limited.Post("/api/v1/events", draft).Want(http.StatusCreated)
	limited.Post("/api/v1/events", draft).Want(http.StatusCreated)
	p.raises("createEvent", fault.DraftLimit, limited.Post("/api/v1/events", draft))
	keys := p.another(func(c *server.Config) { c.Quotas.Keys = 1 })
	keys.Post("/api/v1/events", draft, testkit.Header("Idempotency-Key", "1")).Want(http.StatusCreated)
	p.raises("createEvent", fault.QuotaExceeded, keys.Post("/api/v1/events", draft, testkit.Header("Idempotency-Key", "2")))
}

// raiseOfBookings raises what the status of a booking refuses.
func raiseOfBookings(p *pairs) {
	late := p.place()
	late.exec("UPDATE events SET cancellation_closes_minutes = 10000 WHERE id = {event}")
	late.exec("UPDATE bookings SET cancellation_closes_minutes = 10000 WHERE slot_id IN (SELECT id FROM slots WHERE event_id = {event})")
	path := "/api/v1/bookings/" + late.booking
	closed := fault.CancellationWindowClosed
	p.raises("cancelBooking", closed, late.me.Post(path+"/cancel", `{}`))
	p.raises("updateBooking", closed, late.me.Patch(path, `{"seats": 1}`))
	p.raises("moveBooking", closed, late.me.Post(path+"/move", `{"slot_id": "`+late.slot+`"}`))
	p.raises("createBooking", closed, late.me.Post("/api/v1/slots/"+late.slot+"/bookings",
		`{"if_full": "waitlist", "replaces_booking_id": "`+late.booking+`"}`))

	gone, staff := p.place(), p.token(testkit.User(p.t, p.pool, access.Admin))
	path = "/api/v1/bookings/" + gone.booking
	p.raises("declineOffer", fault.InvalidTransition, gone.me.Post(path+"/decline", nil))
	gone.me.Post(path+"/cancel", `{}`).Want(http.StatusOK)
	p.raises("acceptOffer", fault.InvalidTransition, gone.me.Post(path+"/accept", nil))
	p.raises("updateBooking", fault.InvalidTransition, gone.me.Patch(path, `{"seats": 1}`))
	p.raises("moveBooking", fault.InvalidTransition, gone.me.Post(path+"/move", `{"slot_id": "`+gone.slot+`"}`))
	p.raises("confirmBooking", fault.InvalidTransition, gone.me.Post(path+"/confirm", nil))
	p.raises("checkInBooking", fault.InvalidTransition, staff.Post(path+"/check-in", nil))
	p.raises("undoCheckIn", fault.InvalidTransition, staff.Delete(path+"/check-in"))

	held := p.place()
	hold := made(held.me.Post("/api/v1/slots/"+held.slot+"/holds", `{}`))
	testkit.Exec(p.t, p.pool, "UPDATE bookings SET expires_at = now() - interval '1 minute' WHERE id = $1", hold)
	path = "/api/v1/bookings/" + hold
	p.raises("confirmBooking", fault.HoldExpired, held.me.Post(path+"/confirm", nil))
	p.raises("cancelBooking", fault.InvalidTransition, held.me.Post(path+"/cancel", `{}`))

	dark := p.place()
	hold = made(dark.me.Post("/api/v1/slots/"+dark.slot+"/holds", `{}`))
	dark.exec("UPDATE slots SET status = 'cancelled' WHERE id = {slot}")
	p.raises("confirmBooking", fault.SlotCancelled, dark.me.Post("/api/v1/bookings/"+hold+"/confirm", nil))
	p.raiseOfOffers()
}

// raiseOfAttendance raises what a check-in and the end of a slot refuse.
func raiseOfAttendance(p *pairs) {
	staff := p.token(testkit.User(p.t, p.pool, access.Admin))
	refuses := func(code *fault.Code, at place, by *testkit.Client) {
		path := "/api/v1/bookings/" + at.booking
		p.raises("cancelBooking", code, by.Post(path+"/cancel", `{"reason": "Rain"}`))
		p.raises("updateBooking", code, by.Patch(path, `{"seats": 1}`))
		p.raises("moveBooking", code, by.Post(path+"/move", `{"slot_id": "`+at.slot+`"}`))
		p.raises("createBooking", code, at.me.Post("/api/v1/slots/"+at.slot+"/bookings",
			`{"if_full": "waitlist", "replaces_booking_id": "`+at.booking+`"}`))
	}
	at := p.place()
	path := "/api/v1/bookings/" + at.booking + "/check-in"
	staff.Post(path, nil).Want(http.StatusOK)
	refuses(fault.CheckedIn, at, at.me)
	const times = "UPDATE slots SET starts_at = now() - interval '%s', ends_at = now() - interval '%s' WHERE event_id = {event} AND id <> {slot}"
	at.exec(fmt.Sprintf(times, "2 hours", "1 hour"))
	refuses(fault.BookingFinal, at, staff)
	at.exec(fmt.Sprintf(times, "9 days", "8 days"))
	p.raises("checkInBooking", fault.CheckInClosed, staff.Post(path, nil))
	p.raises("undoCheckIn", fault.CheckInClosed, staff.Delete(path))

	dark := p.place()
	path = "/api/v1/bookings/" + dark.book(dark.me, 1) + "/check-in"
	reasons[fault.SlotCancelled](dark)
	p.raises("checkInBooking", fault.SlotCancelled, staff.Post(path, nil))
	p.raises("undoCheckIn", fault.SlotCancelled, staff.Delete(path))

	over := p.place()
	over.exec("UPDATE slots SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' WHERE id = {slot}")
	path = "/api/v1/slots/" + over.slot
	p.raises("cancelSlot", fault.SlotEnded, staff.Post(path+"/cancel", `{"reason": "Rain"}`))
	p.raises("updateSlot", fault.SlotEnded, staff.Patch(path, map[string]any{"ends_at": time.Now().Add(time.Hour)}, anyVersion))
}

// raiseOfOffers makes offers of holds, which differ in their status only.
func (p *pairs) raiseOfOffers() {
	for _, c := range []struct {
		operation, path string
		code            *fault.Code
		sql             string
	}{
		{"acceptOffer", "/accept", fault.OfferExpired, "UPDATE bookings SET expires_at = now() - interval '1 minute' WHERE slot_id = {slot}"},
		{"declineOffer", "/decline", fault.OfferExpired, "UPDATE bookings SET expires_at = now() - interval '1 minute' WHERE slot_id = {slot}"},
		{"acceptOffer", "/accept", fault.SlotCancelled, "UPDATE slots SET status = 'cancelled' WHERE id = {slot}"},
	} {
		at := p.place()
		offer := made(at.me.Post("/api/v1/slots/"+at.slot+"/holds", `{}`))
		at.exec("UPDATE bookings SET status = 'offered', queued_version = version WHERE slot_id = {slot}")
		at.exec(c.sql)
		p.raises(c.operation, c.code, at.me.Post("/api/v1/bookings/"+offer+c.path, nil))
	}
}

func raiseOfUsers(p *pairs) {
	taken := p.s.attendee.UserID.String() + "@test.com"
	p.raises("registerUser", fault.EmailTaken, p.Post("/api/v1/auth/register", `{"email": "`+taken+`", "name": "N", "password": "correct horse battery"}`))
	p.raises("loginUser", fault.InvalidCredentials, p.Post("/api/v1/auth/login", `{"email": "`+taken+`", "password": "guess"}`))
	alone := newEnv(p.t, func(c *server.Config) { c.Workers = false })
	last, admin := alone.user(access.Admin)
	p.raises("deleteMe", fault.LastAdministrator, admin.Post("/api/v1/me/deletion", leave))
	p.raises("updateUser", fault.LastAdministrator, admin.Patch("/api/v1/users/"+last.UserID.String(), `{"role": "attendee"}`))
	event := testkit.Event(p.t, alone.pool)
	testkit.Slot(p.t, alone.pool, event.ID)
	organizer := alone.token(testkit.Caller(event.OrganizerID, access.Organizer))
	p.raises("deleteMe", fault.OrganizerHasEvents, organizer.Post("/api/v1/me/deletion", leave))
	p.raises("updateUser", fault.OrganizerHasEvents, admin.Patch("/api/v1/users/"+event.OrganizerID.String(), `{"role": "attendee"}`))

	_, me := p.user(access.Attendee)
	p.raises("updateMe", fault.EmailTaken, me.Patch("/api/v1/me", `{"email": "`+taken+`", "current_password": "`+testkit.Password+`"}`))
}

func raiseOfEvents(p *pairs) {
	_, admin := p.user(access.Admin)
	at := p.place()
	at.book(at.other, 2)
	at.me.Post("/api/v1/slots/"+at.slot+"/bookings", `{"if_full": "waitlist"}`).Want(http.StatusCreated)
	path := "/api/v1/events/" + at.event
	p.raises("updateEvent", fault.WaitlistInUse, admin.Patch(path, `{"waitlist_mode": "off"}`, anyVersion))
	p.raises("deleteEvent", fault.InvalidTransition, admin.Delete(path, anyVersion))
	p.raises("createEvent", fault.UnknownTimeZone, admin.Post("/api/v1/events", `{"title": "T", "time_zone": "Mars/Olympus"}`))
	p.raises("updateEvent", fault.UnknownTimeZone, admin.Patch(path, `{"time_zone": "Mars/Olympus"}`, anyVersion))
	admin.Post(path+"/cancel", `{"reason": "Rain"}`).Want(http.StatusOK)
	p.raises("updateEvent", fault.InvalidTransition, admin.Patch(path, `{"title": "New"}`, anyVersion))
	p.raises("publishEvent", fault.InvalidTransition, admin.Post(path+"/publish", nil))
	p.raises("createSlot", fault.InvalidTransition, admin.Post(path+"/slots", slotCreate()))

	never := fmt.Sprintf(`{"booking_opens_at": %q}`, time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339))
	p.raises("updateEvent", fault.NoBookableSlot, admin.Patch("/api/v1/events/"+p.place().event, never, anyVersion))
	draft := testkit.Event(p.t, p.pool, func(e *db.Event) { e.Status, e.PublishedAt = string(seating.EventDraft), nil })
	p.raises("publishEvent", fault.NoBookableSlot, admin.Post("/api/v1/events/"+draft.ID.String()+"/publish", nil))
	slot := testkit.Slot(p.t, p.pool, draft.ID)
	p.raises("cancelEvent", fault.InvalidTransition, admin.Post("/api/v1/events/"+draft.ID.String()+"/cancel", `{"reason": "Rain"}`))
	p.raises("cancelSlot", fault.InvalidTransition, admin.Post("/api/v1/slots/"+slot.ID.String()+"/cancel", `{"reason": "Rain"}`))
}

func raiseOfSlotEdits(p *pairs) {
	_, admin := p.user(access.Admin)
	at := p.place()
	at.book(at.me, 2)
	path := "/api/v1/slots/" + at.slot
	p.raises("updateSlot", fault.CapacityBelowTaken, admin.Patch(path, `{"capacity": 1}`, anyVersion))
	p.raises("deleteSlot", fault.EventHasBookings, admin.Delete(path, anyVersion))
	overlapping := fmt.Sprintf(`{"starts_at": %q, "ends_at": %q}`,
		time.Now().Add(72*time.Hour).UTC().Format(time.RFC3339), time.Now().Add(73*time.Hour).UTC().Format(time.RFC3339))
	p.raises("updateSlot", fault.EventHasBookings, admin.Patch(path, overlapping, anyVersion))
	p.raises("updateSlot", fault.InvalidTimeRange, admin.Patch(path, `{"starts_at": "2020-01-01T00:00:00Z"}`, anyVersion))
	reasons[fault.SlotStarted](at)
	p.raises("updateSlot", fault.SlotStarted, admin.Patch(path, overlapping, anyVersion))
	p.raises("simulateSlot", fault.SlotStarted, admin.Post(path+"/simulation", `{}`))
	reasons[fault.SlotCancelled](at)
	p.raises("updateSlot", fault.SlotCancelled, admin.Patch(path, `{"capacity": 3}`, anyVersion))
	p.raises("simulateSlot", fault.SlotCancelled, admin.Post(path+"/simulation", `{}`))
}

func raiseOfRanges(p *pairs) {
	_, admin := p.user(access.Admin)
	at, wrong := p.place(), fault.InvalidTimeRange
	p.raises("listEvents", wrong, admin.Get("/api/v1/events?from=2026-12-02T00:00:00Z&to=2026-12-01T00:00:00Z"))
	p.raises("listConflicts", wrong, admin.Get("/api/v1/me/conflicts?starts_at=2026-12-02T00:00:00Z&ends_at=2026-12-01T00:00:00Z"))
	p.raises("createToken", wrong, admin.Post("/api/v1/me/tokens", `{"name": "T", "abilities": ["*"], "expires_at": "2020-01-01T00:00:00Z"}`))
	window := `"booking_opens_at": "2026-12-02T00:00:00Z", "booking_closes_at": "2026-12-01T00:00:00Z"}`
	p.raises("createEvent", wrong, admin.Post("/api/v1/events", `{"title": "T", "time_zone": "UTC", `+window))
	p.raises("updateEvent", wrong, admin.Patch("/api/v1/events/"+at.event, `{`+window, anyVersion))
	p.raises("createSlot", wrong, admin.Post("/api/v1/events/"+at.event+"/slots",
		`{"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z", "capacity": 1}`))
	p.raises("simulateSlot", wrong, admin.Post("/api/v1/slots/"+at.slot+"/simulation", `{"until": "2020-01-01T00:00:00Z"}`))
}
