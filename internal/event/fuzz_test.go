package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// A time zone is accepted under its name in the IANA database, and under no other path
// to it.
func FuzzZone(f *testing.F) {
	for _, seed := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12", "", "Local", "local", "localtime",
		"../UTC", "Europe//Berlin", "./UTC", "Europe/./Berlin", "UTC/", "/UTC", "europe/berlin", "right/UTC", "posix/UTC", "posixrules",
		"Europe/Berlin\x00", "tzdata.zi", "CET", "EST5EDT", "Europe/Berlin "} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`^([A-Z][A-Za-z0-9_+-]*/)*[A-Z][A-Za-z0-9_+-]*$`)
	f.Fuzz(func(t *testing.T, name string) {
		s := Defaults
		s.Title, s.TimeZone = "Title", name
		err := s.check()
		if err != nil && !errors.Is(err, fault.UnknownTimeZone) {
			t.Fatal(err)
		}
		zone, unknown := time.LoadLocation(name)
		switch {
		case err == nil && (unknown != nil || zone.String() != name || zone == time.Local || !form.MatchString(name)):
			t.Errorf("%q is accepted as a time zone", name)
		case err != nil && unknown == nil && form.MatchString(name) && !strings.EqualFold(name, "local"):
			t.Errorf("%q is refused: %v", name, err)
		}
	})
}

// Accepted times are in order, and JSON brings them back unchanged.
func FuzzPeriod(f *testing.F) {
	f.Add(int64(1e15), int64(2e15), true, true)
	f.Add(int64(-62135596800000000), int64(253402300799999999), true, false)
	f.Add(int64(946684799999999), int64(946684800000000), true, true)
	f.Fuzz(func(t *testing.T, opens, closes int64, opening, closing bool) {
		s := Defaults
		s.Title, s.TimeZone = "Title", "UTC"
		if opening {
			s.BookingOpensAt = instant(opens)
		}
		if closing {
			s.BookingClosesAt = instant(closes)
		}
		if err := s.check(); err != nil {
			if !errors.Is(err, fault.InvalidTimeRange) || len(fault.Of(err).Fields) != 1 {
				t.Errorf("%v", err)
			}
			return
		}
		if opening && closing && !s.BookingOpensAt.Before(*s.BookingClosesAt) {
			t.Errorf("booking opens at %s and closes at %s", s.BookingOpensAt, s.BookingClosesAt)
		}
		text, err := json.Marshal(Event{Settings: s}.json())
		var again api.Event
		if err == nil {
			err = json.Unmarshal(text, &again)
		}
		if err != nil || !reflect.DeepEqual(again.BookingOpensAt, view.OrNull(s.BookingOpensAt)) ||
			!reflect.DeepEqual(again.BookingClosesAt, view.OrNull(s.BookingClosesAt)) {
			t.Errorf("%s (%v)", text, err)
		}
	})
}

// Accepted slots start in the future and end after their start.
func FuzzNewSlot(f *testing.F) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Add(int64(1), int64(2))
	f.Add(int64(0), int64(0))
	f.Add(int64(1)<<62, int64(-1)<<62)
	f.Fuzz(func(t *testing.T, starts, ends int64) {
		n := NewSlot{StartsAt: now.Add(time.Duration(starts)), EndsAt: now.Add(time.Duration(ends)), Capacity: 1}
		err := n.check(now)
		good := n.StartsAt.After(now) && n.EndsAt.After(n.StartsAt) && n.EndsAt.Sub(n.StartsAt) <= maxDuration && !n.StartsAt.After(now.AddDate(yearsAhead, 0, 0))
		if (err == nil) != good || err != nil && !errors.Is(err, fault.InvalidTimeRange) {
			t.Errorf("from %s to %s: %v", n.StartsAt, n.EndsAt, err)
		}
	})
}

// A patch changes an event as RFC 7396 says that it changes its JSON, and applying it
// twice changes nothing more.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{`{}`, `{"title":"T"}`, `{"booking_opens_at":null}`, `{"waitlist_limit":3,"fit":"first_fit"}`, `{"waitlist_limit":null}`,
		`{"booking_opens_at":"2026-06-01T00:00:00.123456+02:00","booking_closes_at":"2026-06-02T00:00:00Z"}`, `{"hold_minutes":0,"waitlist_mode":"off"}`, `{"walk_ins":true}`, `{"max_seats_per_booking":null,"max_seats_per_user":4}`, `{"description":""}`, `{"Fit":"strict"}`} {
		f.Add([]byte(seed))
	}
	limit, opens := 7, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		var p *api.EventPatch
		var members map[string]any
		if strict.Decode(&p) != nil || p == nil || json.Unmarshal(body, &members) != nil {
			return // the validator refuses it
		}
		before := Defaults
		before.Title, before.TimeZone, before.WaitlistLimit, before.BookingOpensAt = "Before", "UTC", &limit, &opens
		after := before
		patch(p)(&after)
		twice := after
		patch(p)(&twice)
		if !twice.equals(after) {
			t.Errorf("%s: %+v once, %+v twice", body, after, twice)
		}
		was, is := settingsShown(t, before), settingsShown(t, after)
		for name := range members {
			if _, known := was[name]; !known {
				return // in another spelling, which the validator refuses too
			}
		}
		for name := range is {
			want, named := members[name]
			if !named {
				want = was[name]
			}
			if got := is[name]; !sameValue(want, got, named && want == nil, was[name]) {
				t.Errorf("%s: %s is %v, want %v", body, name, got, want)
			}
		}
	})
}

// settingsShown are the settings as the API shows them.
func settingsShown(t *testing.T, s Settings) (members map[string]any) {
	text, err := json.Marshal(Event{Settings: s, Status: seating.EventDraft}.json())
	if err != nil || json.Unmarshal(text, &members) != nil {
		t.Skip("the validator refuses years that JSON cannot have")
	}
	return members
}

// sameValue compares values; times are shown in UTC and in microseconds. The validator
// refuses null for what cannot be null.
func sameValue(want, got any, null bool, was any) bool {
	if null {
		return got == nil || reflect.DeepEqual(got, was)
	}
	text, isText := want.(string)
	if shown, ok := got.(string); isText && ok {
		a, errA := time.Parse(time.RFC3339, text)
		b, errB := time.Parse(time.RFC3339, shown)
		if errA == nil && errB == nil && asStored(a).Equal(b) {
			return true
		}
	}
	return reflect.DeepEqual(want, got)
}

func instant(micros int64) *time.Time {
	t := time.UnixMicro(micros).UTC()
	return &t
}
