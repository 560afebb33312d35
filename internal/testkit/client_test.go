//go:build unix

package testkit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
)

// Whatever the contract does not describe is found, in every part of an answer.
func TestAnswersOffTheContractAreFound(t *testing.T) {
	t.Parallel()
	const (
		alive   = `{"status": "alive"}`
		problem = `{"type": "/problems/internal", "title": "Internal error", "status": 500, "detail": "It failed.", "instance": "/livez",
			"code": "internal", "request_id": "1", "retryable": false`
	)
	full := fmt.Sprintf(`{"type": "/problems/slot_full", "title": %q, "status": 409, "detail": "It failed.", "instance": "/livez",
		"code": "slot_full", "request_id": "1", "retryable": false}`, fault.SlotFull.Title)
	for name, c := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   string // part of the error; empty: as described
	}{
		"as described":         {200, nil, alive, ""},
		"a problem":            {500, map[string]string{"Content-Type": "application/problem+json"}, problem + `}`, ""},
		"no request id":        {200, map[string]string{"X-Request-Id": ""}, alive, "X-Request-Id"},
		"another status":       {201, nil, alive, "status 201"},
		"another header":       {200, map[string]string{"X-Powered-By": "steam"}, alive, "X-Powered-By"},
		"another content type": {200, map[string]string{"Content-Type": "text/plain"}, alive, "Content-Type"},
		"another field":        {200, nil, `{"status": "alive", "mood": "good"}`, "mood"},
		"a field less":         {200, nil, `{}`, "status"},
		"another type":         {200, nil, `{"status": 1}`, "status"},
		"another member":       {500, map[string]string{"Content-Type": "application/problem+json"}, problem + `, "mood": "bad"}`, "mood"},
		"no problem":           {500, nil, alive, "not a problem"},
		"a member less":        {409, map[string]string{"Content-Type": "application/problem+json"}, full, "waitlist_open"},
		"two full stops":       {500, map[string]string{"Content-Type": "application/problem+json"}, strings.ReplaceAll(problem, "failed.", "failed..") + `}`, "no sentence"},
		"a wrong plural":       {500, map[string]string{"Content-Type": "application/problem+json"}, strings.ReplaceAll(problem, "It failed", "It has 1 seats") + `}`, "no sentence"},
		"another problem":      {500, map[string]string{"Content-Type": "application/problem+json"}, strings.ReplaceAll(problem, "internal", "slot_full") + `}`, "catalogue"},
	} {
		answer := Answer{Status: c.status, Body: []byte(c.body), Header: http.Header{"X-Request-Id": {"1"}, "Content-Type": {"application/json"}}}
		for header, value := range c.header {
			answer.Header.Set(header, value)
		}
		request := httptest.NewRequest(http.MethodGet, "/livez", nil)
		route, path := theContract().find(http.MethodGet, "/livez")
		err := checkAnswer(request, route, path, answer)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// The contract's examples of problems have the members that it promises.
func TestExamplesHaveTheirMembers(t *testing.T) {
	t.Parallel()
	for name, example := range theContract().spec.Components.Examples {
		text, err := json.Marshal(example.Value.Value)
		if err != nil {
			t.Fatal(err)
		}
		var problem api.Problem
		if json.Unmarshal(text, &problem) != nil || problem.Type == "" {
			continue
		}
		if err := checkMembers(fault.Lookup(string(problem.Code)), text); err != nil {
			t.Errorf("the example %s: %v", name, err)
		}
	}
}
