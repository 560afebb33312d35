package server

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
)

const (
	idempotencyKey    = "Idempotency-Key"
	maxIdempotencyKey = 255
)

// checkKey refuses a malformed Idempotency-Key, if the operation accepts one.
func (o *operation) checkKey(header http.Header) error {
	values := header.Values(idempotencyKey)
	if !o.acceptsKey || len(values) == 0 {
		return nil
	}
	fits := len(values) == 1 && values[0] != "" && len(values[0]) <= maxIdempotencyKey
	for _, c := range []byte(values[0]) {
		fits = fits && c > ' ' && c < 0x7f
	}
	if !fits {
		return fault.IdempotencyKeyInvalid.Newf("Send one Idempotency-Key with 1 to %d visible ASCII characters.", maxIdempotencyKey)
	}
	return nil
}

// idempotent puts the request's idempotency key into the context, with the quota of keys
// for the operations that the contract says it may refuse: never what gives back.
func idempotent(operations map[string]*operation, quota int) api.StrictMiddlewareFunc {
	quotas := map[string]int{}
	for id, o := range operations {
		if o.hasQuota {
			quotas[strings.ToUpper(id[:1])+id[1:]] = quota // as the generated code names it
		}
	}
	return func(next api.StrictHandlerFunc, name string) api.StrictHandlerFunc {
		return func(c echo.Context, request any) (any, error) {
			key, err := keyOf(c, request)
			if err != nil {
				return nil, err
			}
			if key != nil {
				key.Quota = quotas[name]
				r := c.Request()
				c.SetRequest(r.WithContext(idempotency.With(r.Context(), key)))
			}
			return next(c, request)
		}
	}
}

// keyOf returns the idempotency key of a decoded request, or nil. It uses reflection,
// because the generated request types have the same fields, but no common type.
func keyOf(c echo.Context, request any) (*idempotency.Key, error) {
	r := c.Request()
	caller := access.CallerFrom(r.Context())
	params := reflect.ValueOf(request).FieldByName("Params")
	if !caller.IsKnown() || !params.IsValid() {
		return nil, nil
	}
	header := params.FieldByName("IdempotencyKey")
	if !header.IsValid() || header.IsNil() {
		return nil, nil
	}
	var body any
	if field := reflect.ValueOf(request).FieldByName("Body"); field.IsValid() {
		body = field.Interface()
	}
	// An id may be written in upper case and is the same; all else in a path is lower.
	fingerprint, err := idempotency.Fingerprint(r.Method, strings.ToLower(r.URL.EscapedPath()), body)
	if err != nil {
		return nil, err
	}
	return &idempotency.Key{UserID: caller.UserID, Value: header.Elem().String(), Fingerprint: fingerprint}, nil
}
