package server

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"eventbooking"
	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/view"
)

// service implements the operations about the service itself: health and
// documentation.
type service struct {
	readiness *readiness
	// specYAMLTag and specJSONTag are the ETags of the contract's two forms.
	specJSON                 []byte
	specYAMLTag, specJSONTag string
	// docs serves the files of Swagger UI; page is its HTML page.
	docs http.Handler
	page []byte
	// stopping is set when the process begins to stop.
	stopping atomic.Bool
}

const docsPath = "/docs"

func newService(pool *pgxpool.Pool) (*service, error) {
	specJSON, err := api.GetSpecJSON()
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	docs := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Event booking", SwaggerJSON: "/openapi.json", BasePath: docsPath,
		SettingsUI: map[string]string{
			"tryItOutEnabled": "true", "displayRequestDuration": "true",
			// A token stays in the page's memory, out of reach of what runs on this origin
			// later. Earlier versions kept it under this key.
			"persistAuthorization": "false", "onComplete": `function() { localStorage.removeItem("authorized"); }`,
		},
	})
	page, err := renderPage(docs, docsPath)
	if err != nil {
		return nil, fmt.Errorf("page of Swagger UI: %w", err)
	}
	return &service{
		readiness: &readiness{pool: pool}, docs: docs, page: page,
		specJSON: specJSON, specJSONTag: view.BytesETag(specJSON), specYAMLTag: view.BytesETag(eventbooking.Spec),
	}, nil
}

// policy returns the content security policy of all pages.
func (s *service) policy() string { return pagePolicy(s.page, []byte(problemTemplate)) }

// GetLiveness answers while the process runs.
func (s *service) GetLiveness(context.Context, api.GetLivenessRequestObject) (api.GetLivenessResponseObject, error) {
	return api.GetLiveness200JSONResponse{Status: "alive"}, nil
}

// GetReadiness checks the database and its schema, unless the process is stopping.
func (s *service) GetReadiness(ctx context.Context, _ api.GetReadinessRequestObject) (api.GetReadinessResponseObject, error) {
	if s.stopping.Load() {
		return nil, fault.ShuttingDown.New("This process is shutting down.")
	}
	checks, err := s.readiness.ask(ctx)
	if err != nil {
		return nil, err
	}
	if last := checks[len(checks)-1]; !last.Ready {
		return nil, fault.DatabaseUnavailable.New(last.Detail).With(fault.Members{Checks: checks})
	}
	return api.GetReadiness200JSONResponse{Status: api.CheckStatusReady, Checks: readinessChecks(checks)}, nil
}

// check returns the result of a check with a sentence about its error. Of an
// unforeseen error it tells no details, which may name hosts and users.
func check(name string, err error) fault.Check {
	switch f := fault.Of(err); {
	case err == nil:
		return fault.Check{Name: name, Ready: true}
	case f != nil:
		return fault.Check{Name: name, Detail: f.Detail}
	}
	return fault.Check{Name: name, Detail: "The database cannot be reached."}
}

// readinessChecks converts checks to the API's type.
func readinessChecks(checks []fault.Check) []api.ReadinessCheck {
	list := make([]api.ReadinessCheck, len(checks))
	for i, c := range checks {
		list[i] = api.ReadinessCheck{Name: c.Name, Status: api.CheckStatusUnavailable, Detail: c.Detail}
		if c.Ready {
			list[i].Status = api.CheckStatusReady
		}
	}
	return list
}

// GetSpecYAML returns openapi.yaml, byte for byte.
func (s *service) GetSpecYAML(context.Context, api.GetSpecYAMLRequestObject) (api.GetSpecYAMLResponseObject, error) {
	return api.GetSpecYAML200ApplicationYAMLResponse{
		Body: bytes.NewReader(eventbooking.Spec), ContentLength: int64(len(eventbooking.Spec)),
		Headers: api.GetSpecYAML200ResponseHeaders{ETag: s.specYAMLTag}}, nil
}

// GetSpecJSON returns the contract as JSON.
func (s *service) GetSpecJSON(context.Context, api.GetSpecJSONRequestObject) (api.GetSpecJSONResponseObject, error) {
	return specJSON{s.specJSON, s.specJSONTag}, nil
}

// specJSON is an encoded document, sent without decoding it.
type specJSON struct {
	body []byte
	tag  string
}

func (doc specJSON) VisitGetSpecJSONResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", doc.tag)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(doc.body)
	return err
}

// GetDocs returns the page of Swagger UI.
func (s *service) GetDocs(context.Context, api.GetDocsRequestObject) (api.GetDocsResponseObject, error) {
	return api.GetDocs200TextHTMLResponse{Body: bytes.NewReader(s.page), ContentLength: int64(len(s.page))}, nil
}

// GetProblem explains a problem code, as JSON or as a page. An unknown code is
// fault.NotFound; fault.NotAcceptable if Accept excludes both forms.
func (s *service) GetProblem(ctx context.Context, request api.GetProblemRequestObject) (api.GetProblemResponseObject, error) {
	code := fault.Lookup(request.Code)
	if code == nil {
		return nil, fault.NotFound.New("This problem code does not exist.")
	}
	switch form := preferred(acceptFrom(ctx), "application/json", "text/html"); form {
	case "text/html":
		var body bytes.Buffer
		if err := problemPage.Execute(&body, code); err != nil {
			return nil, fmt.Errorf("page of %s: %w", code.Name, err)
		}
		return api.GetProblem200TextHTMLResponse{Body: io.Reader(&body), ContentLength: int64(body.Len())}, nil
	case "application/json":
		return api.GetProblem200JSONResponse{
			Code: api.ProblemCode(code.Name), Status: code.Status, Title: code.Title,
			Meaning: code.Meaning, Remedy: code.Remedy, Retryable: code.Retryable,
		}, nil
	}
	return nil, fault.NotAcceptable.New("This operation returns application/json or text/html.")
}

var problemPage = template.Must(template.New("problem").Parse(strings.TrimSpace(problemTemplate)))

const problemTemplate = `
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}} – Event booking</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}code{background:#eee;padding:.1em .3em}</style></head>
<body>
<h1>{{.Title}}</h1>
<p><code>{{.Name}}</code>, HTTP status {{.Status}}{{if .Retryable}}; the same request may succeed within seconds{{end}}</p>
<h2>What it means</h2>
<p>{{.Meaning}}</p>
<h2>What to do</h2>
<p>{{.Remedy}}</p>
<p><a href="/docs">The API</a></p>
</body>
</html>
`
