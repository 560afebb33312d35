//go:build unix

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

// edited is a resource that is edited with If-Match.
type edited struct {
	path string
	// edit is a body that changes it, each time differently.
	edit func() string
	// form is how its tags look.
	form string
}

// editedOnes are an event, a slot of it, and a booking of another slot.
func editedOnes(h *env) (*testkit.Client, map[string]edited) {
	caller, organizer := h.user(access.Admin)
	event := testkit.Event(h.t, h.pool)
	slot := testkit.Slot(h.t, h.pool, event.ID)
	large := testkit.Slot(h.t, h.pool, event.ID, testkit.Capacity(1000))
	var booking api.Booking
	h.token(caller).Post("/api/v1/slots/"+large.ID.String()+"/bookings", `{"seats": 1}`).Want(http.StatusCreated).Into(&booking)
	number := 100 // no capacity is below the seats that are taken
	next := func(format string) func() string {
		return func() string { number++; return fmt.Sprintf(format, number) }
	}
	return organizer, map[string]edited{
		"event":   {"/api/v1/events/" + event.ID.String(), next(`{"max_passes": 1, "title": "Title %d"}`), `"N.XXXXXXXXXXXXXXXXXXXXXXXX"`},
		"slot":    {"/api/v1/slots/" + slot.ID.String(), next(`{"capacity": %d}`), `"N.N"`},
		"booking": {"/api/v1/bookings/" + booking.ID.String(), next(`{"seats": %d}`), `"XXXXXXXXXXXXXXXXXXXXXXXX"`},
	}
}

// The tag of the current state is written as TAG; lines of a header as lines.
func TestOneRuleForIfMatch(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	organizer, all := editedOnes(h)
	for name, one := range all {
		edit := func(ifMatch string) testkit.Answer {
			tag := organizer.Get(one.path).Want(http.StatusOK).Header.Get("ETag")
			options := []testkit.RequestOption{wrong}
			for line := range strings.SplitSeq(strings.ReplaceAll(ifMatch, "TAG", tag), "\n") {
				options = append(options, testkit.HeaderLine("If-Match", line))
			}
			return organizer.Patch(one.path, one.edit(), options...)
		}
		for _, header := range []string{
			`TAG`, `*`, ` TAG `, ` * `, `"other", TAG`, `TAG,"other"`, `,, TAG ,`, `W/"other", TAG`, "\"other\"\nTAG", "TAG\n\"other\"", "\nTAG", `"a,b", TAG`,
			strings.Repeat(`"0000000000000000000", `, 40) + `TAG`,
		} {
			if answer := edit(header); answer.Status != http.StatusOK {
				t.Errorf("%s, %q: %d %s", name, header, answer.Status, answer.Body)
			}
		}
		for _, header := range []string{
			``, ` `, `,`, `"other"`, `W/TAG`, `w/TAG`, `TAG TAG`, `TAG"other"`, `TAG, other`, `other, TAG`, `*, TAG`, `TAG, *`, `**`, `"*"`, `other`, `"`, `""`, "*\n*",
			`"0"`, `"01"`, `"+1"`, `" 1"`, `"1 "`, `"1e0"`, `"-1"`, `1`, `'1'`, "TAG\nother",
		} {
			problem := edit(header).WantProblem(fault.VersionMismatch)
			if _, example, found := strings.Cut(problem.Detail, "such as "); !found || shape(strings.TrimSuffix(example, ".")) != one.form {
				t.Errorf("%s, %q: %s", name, header, problem.Detail)
			}
		}
	}
}

// shape writes numbers as N and hashes as X.
func shape(tag string) string {
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(tag, `"`), ".") {
		if len(part) == 24 {
			part = strings.Repeat("X", 24)
		} else {
			part = "N"
		}
		parts = append(parts, part)
	}
	return `"` + strings.Join(parts, ".") + `"`
}

func TestAMissingIfMatchIsRequiredUnlessItIsOptional(t *testing.T) {
	t.Parallel()
	organizer, all := editedOnes(newEnv(t))
	for _, name := range []string{"event", "slot"} {
		organizer.Patch(all[name].path, all[name].edit()).WantProblem(fault.VersionRequired)
		organizer.Delete(all[name].path).WantProblem(fault.VersionRequired)
	}
	organizer.Patch(all["booking"].path, all["booking"].edit()).Want(http.StatusOK)
}

func TestIfNoneMatchTakesListsAndLines(t *testing.T) {
	t.Parallel()
	organizer, all := editedOnes(newEnv(t))
	for name, one := range all {
		tag := organizer.Get(one.path).Header.Get("ETag")
		for header, want := range map[string]int{
			tag: 304, "W/" + tag: 304, "*": 304, `"other"` + "\n" + tag: 304, tag + "\n" + `"other"`: 304, `"other", ` + tag: 304,
			`"other"`: 200, "": 200, "other": 200, tag + tag: 200, strings.Trim(tag, `"`): 200,
		} {
			options := []testkit.RequestOption{wrong}
			for line := range strings.SplitSeq(header, "\n") {
				options = append(options, testkit.HeaderLine("If-None-Match", line))
			}
			if got := organizer.Get(one.path, options...); got.Status != want {
				t.Errorf("%s, %q: %d, want %d", name, header, got.Status, want)
			}
		}
	}
}

// * is any state, so no edit by others can make it stale. Every edit takes effect.
func TestAnyStateIsNeverStale(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	organizer, all := editedOnes(h)
	const editors, edits = 8, 10
	var wg sync.WaitGroup
	for name, one := range all {
		bodies := make(chan string, editors*edits)
		for range cap(bodies) {
			bodies <- one.edit()
		}
		close(bodies)
		for range editors {
			wg.Go(func() {
				for body := range bodies {
					answer := organizer.Patch(one.path, body, anyVersion)
					if answer.Status == http.StatusPreconditionFailed || name != "booking" && answer.Status != http.StatusOK {
						t.Errorf("%s: %d %s", name, answer.Status, answer.Body)
					}
				}
			})
		}
	}
	wg.Wait()
	for _, name := range []string{"event", "slot"} {
		var now struct{ Revision int64 }
		if err := json.Unmarshal(organizer.Get(all[name].path).Body, &now); err != nil || now.Revision != 1+editors*edits {
			t.Errorf("the %s is at revision %d after %d edits (%v)", name, now.Revision, editors*edits, err)
		}
	}
	testkit.Sound(t, h.pool)
}
