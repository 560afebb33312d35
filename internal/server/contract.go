package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/limit"
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
	// query has the schemas of its query parameters; values is how many values the
	// query has at most, and body how many the body has.
	query        map[string]*openapi3.Schema
	values, body int
	acceptsKey   bool
	hasQuota     bool
	// hasPassword says that the body has a password, new or to be checked.
	hasPassword bool
	// limit is the class of its requests, unless they have a parameter that costs more.
	limit            limit.Class
	costlyParameters map[string]limit.Class
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
		// checkBody validates it, after the parameters.
		ExcludeRequestBody: true,
		// Do not decode the body a second time.
		KeepValidatedValue:      true,
		SchemaValidationOptions: formats(),
	}
	operations := map[string]*operation{}
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			loaded, err := newOperation(spec, path, item, method, o, options)
			if err != nil {
				return nil, fmt.Errorf("openapi.yaml, %s: %w", o.OperationID, err)
			}
			operations[o.OperationID] = loaded
		}
	}
	return operations, nil
}

func newOperation(spec *openapi3.T, path string, item *openapi3.PathItem, method string, o *openapi3.Operation,
	options *openapi3filter.Options) (*operation, error) {
	loaded := &operation{Operation: o, options: options, query: map[string]*openapi3.Schema{}, costlyParameters: map[string]limit.Class{}}
	problems, _ := o.Extensions["x-problems"].([]any)
	loaded.hasQuota = slices.Contains(problems, any(fault.QuotaExceeded.Name))
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
	loaded.limit = classReads
	if method != http.MethodGet {
		loaded.limit = classWrites
	}
	if class, set := o.Extensions["x-limit"].(string); set {
		loaded.limit = limit.Class(class)
	}
	if err := loaded.measure(); err != nil {
		return nil, err
	}
	// Without security requirements, the validator leaves authentication to us.
	validated := *o
	validated.Security = openapi3.NewSecurityRequirements()
	loaded.route = &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: &validated}
	return loaded, nil
}

// measure notes which parameters the operation has, and how much a request may have.
func (o *operation) measure() error {
	for _, parameter := range o.Parameters {
		switch p := parameter.Value; {
		case p.In == openapi3.ParameterInQuery:
			values, err := valuesOf(p.Schema.Value)
			if err != nil {
				return fmt.Errorf("parameter %s: %w", p.Name, err)
			}
			o.query[p.Name], o.values = p.Schema.Value, o.values+values
			if class, set := p.Extensions["x-limit"].(string); set {
				o.costlyParameters[p.Name] = limit.Class(class)
			}
		case p.Name == idempotencyKey:
			o.acceptsKey = true
		}
	}
	if o.RequestBody == nil {
		return nil
	}
	for _, content := range o.RequestBody.Value.Content {
		values, err := valuesOf(content.Schema.Value)
		if err != nil {
			return fmt.Errorf("body: %w", err)
		}
		o.body = max(o.body, values)
		for _, property := range content.Schema.Value.Properties {
			o.hasPassword = o.hasPassword || property.Value.Format == "password"
		}
	}
	return nil
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

func checkTime(text string) error {
	_, err := parseTime(text)
	return err
}
