package server

import "testing"

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, tag string
		want      bool
	}{
		{`"a"`, `"a"`, true},
		{`"b"`, `"a"`, false},
		{`"b", "a"`, `"a"`, true},
		{`"b","a"`, `"a"`, true},
		{`W/"a"`, `"a"`, true},
		{`"a"`, `W/"a"`, true},
		{`*`, `"a"`, true},
		{`"b", W/"c" ,	"a"`, `"a"`, true},
		{`"a, b"`, `"a"`, false},
		{`"x, \"a\""`, `"a"`, false},
		{`a`, `"a"`, false},
		{`"a`, `"a"`, false},
		{``, `"a"`, false},
		{`"ab"`, `"a"`, false},
		{`"1.57"`, `"1.58"`, false},
	} {
		if got := matches(c.list, c.tag); got != c.want {
			t.Errorf("matches(%s, %s) = %t", c.list, c.tag, got)
		}
	}
}
