package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"eventbooking/internal/fault"
	"eventbooking/internal/page"
)

// maxFields bounds the errors that one problem lists.
const maxFields = 50

// validate refuses requests that do not match the contract.
func validate(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			path, err := pathParameters(c)
			if err != nil {
				return err
			}
			// Links repeat the query as it was sent, without the defaults that the
			// validator adds.
			original := *c.Request().URL
			r := c.Request().WithContext(page.WithURL(c.Request().Context(), &original))
			c.SetRequest(r)
			if err := o.checkKey(r.Header); err != nil {
				return err
			}
			input := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: o.route, Options: o.options}
			if err := o.checkParameters(input); err != nil {
				return err
			}
			if err := o.checkBody(input); err != nil {
				o.nameAccepted(err, c.Response().Header())
				return err
			}
			return next(c)
		}
	}
}

// pathParameters returns the path parameters that the router found.
func pathParameters(c echo.Context) (map[string]string, error) {
	parameters := map[string]string{}
	for i, name := range c.ParamNames() {
		value := c.ParamValues()[i]
		if c.Request().URL.RawPath != "" { // the router matched the escaped path
			unescaped, err := url.PathUnescape(value)
			if err != nil {
				return nil, echo.ErrNotFound
			}
			value = unescaped
		}
		// The router puts the whole rest of the path into the last parameter.
		if strings.Contains(value, "/") {
			return nil, echo.ErrNotFound
		}
		parameters[name] = value
	}
	return parameters, nil
}

// checkParameters checks path, query and headers, and brings the query into its
// canonical form.
func (o *operation) checkParameters(input *openapi3filter.RequestValidationInput) error {
	query, wrong, err := o.canonicalQuery(input.Request.URL)
	if err != nil {
		return err
	}
	input.Request.URL.RawQuery = query
	if err := openapi3filter.ValidateRequest(input.Request.Context(), input); err != nil || len(wrong) > 0 {
		return errInvalidParameters(err, wrong)
	}
	return nil
}

// checkBody checks the body: its media type, whether it is well-formed JSON, and
// whether it matches its schema once its texts are clean.
func (o *operation) checkBody(input *openapi3filter.RequestValidationInput) error {
	if o.RequestBody == nil {
		return nil
	}
	accepted := o.RequestBody.Value
	body, err := o.readBody(input.Request)
	if err != nil || len(body) == 0 {
		return err
	}
	schema := accepted.Content[input.Request.Header.Get(echo.HeaderContentType)].Schema.Value
	body, wrong, err := scanBody(body, schema, o.body+maxFields)
	if err != nil {
		return err
	}
	input.Request.Body, input.Request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if err := openapi3filter.ValidateRequestBody(input.Request.Context(), input, accepted); err != nil || len(wrong) > 0 {
		return errInvalidBody(err, wrong)
	}
	return nil
}

