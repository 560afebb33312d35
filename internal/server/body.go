package server

import (
	"bytes"
	"encoding/json"
	"errors"
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

// checkJSON checks a body more strictly than its decoder does: exactly one value, in
// UTF-8, without duplicate members (of which parsers would choose differently) and
// without U+0000, which PostgreSQL cannot store. It stops where the body has more
// than its schema and values allow (see valuesOf), so that whatever comes after it
// costs little. It returns the pointers of all nulls.
func checkJSON(body []byte, schema *openapi3.Schema, values int) (nulls []string, err error) {
	if !utf8.Valid(body) {
		return nil, fault.MalformedBody.New("The body is not valid UTF-8.")
	}
	w := walk{decoder: json.NewDecoder(bytes.NewReader(body)), values: values}
	w.decoder.UseNumber()
	if err := w.value("", 0, schema); err != nil {
		return nil, errMalformedBody(err)
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.MalformedBody.New("Unexpected data after the JSON value.")
	}
	if len(w.wrong) > 0 {
		return nil, fault.Invalid(w.wrong...)
	}
	return w.nulls, nil
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

// walk reads a JSON value token by token.
type walk struct {
	decoder *json.Decoder
	// values is how many values may still come.
	values int
	// wrong are the strings that are refused; nulls are the pointers of nulls.
	wrong []fault.Field
	nulls []string
}

// value reads the value at a pointer. Its schema is nil where the contract has none.
func (w *walk) value(pointer string, depth int, schema *openapi3.Schema) error {
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	if w.values--; w.values < 0 {
		return fault.Invalid(fault.Field{Code: "too_many_values", Detail: "has far more values than this operation accepts"})
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return fault.MalformedBody.Newf("The body is nested deeper than %d levels.", maxDepth)
		}
		if t == '{' {
			err = w.members(pointer, depth, schema)
		} else {
			err = w.items(pointer, depth, schema)
		}
		if err != nil {
			return errUnexpectedEnd(err)
		}
		_, err = w.decoder.Token() // the closing bracket
		return errUnexpectedEnd(err)
	case nil:
		w.nulls = append(w.nulls, pointer)
	case string:
		if strings.ContainsRune(t, 0) {
			w.refuse(pointer, "nul", "must not contain the character U+0000")
		}
		if isTooLong(schema, t) {
			w.refuse(pointer, "maxLength", maxLength(schema))
		}
	}
	return nil
}

// refuse notes what is wrong with the value at a pointer.
func (w *walk) refuse(pointer, code, detail string) {
	if len(w.wrong) < maxFields {
		w.wrong = append(w.wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
}

func (w *walk) members(pointer string, depth int, schema *openapi3.Schema) error {
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.decoder.Token()
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
		if err := w.value(pointer+"/"+escape(name), depth+1, property(schema, name)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) items(pointer string, depth int, schema *openapi3.Schema) error {
	item, most := itemsOf(schema)
	for i := 0; w.decoder.More(); i++ {
		if item != nil && i == most {
			return fault.Invalid(fault.Field{Pointer: pointer, Code: "maxItems", Detail: maxItems(most)})
		}
		if err := w.value(pointer+"/"+strconv.Itoa(i), depth+1, item); err != nil {
			return err
		}
	}
	return nil
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
