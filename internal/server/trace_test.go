package server

import "testing"

func TestTraceIDIsThatOfAValidTraceparent(t *testing.T) {
	t.Parallel()
	const (
		id     = "4bf92f3577b34da6a3ce929d0e0e4736"
		parent = "00f067aa0ba902b7"
	)
	for name, c := range map[string]struct {
		headers []string
		want    string
	}{
		"valid":                      {[]string{"00-" + id + "-" + parent + "-01"}, id},
		"a later version, with more": {[]string{"01-" + id + "-" + parent + "-01-what"}, id},
		"none":                       {nil, ""},
		"two":                        {[]string{"00-" + id + "-" + parent + "-01", "00-" + id + "-" + parent + "-01"}, ""},
		"version ff":                 {[]string{"ff-" + id + "-" + parent + "-01"}, ""},
		"version 00 with more":       {[]string{"00-" + id + "-" + parent + "-01-what"}, ""},
		"upper case":                 {[]string{"00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent + "-01"}, ""},
		"an id of zeros":             {[]string{"00-00000000000000000000000000000000-" + parent + "-01"}, ""},
		"a parent of zeros":          {[]string{"00-" + id + "-0000000000000000-01"}, ""},
		"too short":                  {[]string{"00-" + id[1:] + "-" + parent + "-01"}, ""},
		"no flags":                   {[]string{"00-" + id + "-" + parent}, ""},
		"a line break":               {[]string{"00-" + id + "\n-" + parent + "-01"}, ""},
	} {
		if got := traceID(c.headers); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if a, b := newTraceID(), newTraceID(); !isID(a, 32) || a == b {
		t.Errorf("new ids %q and %q", a, b)
	}
}
