package server

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"eventbooking"
	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// service has the operations about the service itself: health and documentation.
type service struct {
	pool        *pgxpool.Pool
	databaseURL string
	specJSON    []byte
	// docs are Swagger UI's files, page is the one that shows them.
	docs http.Handler
	page []byte
	// stopping is set when the process begins to stop.
	stopping atomic.Bool

	// The last look at the migrations, which costs a connection: anybody may ask
	// for readiness, as often as they like.
	mu         sync.Mutex
	lookedAt   time.Time
	unmigrated error
}

const (
	docsPath = "/docs"
	// checkTimeout bounds the readiness checks: who asks wants an answer now.
	checkTimeout = time.Second
)

func newService(pool *pgxpool.Pool, databaseURL string) (*service, error) {
	specJSON, err := api.GetSpecJSON()
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	docs := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Event booking", SwaggerJSON: "/openapi.json", BasePath: docsPath,
		SettingsUI: map[string]string{"persistAuthorization": "true", "tryItOutEnabled": "true", "displayRequestDuration": "true"},
	})
	page, err := pageOf(docs, docsPath)
	if err != nil {
		return nil, fmt.Errorf("page of Swagger UI: %w", err)
	}
	return &service{pool: pool, databaseURL: databaseURL, specJSON: specJSON, docs: docs, page: page}, nil
}

// policy is that of all pages.
func (s *service) policy() string { return pagePolicy(s.page, []byte(problemTemplate)) }

// GetLiveness says that the process answers.
func (s *service) GetLiveness(context.Context, api.GetLivenessRequestObject) (api.GetLivenessResponseObject, error) {
	return api.GetLiveness200JSONResponse{Status: "alive"}, nil
}

// GetReadiness says whether the process can do its work.
func (s *service) GetReadiness(ctx context.Context, _ api.GetReadinessRequestObject) (api.GetReadinessResponseObject, error) {
	if s.stopping.Load() {
		return nil, fault.ShuttingDown.New("This process is stopping.")
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	checks := []fault.Check{check("database", s.pool.Ping(ctx))}
	if checks[0].Ready {
		checks = append(checks, check("migrations", s.migrated(ctx)))
	}
	if last := checks[len(checks)-1]; !last.Ready {
		return nil, fault.DatabaseUnavailable.Newf("Not ready: %s %s.", last.Name, last.Detail).With(fault.Members{Checks: checks})
	}
	return api.GetReadiness200JSONResponse{Status: api.CheckStatusReady, Checks: readinessChecks(checks)}, nil
}

// migrated looks at the schema, once a second at most.
func (s *service) migrated(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.lookedAt) < checkTimeout {
		return s.unmigrated
	}
	status, err := postgres.MigrationStatus(ctx, s.databaseURL)
	if err == nil && !status.Current() {
		err = fault.DatabaseUnavailable.Newf("are at version %d of %d, run eventbooking migrate up", status.Version, status.Latest)
	}
	s.lookedAt, s.unmigrated = time.Now(), err
	return err
}

// check is the result of one check. Of an unforeseen error it tells no details:
// they may name hosts and users.
func check(name string, err error) fault.Check {
	switch f := fault.Of(err); {
	case err == nil:
		return fault.Check{Name: name, Ready: true}
	case f != nil:
		return fault.Check{Name: name, Detail: f.Detail}
	}
	return fault.Check{Name: name, Detail: "cannot be reached"}
}

// readinessChecks are checks as the API shows them.
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

// GetSpecYAML is the contract as it is written.
func (s *service) GetSpecYAML(context.Context, api.GetSpecYAMLRequestObject) (api.GetSpecYAMLResponseObject, error) {
	return api.GetSpecYAML200ApplicationYAMLResponse{
		Body: bytes.NewReader(eventbooking.Spec), ContentLength: int64(len(eventbooking.Spec))}, nil
}

// GetSpecJSON is the contract for programs.
func (s *service) GetSpecJSON(context.Context, api.GetSpecJSONRequestObject) (api.GetSpecJSONResponseObject, error) {
	return specJSON(s.specJSON), nil
}

// specJSON sends the document without reading it again.
type specJSON []byte

func (doc specJSON) VisitGetSpecJSONResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(doc)
	return err
}

// GetDocs is Swagger UI's page.
func (s *service) GetDocs(context.Context, api.GetDocsRequestObject) (api.GetDocsResponseObject, error) {
	return api.GetDocs200TextHTMLResponse{Body: bytes.NewReader(s.page), ContentLength: int64(len(s.page))}, nil
}

// GetProblem explains a code: to browsers as a page.
func (s *service) GetProblem(ctx context.Context, request api.GetProblemRequestObject) (api.GetProblemResponseObject, error) {
	code := fault.Lookup(request.Code)
	if code == nil {
		return nil, fault.NotFound.New("There is no problem with this code.")
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
	return nil, fault.NotAcceptable.New("This operation answers in application/json and text/html.")
}

var problemPage = template.Must(template.New("problem").Parse(strings.TrimSpace(problemTemplate)))

const problemTemplate = `
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}} – Event booking</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}code{background:#eee;padding:.1em .3em}</style></head>
<body>
<h1>{{.Title}}</h1>
<p><code>{{.Name}}</code>, HTTP status {{.Status}}{{if .Retryable}}; the same request may succeed later{{end}}</p>
<h2>What it means</h2>
<p>{{.Meaning}}</p>
<h2>What to do</h2>
<p>{{.Remedy}}</p>
<p><a href="/docs">The API</a></p>
</body>
</html>
`
