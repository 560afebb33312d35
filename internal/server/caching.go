package server

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

const cacheControl = "Cache-Control"

// caching says of each answer that a copy must not be used without asking again, and
// that only its caller may keep one that was sent for a token.
func caching(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		policy := "no-cache"
		if c.Request().Header.Get(echo.HeaderAuthorization) != "" {
			policy = "private, no-cache"
		}
		c.Response().Header().Set(cacheControl, policy)
		return next(c)
	}
}

// noStore forbids to keep any copy.
const noStore = "no-store"

// privateTags are those of the operations about users and their tokens.
var privateTags = []string{"auth", "me", "users"}

// storeNothing forbids to keep a copy of what an operation about users and tokens
// answers, be it a refusal.
func storeNothing(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if !slices.ContainsFunc(o.Tags, func(tag string) bool { return slices.Contains(privateTags, tag) }) {
			return next
		}
		return func(c echo.Context) error {
			c.Response().Header().Set(cacheControl, noStore)
			return next(c)
		}
	}
}

// varyByToken says of the answers of an operation with an optional token that they
// depend on it.
func varyByToken(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if o.token != tokenOptional {
			return next
		}
		return func(c echo.Context) error {
			c.Response().Header().Add(echo.HeaderVary, echo.HeaderAuthorization)
			return next(c)
		}
	}
}

// varyByAccept says the same of an operation whose answer has several forms.
func varyByAccept(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if ok := o.Responses.Status(200); ok == nil || len(ok.Value.Content) < 2 {
			return next
		}
		return func(c echo.Context) error {
			c.Response().Header().Add(echo.HeaderVary, echo.HeaderAccept)
			return next(c)
		}
	}
}

// patchTypes are the media types of the body of every PATCH.
const patchTypes = "application/json, application/merge-patch+json"

// acceptPatch names them in the answers to OPTIONS, and to a wrong method, of what can be
// patched (RFC 5789, section 3.1).
func acceptPatch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if methods, _ := c.Get(echo.ContextKeyHeaderAllow).(string); strings.Contains(methods, "PATCH") {
			c.Response().Header().Set("Accept-Patch", patchTypes)
		}
		return next(c)
	}
}
