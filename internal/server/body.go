package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"eventbooking/internal/fault"
)

// maxDepth bounds the nesting of a body. Bodies of the contract are almost flat.
const maxDepth = 32

// checkJSON checks a body more strictly than its decoder does: exactly one value, in
// UTF-8, without duplicate members (of which parsers would choose differently) and
// without U+0000, which PostgreSQL cannot store. It returns the pointers of all
// nulls.
func checkJSON(body []byte) (nulls []string, err error) {
	if !utf8.Valid(body) {
		return nil, fault.MalformedBody.New("The body is not valid UTF-8.")
	}
	w := walk{decoder: json.NewDecoder(bytes.NewReader(body))}
	w.decoder.UseNumber()
	if err := w.value("", 0); err != nil {
		return nil, errMalformedBody(err)
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.MalformedBody.New("Unexpected data after the JSON value.")
	}
	if len(w.nuls) > 0 {
		return nil, fault.Invalid(w.nuls...)
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
	// nuls are the strings with U+0000; nulls are the pointers of nulls.
	nuls  []fault.Field
	nulls []string
}

// value reads the value at a pointer.
func (w *walk) value(pointer string, depth int) error {
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return fault.MalformedBody.Newf("The body is nested deeper than %d levels.", maxDepth)
		}
		if t == '{' {
			err = w.members(pointer, depth)
		} else {
			err = w.items(pointer, depth)
		}
		if err != nil {
			return errUnexpectedEnd(err)
		}
		_, err = w.decoder.Token() // the closing bracket
		return errUnexpectedEnd(err)
	case nil:
		w.nulls = append(w.nulls, pointer)
	case string:
		if strings.ContainsRune(t, 0) && len(w.nuls) < maxFields {
			w.nuls = append(w.nuls, fault.Field{Pointer: pointer, Code: "nul", Detail: "must not contain the character U+0000"})
		}
	}
	return nil
}

func (w *walk) members(pointer string, depth int) error {
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
		if err := w.value(pointer+"/"+escape(name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) items(pointer string, depth int) error {
	for i := 0; w.decoder.More(); i++ {
		if err := w.value(pointer+"/"+strconv.Itoa(i), depth+1); err != nil {
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

// escape escapes a member's name for a JSON pointer (RFC 6901).
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
