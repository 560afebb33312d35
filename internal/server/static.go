package server

import (
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"
)

// Static returns a server that answers GET with fixed JSON by path, behind the
// middleware of all requests, and /readyz. It is the ceiling for reads in benchmarks:
// what the service could do if an answer cost nothing.
func Static(answers map[string][]byte, log *slog.Logger) (*http.Server, error) {
	e := newEcho(routerOptions{timeout: requestTimeout, log: log})
	for path, body := range answers {
		e.GET(path, func(c echo.Context) error { return c.JSONBlob(http.StatusOK, body) })
	}
	e.GET("/readyz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	handler, err := compress(e)
	if err != nil {
		return nil, err
	}
	return newHTTPServer(handler, log), nil
}
