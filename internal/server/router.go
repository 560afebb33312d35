package server

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
	"eventbooking/internal/limit"
)

// routerOptions are the router's dependencies and settings.
type routerOptions struct {
	operations   api.StrictServerInterface
	authenticate Authenticate
	docs         http.Handler
	policy       string
	timeout      time.Duration
	origins      []string
	proxies      Proxies
	rates        RateLimits
	loginDelays  bool
	keys         int // the quota of idempotency keys
	concurrency  Concurrency
	log          *slog.Logger
}

// newRouter sets up the middleware of all requests, then that of each operation, then
// the handlers.
func newRouter(o routerOptions) (*echo.Echo, error) {
	operations, err := loadOperations()
	if err != nil {
		return nil, err
	}
	e := newEcho(o)
	allowed := allowances{o.rates, limit.NewMemory(maxAllowances)}
	work := newInWork(o.concurrency, allowed)
	guards := map[string][]echo.MiddlewareFunc{}
	for id, operation := range operations {
		guards[id] = []echo.MiddlewareFunc{storeNothing(operation), varyByToken(operation), varyByAccept(operation), awaitBody(operation),
			work.admitToken(operation), allowed.limitUnauthorized(operation), authenticate(operation, o.authenticate),
			work.admitUser(operation), allowed.limitRate(operation), authorize(operation), validate(operation)}
		if o.loginDelays && operation.hasPassword {
			guards[id] = append(guards[id], countByAddress)
		}
	}
	handler := api.NewStrictHandler(o.operations, []api.StrictMiddlewareFunc{idempotent(operations, o.keys)})
	api.RegisterHandlersWithOptions(withHead{e}, handler, api.RegisterHandlersOptions{OperationMiddlewares: guards})
	withHead{e}.GET(docsPath+"/*", assets(o.docs))
	// The first address that people open.
	withHead{e}.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusFound, docsPath) })
	return e, nil
}

// newEcho sets up the middleware of all requests.
func newEcho(o routerOptions) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard) // accessLog and logFailure log what matters
	e.HTTPErrorHandler = renderProblem(o.log)
	e.IPExtractor = o.proxies.clientAddress

	e.Use(trace, outlive, secure(o.policy), accessLog(o.log), caching, acceptPatch, cors(o.origins), recoverPanics,
		deadline(o.timeout), limitBody, uncompressed, joinTags, conditional, accept)
	return e
}

// withHead adds a HEAD route for each GET route; net/http omits the body.
type withHead struct{ *echo.Echo }

func (e withHead) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	e.HEAD(path, h, m...)
	return e.Echo.GET(path, h, m...)
}

// assets serves the files of Swagger UI. For missing files it returns
// echo.ErrNotFound, which is rendered as a problem.
func assets(files http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		w := &assetWriter{ResponseWriter: c.Response()}
		files.ServeHTTP(w, c.Request())
		if w.status == http.StatusNotFound {
			return echo.ErrNotFound
		}
		if w.status == 0 { // the answer to HEAD
			w.WriteHeader(http.StatusOK)
		}
		return nil
	}
}

// assetWriter discards a 404, so that it can be answered as a problem, and puts the
// ETag into the quotes that the files' handler leaves out.
type assetWriter struct {
	http.ResponseWriter
	status int
}

func (w *assetWriter) WriteHeader(status int) {
	if w.status = status; status == http.StatusNotFound {
		return
	}
	if tag := w.Header().Get("ETag"); tag != "" && !strings.HasSuffix(tag, `"`) {
		w.Header().Set("ETag", `"`+tag+`"`)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *assetWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.status == http.StatusNotFound {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
