//go:build unix

package server_test

import (
	"net/url"
	"strings"
	"testing"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

func TestTextsAreStoredInOneSpellingAndFound(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, organizer := h.user(access.Organizer)
	for sent, stored := range map[string]string{
		"Zoe\u0308s Cafe\u0301": "Zo\u00ebs Caf\u00e9", "I ❤️ this": "I ❤️ this", "👩‍👩‍👧 day": "👩‍👩‍👧 day", "می\u200cخواهم": "می\u200cخواهم", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 evening": "🏴󠁧󠁢󠁥󠁮󠁧󠁿 evening",
	} {
		var e api.Event
		organizer.Post("/api/v1/events", map[string]any{"title": sent, "time_zone": "UTC", "description": "One\r\nTwo"}).Want(201).Into(&e)
		if e.Title != stored || e.Description != "One\nTwo" {
			t.Errorf("%+q became %+q, %+q", sent, e.Title, e.Description)
		}
	}
	for _, q := range []string{"Zoe\u0308s", "Zo\u00ebs"} {
		var found api.EventList
		organizer.Get("/api/v1/events?when=all&q=" + url.QueryEscape(q)).Want(200).Into(&found)
		if len(found.Data) != 1 {
			t.Errorf("%d events are found by %+q", len(found.Data), q)
		}
	}
	// 200 characters, though they were sent as 400.
	organizer.Post("/api/v1/events", map[string]any{"title": strings.Repeat("e\u0301", 200), "time_zone": "UTC"}, wrong).Want(201)
	organizer.Post("/api/v1/events", map[string]any{"title": strings.Repeat("e\u0301", 201), "time_zone": "UTC"}, wrong).WantProblem(fault.ValidationFailed)
}

func TestInvisibleTextIsRefusedWithItsFieldAndCharacter(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, organizer := h.user(access.Organizer)
	for body, want := range map[string]string{
		`{"title": "a\u200bb", "time_zone": "UTC"}`:                     "/title characters: must not contain U+200B here",
		`{"title": "\u3164", "time_zone": "UTC"}`:                       "/title characters: must not contain U+3164 here",
		`{"title": "\u2800", "time_zone": "UTC"}`:                       "/title blank: must have a visible character",
		`{"title": "a\nb", "time_zone": "UTC"}`:                         "/title characters: must not contain U+000A here",
		`{"title": "a", "time_zone": "UTC", "location": "x\u202ey"}`:    "/location characters: must not contain U+202E here",
		`{"title": "a", "time_zone": "UTC", "description": "x\u2028y"}`: "/description characters: must not contain U+2028 here",
		`{"title": "\ud800", "time_zone": "UTC"}`:                       "/title surrogate: must not contain the lone surrogate U+D800",
	} {
		p := organizer.Post("/api/v1/events", body, wrong).WantProblem(fault.ValidationFailed)
		if len(p.Errors) != 1 || *p.Errors[0].Pointer+" "+p.Errors[0].Code+": "+p.Errors[0].Detail != want {
			t.Errorf("%s: %+v, want %s", body, p.Errors, want)
		}
	}
	if n := h.rows("events"); n != 0 {
		t.Errorf("%d events were made", n)
	}
	for _, email := range []string{"anna\u200b@test.com", "an\u202ena@test.com"} {
		p := h.Post("/api/v1/auth/register", map[string]any{"email": email, "name": "A", "password": "correct horse"}, wrong).WantProblem(fault.ValidationFailed)
		if len(p.Errors) == 0 || *p.Errors[0].Pointer != "/email" {
			t.Errorf("%+q: %+v", email, p.Errors)
		}
	}
}
