package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

// Authenticate finds out whose token it is.
type Authenticate func(ctx context.Context, bearer string) (access.Caller, error)

// authenticate finds out who is asking, as far as the operation wants to know.
func authenticate(o *operation, authenticate Authenticate) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if o.login == public {
			return next // a token, even a bad one, does not matter here
		}
		return func(c echo.Context) error {
			r := c.Request()
			bearer, err := bearerOf(r.Header)
			switch {
			case err != nil:
				return err
			case bearer == "" && o.login == optional:
				return next(c)
			case bearer == "":
				return fault.TokenMissing.New("Log in, and send the token as Authorization: Bearer evb_….")
			}
			caller, err := authenticate(r.Context(), bearer)
			if err != nil {
				return err
			}
			c.SetRequest(r.WithContext(access.WithCaller(r.Context(), caller)))
			return next(c)
		}
	}
}

// bearerOf is the token of a request, or nothing when there is no Authorization.
func bearerOf(header http.Header) (string, error) {
	values := header.Values(echo.HeaderAuthorization)
	if len(values) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fault.TokenInvalid.New("Send one header, Authorization: Bearer, with a token after it.")
	}
	return token, nil
}

// authorize holds what the contract says about tokens (x-ability) and users
// (x-roles). Whose thing it is, the use case looks at.
func authorize(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			caller := access.CallerFrom(c.Request().Context())
			if o.ability != "" && !caller.Can(o.ability) {
				return fault.AbilityMissing.Newf("This operation needs a token with the ability %s.", o.ability)
			}
			if len(o.roles) > 0 && !slices.Contains(o.roles, string(caller.Role)) {
				return fault.NotPermitted.Newf("This operation is for users in the role %s.", strings.Join(o.roles, " or "))
			}
			return next(c)
		}
	}
}
