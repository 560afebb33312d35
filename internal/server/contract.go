package server

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"

	"eventbooking/gen/api"
)

// operation is an operation of the contract, with what the middleware needs for
// every request.
type operation struct {
	*openapi3.Operation
	route   *routers.Route
	options *openapi3filter.Options

	token   tokenRule
	ability string
	roles   []string
	// query has the names of its query parameters, and whether they may be repeated.
	query      map[string]bool
	acceptsKey bool
}

// tokenRule says whether an operation requires a bearer token.
type tokenRule int

const (
	tokenRequired tokenRule = iota
	tokenOptional
	tokenIgnored
)

// loadOperations returns the operations of the contract by their ids. They are read
// once, because that takes 0.1 s and tests have many routers.
var loadOperations = sync.OnceValues(readOperations)

func readOperations() (map[string]*operation, error) {
	spec, err := api.GetSpec()
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	options := &openapi3filter.Options{
		MultiError: true,
		// Do not decode the body a second time.
		KeepValidatedValue:      true,
		SchemaValidationOptions: formats(),
	}
	operations := map[string]*operation{}
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			operations[o.OperationID] = newOperation(spec, path, item, method, o, options)
		}
	}
	return operations, nil
}

func newOperation(spec *openapi3.T, path string, item *openapi3.PathItem, method string, o *openapi3.Operation,
	options *openapi3filter.Options) *operation {
	loaded := &operation{Operation: o, options: options, query: map[string]bool{}}
	switch {
	case o.Security != nil && len(*o.Security) == 0:
		loaded.token = tokenIgnored
	case o.Security != nil && len((*o.Security)[0]) == 0:
		loaded.token = tokenOptional
	}
	loaded.ability, _ = o.Extensions["x-ability"].(string)
	roles, _ := o.Extensions["x-roles"].([]any)
	for _, role := range roles {
		loaded.roles = append(loaded.roles, fmt.Sprint(role))
	}
	for _, parameter := range o.Parameters {
		switch p := parameter.Value; {
		case p.In == openapi3.ParameterInQuery:
			loaded.query[p.Name] = p.Schema.Value.Type.Is(openapi3.TypeArray) && (p.Explode == nil || *p.Explode)
		case p.Name == idempotencyKey:
			loaded.acceptsKey = true
		}
	}
	// Without security requirements, the validator leaves authentication to us.
	validated := *o
	validated.Security = openapi3.NewSecurityRequirements()
	loaded.route = &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: &validated}
	return loaded
}

// formats returns checks of the formats uuid, email and date-time that are stricter
// than the validator's own.
func formats() []openapi3.SchemaValidationOption {
	return []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
		"uuid":      openapi3.NewCallbackValidator(checkUUID),
		"email":     openapi3.NewCallbackValidator(checkEmail),
		"date-time": openapi3.NewCallbackValidator(checkTime),
	})}
}

func checkUUID(text string) error {
	// uuid.Parse reads other spellings too, such as {…} and urn:uuid:….
	if id, err := uuid.Parse(text); err != nil || !strings.EqualFold(id.String(), text) {
		return errors.New("not a UUID")
	}
	return nil
}

func checkEmail(text string) error {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || address.Name != "" {
		return errors.New("not an e-mail address")
	}
	return nil
}

// checkTime accepts RFC 3339 times that in UTC are in the years 1 to 9999, which Go,
// PostgreSQL and JSON can represent.
func checkTime(text string) error {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return errors.New("not an RFC 3339 time")
	}
	return nil
}
