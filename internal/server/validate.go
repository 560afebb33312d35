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
	"unicode/utf8"

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
			r := c.Request()
			path, err := pathParameters(c)
			if err != nil {
				return err
			}
			if err := o.checkQuery(r.URL); err != nil {
				return err
			}
			if err := o.checkKey(r.Header); err != nil {
				return err
			}
			if err := o.checkBody(r); err != nil {
				o.nameAccepted(err, c.Response().Header())
				return err
			}
			// The validator adds defaults to the query; links must not repeat these.
			original := *r.URL
			r = r.WithContext(page.WithURL(r.Context(), &original))
			c.SetRequest(r)
			if err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
				Request: r, PathParams: path, Route: o.route, Options: o.options,
			}); err != nil {
				return errInvalidRequest(err)
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

// checkQuery refuses what the validator accepts: unknown and repeated parameters, and
// text that PostgreSQL cannot store.
func (o *operation) checkQuery(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fault.InvalidParameters.New("The query is malformed: separate parameters by &, and percent-encode names and values.")
	}
	var wrong []fault.Field
	for name, values := range query {
		repeats, known := o.query[name]
		switch text := strings.Join(values, ""); {
		case !known:
			wrong = append(wrong, fault.Field{Parameter: name, Code: "unknown_parameter", Detail: "is not a parameter of this operation"})
		case len(values) > 1 && !repeats:
			wrong = append(wrong, fault.Field{Parameter: name, Code: "repeated", Detail: "must be given once"})
		case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
			wrong = append(wrong, fault.Field{Parameter: name, Code: "encoding", Detail: "must be UTF-8 without the character U+0000"})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Parameter, b.Parameter) })
	return errInvalidParameters(wrong)
}

// checkBody checks the body's media type and that it is well-formed JSON. It reads
// the body and puts it back for the validator.
func (o *operation) checkBody(r *http.Request) error {
	if o.RequestBody == nil {
		return nil
	}
	accepted := o.RequestBody.Value
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return errUnreadableBody(err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if len(body) == 0 {
		if accepted.Required {
			return fault.MalformedBody.New("The body is empty.")
		}
		return nil
	}
	if r.Header.Get(echo.HeaderContentEncoding) != "" {
		return fault.UnsupportedMediaType.New("Send the body without a Content-Encoding.")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || accepted.Content[media] == nil {
		return fault.UnsupportedMediaType.Newf("Send %s as the body's Content-Type.", strings.Join(mediaTypes(accepted.Content), " or "))
	}
	// The generated code compares the media type without parameters.
	r.Header.Set(echo.HeaderContentType, media)
	nulls, err := checkJSON(body)
	if err != nil {
		return err
	}
	return refuseNulls(accepted.Content[media].Schema, nulls)
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

// refuseNulls refuses null where a property has a default and is not nullable. The
// validator would replace it by the default.
func refuseNulls(schema *openapi3.SchemaRef, nulls []string) error {
	var wrong []fault.Field
	for _, pointer := range nulls {
		if s := schemaAt(schema, pointer); s != nil && s.Value.Default != nil && !s.Value.Nullable && len(wrong) < maxFields {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: "nullable", Detail: "must not be null"})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.Invalid(wrong...)
}

// schemaAt returns the schema of a JSON pointer into a body, or nil.
func schemaAt(s *openapi3.SchemaRef, pointer string) *openapi3.SchemaRef {
	for _, name := range strings.Split(pointer, "/")[1:] {
		switch {
		case s == nil:
			return nil
		case s.Value.Items != nil:
			s = s.Value.Items
		default:
			s = s.Value.Properties[name]
		}
	}
	return s
}

func mediaTypes(content openapi3.Content) []string {
	names := make([]string, 0, len(content))
	for name := range content {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// errUnreadableBody returns why a body could not be read: it is too large, or the
// caller stopped sending it.
func errUnreadableBody(err error) error {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return errBodyTooLarge()
	}
	return fault.MalformedBody.New("The body could not be read completely.")
}

// errInvalidRequest translates the validator's errors. Invalid parameters come first:
// they are 400, an invalid body is 422.
func errInvalidRequest(err error) error {
	var parameters, body []fault.Field
	for _, found := range flatten(err) {
		request := new(openapi3filter.RequestError)
		if !errors.As(found, &request) {
			return fmt.Errorf("validate the request: %w", found)
		}
		for _, cause := range flatten(request.Err) {
			if field := describe(cause); request.Parameter != nil {
				field.Pointer, field.Parameter = "", request.Parameter.Name
				parameters = append(parameters, field)
			} else {
				body = append(body, field)
			}
		}
	}
	if len(parameters) > 0 {
		return errInvalidParameters(parameters)
	}
	return fault.Invalid(body[:min(len(body), maxFields)]...)
}

func errInvalidParameters(fields []fault.Field) error {
	f := fault.InvalidParameters.New("A parameter has a value that this operation does not accept; see errors.")
	f.Fields = fields[:min(len(fields), maxFields)]
	return f
}

// flatten lists the errors in nested lists of errors.
func flatten(err error) []error {
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
		var name string
		if _, err := fmt.Sscanf(schema.Reason, "property %q", &name); err == nil {
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
		return "must have at most " + fault.Count(int(*s.MaxLength), "character")
	case "minItems":
		return "must have at least " + fault.Count(int(s.MinItems), "item")
	case "maxItems":
		return "must have at most " + fault.Count(int(*s.MaxItems), "item")
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
		"object": "an object", "array": "an array", "integer": "an integer", "int": "an integer", "int64": "a 64-bit integer", "int32": "a 32-bit integer",
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
