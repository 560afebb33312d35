//go:build unix

package testkit

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the contract does not describe is found: whichever part of an answer it is.
func TestAnswersAreHeldAgainstTheContract(t *testing.T) {
	t.Parallel()
	const (
		alive   = `{"status": "alive"}`
		problem = `{"type": "/problems/internal", "title": "Internal error", "status": 500, "detail": "d", "instance": "/livez",
			"code": "internal", "request_id": "1", "retryable": false`
	)
	for name, c := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   string // in what is said about it; empty: it is as described
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
		"no problem":           {500, nil, alive, "no problem"},
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
