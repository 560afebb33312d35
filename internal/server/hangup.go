package server

import (
	"context"

	"github.com/labstack/echo/v4"
)

// statusHungUp is logged, and never sent, when the client closed the connection before
// its answer was sent. Other servers log the same number.
const statusHungUp = 499

type clientKey struct{}

// outlive lets a request run to its end when its client has closed the connection:
// net/http then ends the request's context, but a client that has only closed its
// sending side still waits for the answer, and TCP does not tell the two apart. What
// the request may cost is bounded by its deadline.
func outlive(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		ctx := context.WithValue(context.WithoutCancel(r.Context()), clientKey{}, r.Context())
		c.SetRequest(r.WithContext(ctx))
		return next(c)
	}
}

// hasHungUp says whether the client has closed the connection, or its sending side, or
// does not take its answer.
func hasHungUp(ctx context.Context) bool {
	client, ok := ctx.Value(clientKey{}).(context.Context)
	return ok && client.Err() != nil
}
