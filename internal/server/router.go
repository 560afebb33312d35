package server

import (
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
)

// routerOptions are what the way of a request needs.
type routerOptions struct {
	operations   api.StrictServerInterface
	authenticate Authenticate
	docs         http.Handler
	policy       string
	timeout      time.Duration
	origins      []string
	log          *slog.Logger
}

// newRouter lays the way that every request goes: what holds for all of them
// first, then what its operation demands, then the handler.
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

	e.Use(traced, hardened(o.policy), logged(o.log), shared(o.origins), recovered, timely(o.timeout), bounded, conditional, negotiable)

	guards := map[string][]echo.MiddlewareFunc{}
	for id, operation := range operations {
		guards[id] = []echo.MiddlewareFunc{authenticated(operation, o.authenticate), permitted(operation), validated(operation)}
	}
	handler := api.NewStrictHandler(o.operations, []api.StrictMiddlewareFunc{repeatable})
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
		w := &orMissing{ResponseWriter: c.Response()}
		files.ServeHTTP(w, c.Request())
		if w.missing {
			return echo.ErrNotFound
		}
		return nil
	}
}

// orMissing holds a 404 back.
type orMissing struct {
	http.ResponseWriter
	missing bool
}

func (w *orMissing) WriteHeader(status int) {
	if w.missing = status == http.StatusNotFound; !w.missing {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *orMissing) Write(b []byte) (int, error) {
	if w.missing {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
