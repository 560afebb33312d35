package server

import (
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
)

// routerOptions are what the router needs.
type routerOptions struct {
	operations   api.StrictServerInterface
	authenticate Authenticate
	docs         http.Handler
	policy       string
	timeout      time.Duration
	origins      []string
	log          *slog.Logger
}

// newRouter sets up what every request passes through: first what holds for all
// of them, then what its operation demands, then the handler.
func newRouter(o routerOptions) (*echo.Echo, error) {
	operations, err := loadOperations()
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard) // what is worth saying, we log ourselves
	e.HTTPErrorHandler = renderProblem(o.log)
	// Not X-Forwarded-For, which anybody can send.
	e.IPExtractor = echo.ExtractIPDirect()

	e.Use(trace, securityHeaders(o.policy), accessLog(o.log), cors(o.origins), recoverPanics, deadline(o.timeout), limitBody, conditional, accept)

	guards := map[string][]echo.MiddlewareFunc{}
	for id, operation := range operations {
		guards[id] = []echo.MiddlewareFunc{authenticate(operation, o.authenticate), authorize(operation), validate(operation)}
	}
	handler := api.NewStrictHandler(o.operations, []api.StrictMiddlewareFunc{idempotent})
	api.RegisterHandlersWithOptions(withHead{e}, handler, api.RegisterHandlersOptions{OperationMiddlewares: guards})
	withHead{e}.GET(docsPath+"/*", assets(o.docs))
	return e, nil
}

// withHead answers HEAD wherever there is a GET; net/http leaves the body out.
type withHead struct{ *echo.Echo }

func (e withHead) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	e.HEAD(path, h, m...)
	return e.Echo.GET(path, h, m...)
}

// assets are the files of Swagger UI. Those that do not exist are our 404.
func assets(files http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		w := &notFoundHeld{ResponseWriter: c.Response()}
		files.ServeHTTP(w, c.Request())
		if w.missing {
			return echo.ErrNotFound
		}
		return nil
	}
}

// notFoundHeld holds a 404 back, to be answered as a problem.
type notFoundHeld struct {
	http.ResponseWriter
	missing bool
}

func (w *notFoundHeld) WriteHeader(status int) {
	if w.missing = status == http.StatusNotFound; !w.missing {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *notFoundHeld) Write(b []byte) (int, error) {
	if w.missing {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