// readBody returns the body that was received. It checks and sets the media type.
func (o *operation) readBody(r *http.Request) ([]byte, error) {
	accepted := o.RequestBody.Value
	body := receivedBody(r)
	if len(body) == 0 {
		if accepted.Required {
			return nil, fault.MalformedBody.New("The body is empty.")
		}
		return nil, nil
	}
	if r.Header.Get(echo.HeaderContentEncoding) != "" {
		return nil, fault.UnsupportedMediaType.New("Send the body without a Content-Encoding.")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || accepted.Content[media] == nil {
		return nil, fault.UnsupportedMediaType.Newf("Send %s as the body's Content-Type.", strings.Join(mediaTypes(accepted.Content), " or "))
	}
	// The generated code compares the media type without parameters.
	r.Header.Set(echo.HeaderContentType, media)
	return body, nil
}

// nameAccepted names what the operation accepts in the headers of the answer to a body
// that has another media type or is encoded (RFC 9110, section 15.5.16).
func (o *operation) nameAccepted(err error, header http.Header) {
	if !errors.Is(err, fault.UnsupportedMediaType) {
		return
	}
	types := strings.Join(mediaTypes(o.RequestBody.Value.Content), ", ")
	header.Set(echo.HeaderAccept, types)
	header.Set(echo.HeaderAcceptEncoding, "identity")
	if o.route.Method == http.MethodPatch {
		header.Set("Accept-Patch", types)
	}
}

func mediaTypes(content openapi3.Content) []string {
	names := make([]string, 0, len(content))
	for name := range content {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// errInvalidParameters names the parameters that were refused, and those that the
// validator finds besides.
func errInvalidParameters(err error, refused []fault.Field) error {
	var found []fault.Field
	for _, e := range flatten(err) {
		request := new(openapi3filter.RequestError)
		if !errors.As(e, &request) || request.Parameter == nil {
			return fmt.Errorf("validate the parameters: %w", e)
		}
		for _, field := range describeAll(request.Err) {
			field.Pointer, field.Parameter = "", request.Parameter.Name
			found = append(found, field)
		}
	}
	f := fault.InvalidParameters.New("A parameter has a value that this operation does not accept; see errors.")
	f.Fields = withFound(refused, found)
	return f
}

// errInvalidBody names the values that were refused, and those that the validator finds
// besides.
func errInvalidBody(err error, refused []fault.Field) error {
	var found []fault.Field
	if request := new(openapi3filter.RequestError); errors.As(err, &request) {
		found = describeAll(request.Err)
	} else if err != nil {
		return fmt.Errorf("validate the body: %w", err)
	}
	return fault.Invalid(withFound(refused, found)...)
}

// withFound adds the validator's findings to what was refused before it, but not those
// about the same values: it did not see these.
func withFound(refused, found []fault.Field) []fault.Field {
	all := slices.Clone(refused)
	for _, f := range found {
		if !slices.ContainsFunc(refused, func(r fault.Field) bool { return r.Pointer == f.Pointer && r.Parameter == f.Parameter }) {
			all = append(all, f)
		}
	}
	return all[:min(len(all), maxFields)]
}

// describeAll translates the errors of the validator about one value: only the first,
// because to describe an error costs much more than to find it.
func describeAll(err error) []fault.Field {
	causes := flatten(err)
	fields := make([]fault.Field, min(len(causes), maxFields))
	for i := range fields {
		fields[i] = describe(causes[i])
	}
	return fields
}

// flatten lists the errors in nested lists of errors, none for nil.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	list, ok := err.(openapi3.MultiError) //nolint:errorlint // the validator nests lists, it does not wrap them
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range list {
		all = append(all, flatten(e)...)
	}
	return all
}

// describe translates one error of the validator.
func describe(err error) fault.Field {
	schema := new(openapi3.SchemaError)
	switch {
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return fault.Field{Code: "required", Detail: "is required"}
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return fault.Field{Code: "empty", Detail: "must not be empty"}
	case !errors.As(err, &schema):
		return fault.Field{Code: "type", Detail: "is malformed"}
	}
	var path []string
	for _, part := range schema.JSONPointer() {
		path = append(path, escape(part))
	}
	field := fault.Field{Code: schema.SchemaField, Detail: rule(schema)}
	if schema.SchemaField == "properties" {
		quoted := strings.TrimSuffix(strings.TrimPrefix(schema.Reason, "property "), " is unsupported")
		if name, err := strconv.Unquote(quoted); err == nil {
			path = append(path, escape(name))
		}
		field.Code = "unknown_field"
	}
	if len(path) > 0 {
		field.Pointer = "/" + strings.Join(path, "/")
	}
	return field
}

// rule returns the rule of the schema that a value violates, as a predicate.
func rule(e *openapi3.SchemaError) string {
	s := e.Schema
	switch e.SchemaField {
	case "type":
		return "must be " + wordFor(strings.Join(s.Type.Slice(), " or "))
	case "nullable":
		return "must not be null"
	case "enum":
		return "must be one of " + join(s.Enum)
	case "format":
		return "must be " + wordFor(s.Format)
	case "required":
		return "is required"
	case "properties":
		return "is not a field of this object"
	case "uniqueItems":
		return "must not contain duplicate items"
	case "minLength":
		return "must have at least " + fault.Count(int(s.MinLength), "character")
	case "maxLength":
		return maxLength(s)
	case "minItems":
		return "must have at least " + fault.Count(int(s.MinItems), "item")
	case "maxItems":
		return maxItems(int(*s.MaxItems))
	case "minProperties":
		return "must have at least " + fault.Count(int(s.MinProps), "field")
	case "minimum":
		return "must be at least " + number(*s.Min)
	case "maximum":
		return "must be at most " + number(*s.Max)
	}
	return "is not accepted by this operation"
}

// wordFor returns a type or a format with its article.
func wordFor(name string) string {
	words := map[string]string{
		"uuid": "a UUID", "email": "an e-mail address", "date-time": "a time such as 2026-12-01T18:00:00Z (RFC 3339)",
		"object": "an object", "array": "an array", "boolean": "true or false", "integer": "an integer", "int": "an integer", "int64": "a 64-bit integer", "int32": "a 32-bit integer",
	}
	if word, ok := words[name]; ok {
		return word
	}
	return "a " + name
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func join(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}
