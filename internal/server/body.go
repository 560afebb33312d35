package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"eventbooking/internal/fault"
)

// maxDepth bounds the nesting of a body. Bodies of the contract are almost flat.
const maxDepth = 32

// maxName bounds the name of a member, in bytes. Errors repeat names, also unknown ones.
const maxName = 100

// scanBody reads a body once, before the validator does. It checks it more strictly
// than its decoder does: exactly one value, in UTF-8, without duplicate members (of
// which parsers would choose differently), without U+0000, which PostgreSQL cannot
// store, and without lone surrogates, which the decoder would replace by U+FFFD without
// a word. It stops where the body has more than its schema and values allow (see
// valuesOf), so that whatever comes after it costs little.
//
// It returns the body with its strings as cleanText has them, so that lengths are
// counted in what is stored, and what is wrong with them, which the validator's findings
// join. Strings that are refused are empty in it.
func scanBody(body []byte, schema *openapi3.Schema, values int) (cleaned []byte, wrong []fault.Field, err error) {
	if !utf8.Valid(body) {
		return nil, nil, fault.MalformedBody.New("The body is not valid UTF-8.")
	}
	s := scan{decoder: json.NewDecoder(bytes.NewReader(body)), values: values, body: body}
	s.decoder.UseNumber()
	if err := s.value("", 0, schema); err != nil {
		return nil, nil, errMalformedBody(err)
	}
	if _, err := s.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, fault.MalformedBody.New("Unexpected data after the JSON value.")
	}
	return append(s.cleaned, body[s.copied:]...), s.wrong, nil
}

func errMalformedBody(err error) error {
	var f *fault.Error
	switch syntax := new(json.SyntaxError); {
	case errors.As(err, &f):
		return f
	case errors.As(err, &syntax):
		return fault.MalformedBody.Newf("The body is not valid JSON: %s at byte %d.", syntax.Error(), syntax.Offset)
	case errors.Is(err, io.EOF):
		return fault.MalformedBody.New("The body is empty.")
	}
	return fault.MalformedBody.New("The body is not valid JSON: it ends too early.")
}

// scan reads a JSON value token by token, and copies it.
type scan struct {
	decoder *json.Decoder
	// values is how many values may still come.
	values int
	body   []byte
	// cleaned is the copy, and copied how much of the body it stands for.
	cleaned []byte
	copied  int
	// wrong are the values that are refused.
	wrong []fault.Field
}

// value reads the value at a pointer. Its schema is nil where the contract has none.
func (s *scan) value(pointer string, depth int, schema *openapi3.Schema) error {
	before := s.decoder.InputOffset()
	token, err := s.decoder.Token()
	if err != nil {
		return err
	}
	if s.values--; s.values < 0 {
		return fault.Invalid(fault.Field{Code: "too_many_values", Detail: "has far more values than this operation accepts"})
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return fault.MalformedBody.Newf("The body is nested deeper than %d levels.", maxDepth)
		}
		if t == '{' {
			err = s.members(pointer, depth, schema)
		} else {
			err = s.items(pointer, depth, schema)
		}
		if err != nil {
			return errUnexpectedEnd(err)
		}
		_, err = s.decoder.Token() // the closing bracket
		return errUnexpectedEnd(err)
	case nil:
		// The validator would take the default.
		if schema != nil && schema.Default != nil && !schema.Nullable {
			s.refuse(pointer, fault.Field{Code: "nullable", Detail: "must not be null"})
		}
	case json.Number:
		// For the validator 1.0 and 1e2 are integers, but not for the decoder.
		if schema != nil && schema.Type.Is(openapi3.TypeInteger) && !integerForm.MatchString(t.String()) {
			s.refuse(pointer, fault.Field{Code: "type", Detail: "must be an integer, without a fraction or an exponent"})
		}
	case string:
		s.text(pointer, schema, t, before)
	}
	return nil
}

func (s *scan) members(pointer string, depth int, schema *openapi3.Schema) error {
	seen := map[string]bool{}
	for s.decoder.More() {
		before := s.decoder.InputOffset()
		token, err := s.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if seen[name] {
			return fault.MalformedBody.Newf("Duplicate member %q.", name)
		}
		seen[name] = true
		if len(name) > maxName {
			return fault.Invalid(fault.Field{Pointer: pointer, Code: "unknown_field", Detail: "has a field whose name is far longer than any field's of this object"})
		}
		if r, found := s.loneSurrogate(name, before); found {
			s.refuse(pointer, errSurrogate(r))
		}
		if err := s.value(pointer+"/"+escape(name), depth+1, property(schema, name)); err != nil {
			return err
		}
	}
	return nil
}

func (s *scan) items(pointer string, depth int, schema *openapi3.Schema) error {
	item, most := itemsOf(schema)
	for i := 0; s.decoder.More(); i++ {
		if item != nil && i == most {
			return fault.Invalid(fault.Field{Pointer: pointer, Code: "maxItems", Detail: maxItems(most)})
		}
		if err := s.value(pointer+"/"+strconv.Itoa(i), depth+1, item); err != nil {
			return err
		}
	}
	return nil
}

// text copies a string as it is to be read, or refuses it. before is the offset before
// it.
func (s *scan) text(pointer string, schema *openapi3.Schema, value string, before int64) {
	clean, wrong := s.clean(schema, value, before)
	if wrong.Code != "" {
		s.refuse(pointer, wrong)
	}
	if clean == value {
		return
	}
	end := int(s.decoder.InputOffset())
	s.cleaned = append(s.cleaned, s.body[s.copied:end-len(s.token(before))]...)
	s.cleaned = append(s.cleaned, quote(clean)...)
	s.copied = end
}

// clean returns a string as it is to be read, or what is wrong with it.
func (s *scan) clean(schema *openapi3.Schema, value string, before int64) (clean string, wrong fault.Field) {
	surrogate, found := s.loneSurrogate(value, before)
	switch {
	case found:
		return "", errSurrogate(surrogate)
	case strings.ContainsRune(value, 0):
		return "", fault.Field{Code: "nul", Detail: "must not contain the character U+0000"}
	case isTooLong(schema, value):
		return "", fault.Field{Code: "maxLength", Detail: maxLength(schema)}
	}
	return cleanText(schema, value)
}

func quote(text string) []byte {
	quoted, _ := json.Marshal(text) // no text is an error
	return quoted
}

// token is the last token as it was written, given the offset before it.
func (s *scan) token(before int64) []byte {
	return bytes.TrimLeft(s.body[before:s.decoder.InputOffset()], " \t\r\n:,")
}

// loneSurrogate finds the half of a UTF-16 pair in the string that was read last.
func (s *scan) loneSurrogate(value string, before int64) (rune, bool) {
	if !strings.ContainsRune(value, utf8.RuneError) { // which the decoder puts in its place
		return 0, false
	}
	return loneSurrogate(s.token(before))
}

func errSurrogate(r rune) fault.Field {
	return fault.Field{Code: "surrogate", Detail: fmt.Sprintf("must not contain the lone surrogate %U", r)}
}

// refuse notes what is wrong with the value at a pointer.
func (s *scan) refuse(pointer string, wrong fault.Field) {
	if len(s.wrong) < maxFields {
		wrong.Pointer = pointer
		s.wrong = append(s.wrong, wrong)
	}
}

// errUnexpectedEnd distinguishes an end inside a value from an empty body.
func errUnexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escape escapes a member's name for a JSON pointer (RFC 6901).
func escape(name string) string { return pointerEscapes.Replace(name) }
