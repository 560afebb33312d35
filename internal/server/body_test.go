package server

import (
	"strings"
	"testing"

	"eventbooking/internal/fault"
)

func TestScanBodyAcceptsExactlyOneWellFormedValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body string
		want *fault.Code
	}{
		{`{}`, nil},
		{` {"a": [1, 2.5e3, "x", null, true, {"b": {}}]} `, nil},
		{`{"a": 1, "b": {"a": 1}}`, nil},
		{`{"A": 1, "a": 1}`, nil},
		{`"text"`, nil},
		{``, fault.MalformedBody},
		{`   `, fault.MalformedBody},
		{`{`, fault.MalformedBody},
		{`{"a"`, fault.MalformedBody},
		{`{"a": }`, fault.MalformedBody},
		{`{"a": 1`, fault.MalformedBody},
		{`{"a": 1,}`, fault.MalformedBody},
		{`[1, 2`, fault.MalformedBody},
		{`{a: 1}`, fault.MalformedBody},
		{`{} {}`, fault.MalformedBody},
		{`{}x`, fault.MalformedBody},
		{`{"a": 1, "a": 2}`, fault.MalformedBody},
		{`{"b": [{"a": 1, "\u0061": 2}]}`, fault.MalformedBody},
		{"{\"a\": \"\xff\"}", fault.MalformedBody},
		{"\xef\xbb\xbf{}", fault.MalformedBody},
		{strings.Repeat("[", 1000) + strings.Repeat("]", 1000), fault.MalformedBody},
		{`{"a": "x\u0000y"}`, fault.ValidationFailed},
	} {
		_, wrong, err := scanBody([]byte(c.body), nil, 100)
		if len(wrong) > 0 {
			err = fault.Invalid(wrong...)
		}
		f := fault.Of(err)
		if (f == nil) != (c.want == nil) || f != nil && f.Code != c.want {
			t.Errorf("%s: %v, want %v", c.body, err, c.want)
		}
		if err != nil && f == nil {
			t.Errorf("%s: %v is not a fault", c.body, err)
		}
	}
}

func TestScanBodyPointsToNULCharacters(t *testing.T) {
	t.Parallel()
	_, wrong, err := scanBody([]byte(`{"a/b": ["", {"~": "\u0000"}]}`), nil, 100)
	if err != nil || len(wrong) != 1 || wrong[0].Pointer != "/a~1b/1/~0" {
		t.Errorf("%+v, %v", wrong, err)
	}
}

// Every error is a fault.
func FuzzScanBody(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,{"b":null}]}`, `"\u0000"`, `{"a":1,"a":2}`, `[[[[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, _, err := scanBody(body, nil, 100); err != nil && fault.Of(err) == nil {
			t.Errorf("%q: %v is not a fault", body, err)
		}
	})
}
