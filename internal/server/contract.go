package server

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"

	"eventbooking/gen/api"
)

// operation is one operation of the contract, with what is looked at for every
// request, read once.
type operation struct {
	*openapi3.Operation
	route   *routers.Route
	options *openapi3filter.Options

	login   login
	ability string
	roles   []string
	// query are its query parameters; the value says whether one may be given twice.
	query map[string]bool
	keyed bool
}

// login says whether an operation wants to know who is asking.
type login int

const (
	required login = iota
	optional
	public
)

// loadOperations reads the contract: its operations by their ids.
func loadOperations() (map[string]*operation, error) {
	spec, err := api.GetSpec()
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	options := &openapi3filter.Options{
		MultiError: true,
		// What was validated is what handlers get, not a second reading of the bytes.
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
		loaded.login = public
	case o.Security != nil && len((*o.Security)[0]) == 0:
		loaded.login = optional
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
			loaded.keyed = true
		}
	}
	// The validator would ask for the token itself, and read the body for it.
	validated := *o
	validated.Security = openapi3.NewSecurityRequirements()
	loaded.route = &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: &validated}
	return loaded
}

// formats are the checks of what the contract calls uuid, email and date-time,
// which its validator takes lightly.
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
		return errors.New("no UUID")
	}
	return nil
}

func checkEmail(text string) error {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || address.Name != "" {
		return errors.New("no e-mail address")
	}
	return nil
}

// checkTime accepts what Go and PostgreSQL can hold, and JSON can say again in UTC.
func checkTime(text string) error {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return errors.New("no RFC 3339 time")
	}
	return nil
}
