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

// maxDepth is how deep a body may be nested. Those of the contract are flat.
const maxDepth = 32

// checkJSON reads a body more strictly than its decoder does: exactly one value,
// in UTF-8, in which no member comes twice (of which readers would choose
// differently), and without NUL, which PostgreSQL cannot store. It tells where the
// nulls are.
func checkJSON(body []byte) (nulls []string, err error) {
	if !utf8.Valid(body) {
		return nil, fault.MalformedBody.New("The body is not encoded in UTF-8.")
	}
	w := walk{decoder: json.NewDecoder(bytes.NewReader(body))}
	w.decoder.UseNumber()
	if err := w.value("", 0); err != nil {
		return nil, malformed(err)
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.MalformedBody.New("The body goes on after its JSON value.")
	}
	if len(w.nuls) > 0 {
		return nil, fault.Invalid(w.nuls...)
	}
	return w.nulls, nil
}

func malformed(err error) error {
	var f *fault.Error
	switch syntax := new(json.SyntaxError); {
	case errors.As(err, &f):
		return f
	case errors.As(err, &syntax):
		return fault.MalformedBody.Newf("The body is not JSON: %s, at byte %d.", syntax.Error(), syntax.Offset)
	case errors.Is(err, io.EOF):
		return fault.MalformedBody.New("The body is empty.")
	}
	return fault.MalformedBody.New("The body ends in the middle of its JSON value.")
}

// walk goes through a JSON value token by token.
type walk struct {
	decoder *json.Decoder
	// nuls are the texts with the character U+0000, nulls the places without a value.
	nuls  []fault.Field
	nulls []string
}

// value reads one value, which is at pointer.
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
			return unfinished(err)
		}
		_, err = w.decoder.Token() // the closing bracket
		return unfinished(err)
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
			return fault.MalformedBody.Newf("The member %q comes twice in one object.", name)
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

// unfinished tells an end inside a value from no value at all.
func unfinished(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// escape writes a member's name as a part of a JSON pointer (RFC 6901).
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
