//go:build unix

package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"eventbooking"
	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

func TestServiceIsAliveAndReady(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	h.Get("/livez").Want(http.StatusOK)
	var ready api.Readiness
	h.Get("/readyz").Want(http.StatusOK).Into(&ready)
	if len(ready.Checks) != 2 || ready.Status != api.CheckStatusReady {
		t.Errorf("%+v", ready)
	}
}

func TestServiceIsNotReadyWithAnOldSchema(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	if _, err := h.pool.Exec(t.Context(), "UPDATE schema_migrations SET version = 1"); err != nil {
		t.Fatal(err)
	}
	problem := testkit.NewClient(t, h.Base()).Get("/readyz").WantProblem(fault.DatabaseUnavailable)
	if !strings.Contains(problem.Detail, "migrate up") {
		t.Errorf("%q does not say what to do", problem.Detail)
	}
}

func TestContractIsServedAsYAMLAndJSON(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	if answer := h.Get("/openapi.yaml").Want(http.StatusOK); !bytes.Equal(answer.Body, eventbooking.Spec) {
		t.Error("/openapi.yaml is not openapi.yaml")
	}
	var doc struct{ Paths map[string]any }
	h.Get("/openapi.json").Want(http.StatusOK).Into(&doc)
	if len(doc.Paths) == 0 {
		t.Error("/openapi.json has no paths")
	}
}

func TestSwaggerUILoadsOnlyFromTheService(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	page := string(h.Get("/docs").Want(http.StatusOK).Body)
	if !strings.Contains(page, "/openapi.json") {
		t.Error("the page does not load /openapi.json")
	}
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 3 {
		t.Errorf("the page has %d links", len(links))
	}
	for _, link := range links {
		if !strings.HasPrefix(link[1], "/docs/") {
			t.Errorf("the page loads %s", link[1])
			continue
		}
		if answer := h.Get(link[1], testkit.OffContract).Want(http.StatusOK); len(answer.Body) == 0 {
			t.Errorf("%s is empty", link[1])
		}
	}
}

// A token in the browser's storage could be read by whatever runs on this origin later.
func TestSwaggerUIKeepsNoToken(t *testing.T) {
	t.Parallel()
	page := string(newEnv(t).Get("/docs").Want(http.StatusOK).Body)
	if !strings.Contains(page, "persistAuthorization: false") || !strings.Contains(page, `localStorage.removeItem("authorized")`) || strings.Contains(page, "setItem") {
		t.Errorf("the page keeps the token, or leaves that of an earlier version:\n%s", page)
	}
}

func TestContentSecurityPolicyAllowsOnlyThePagesOwnScriptsAndStyles(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	const header = "Content-Security-Policy"
	for _, path := range []string{"/docs", "/problems/slot_full"} {
		page := h.Get(path, testkit.Header("Accept", "text/html")).Want(http.StatusOK)
		policy := page.Header.Get(header)
		inline := regexp.MustCompile(`(?s)<(?:script|style)>(.*?)</`).FindAllSubmatch(page.Body, -1)
		if len(inline) == 0 || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %d inline parts, policy %q", path, len(inline), policy)
		}
		for _, part := range inline {
			sum := sha256.Sum256(part[1])
			if !strings.Contains(policy, base64.StdEncoding.EncodeToString(sum[:])) {
				t.Errorf("%s: the policy %q does not allow %.60s…", path, policy, part[1])
			}
		}
	}
	for _, path := range []string{"/livez", "/docs/swagger-ui.css", "/api/v1/me"} {
		if policy := h.Get(path, testkit.OffContract).Header.Get(header); policy != "default-src 'none'; frame-ancestors 'none'" {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestEveryProblemTypeIsDocumented(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for _, code := range fault.Codes() {
		var doc api.ProblemType
		h.Get("/problems/" + code.Name).Want(http.StatusOK).Into(&doc)
		if string(doc.Code) != code.Name || doc.Meaning != code.Meaning || doc.Status != code.Status {
			t.Errorf("%+v", doc)
		}
		page := h.Get("/problems/"+code.Name, testkit.Header("Accept", "text/html,*/*;q=0.8")).Want(http.StatusOK)
		if !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(string(page.Body), "<h1>") {
			t.Errorf("%s has no page", code.Name)
		}
	}
}

func TestHeadAnswersLikeGetWithoutABody(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for _, path := range []string{"/livez", "/openapi.yaml", "/docs", "/problems/slot_full"} {
		if answer := h.Send(http.MethodHead, path, nil).Want(http.StatusOK); len(answer.Body) != 0 {
			t.Errorf("HEAD %s has a body", path)
		}
	}
	h.Send(http.MethodHead, "/api/v1/me", nil).Want(http.StatusUnauthorized)
}

func TestRequestIDIsTheCallersTraceID(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	trace := testkit.Header("Traceparent", "00-"+id+"-00f067aa0ba902b7-01")
	for _, answer := range []testkit.Answer{
		h.Get("/livez", trace), h.Get("/api/v1/me", trace), h.Get("/nowhere", trace, testkit.OffContract),
	} {
		if got := answer.Header.Get("X-Request-Id"); got != id {
			t.Errorf("X-Request-Id %q, want the caller's trace id", got)
		}
	}
	if a, b := h.Get("/livez"), h.Get("/livez"); a.Header.Get("X-Request-Id") == b.Header.Get("X-Request-Id") {
		t.Error("two requests have one id")
	}
}

func TestExamplesMatchTheirSchemasAndTheCatalogue(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for name, example := range spec.Components.Examples {
		text, err := json.Marshal(example.Value.Value)
		if err != nil {
			t.Fatal(err)
		}
		var p api.Problem
		if json.Unmarshal(text, &p) != nil || p.Code == "" {
			continue
		}
		if code := fault.Lookup(string(p.Code)); code == nil || code.Status != p.Status || code.Title != p.Title || code.Retryable != p.Retryable {
			t.Errorf("the example %s differs from the catalogue's %s", name, p.Code)
		}
	}
}
