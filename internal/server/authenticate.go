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

// Authenticate returns the caller with a bearer token, or a fault such as
// fault.TokenInvalid.
type Authenticate func(ctx context.Context, bearer string) (access.Caller, error)

// authenticate puts the caller into the context, as the operation's tokenRule says.
func authenticate(o *operation, authenticate Authenticate) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if o.token == tokenIgnored {
			return next // even an invalid token is ignored
		}
		return func(c echo.Context) error {
			r := c.Request()
			bearer, err := bearerOf(r.Header)
			switch {
			case err != nil:
				return err
			case bearer == "" && o.token == tokenOptional:
				return next(c)
			case bearer == "":
				return fault.TokenMissing.New(`Send a token in the Authorization header, as "Bearer evb_…".`)
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

// bearerOf returns the bearer token of a request, or "" without an Authorization
// header.
func bearerOf(header http.Header) (string, error) {
	values := header.Values(echo.HeaderAuthorization)
	if len(values) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fault.TokenInvalid.New(`Send one Authorization header, as "Bearer evb_…".`)
	}
	return token, nil
}

// authorize checks the token's abilities (x-ability) and the user's role (x-roles)
// as the contract says. Use cases check whose event or booking it is.
func authorize(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			caller := access.CallerFrom(c.Request().Context())
			if o.ability != "" && !caller.Can(o.ability) {
				return fault.AbilityMissing.Newf("The token lacks the ability %s.", o.ability)
			}
			if len(o.roles) > 0 && !slices.Contains(o.roles, string(caller.Role)) {
				return fault.NotPermitted.Newf("This operation requires the role %s.", strings.Join(o.roles, " or "))
			}
			return next(c)
		}
	}
}
