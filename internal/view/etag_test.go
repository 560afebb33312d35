package view_test

import (
	"errors"
	"testing"

	"eventbooking/internal/fault"
	"eventbooking/internal/view"
)

func TestWeakAndStrongTagsOfAListMatch(t *testing.T) {
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
		{`"a" "b"`, `"a"`, false},
		{`"a""b"`, `"a"`, false},
		{`"a", b`, `"a"`, false},
		{`b, "a"`, `"a"`, false},
		{`"a";`, `"a"`, false},
		{`,, "a" , ,`, `"a"`, true},
		{`w/"a"`, `"a"`, false},
		{`W/ "a"`, `"a"`, false},
		{`**`, `"a"`, false},
		{`*, "b"`, `"a"`, false},
		{`"b", *`, `"a"`, false},
		{`"*"`, `"a"`, false},
		{` * `, `"a"`, true},
		{`" a"`, `" a"`, false},
		{`a`, `"a"`, false},
		{`"a`, `"a"`, false},
		{``, `"a"`, false},
		{`"ab"`, `"a"`, false},
		{`"1.57"`, `"1.58"`, false},
	} {
		if got := view.ParseTags(c.list).MatchWeakly(c.tag); got != c.want {
			t.Errorf("%s matches %s: %t", c.list, c.tag, got)
		}
	}
}

// An edit compares the revision alone, which stands in front of the tag.
func TestIfMatchComparesTheRevision(t *testing.T) {
	t.Parallel()
	if _, err := view.RequireIfMatch(nil, view.SlotTag); !errors.Is(err, fault.VersionRequired) {
		t.Errorf("got %v", err)
	}
	check := func(header string, revision int64) error {
		match, err := view.RequireIfMatch(&header, view.SlotTag)
		if err != nil {
			t.Fatal(err)
		}
		return match.CheckRevision(revision)
	}
	for header, revision := range map[string]int64{`*`: 7, `"3"`: 3, `"3.17"`: 3, ` "12.ab34" `: 12, `"1.2", "3.4"`: 3, `"3.17.over"`: 3} {
		if err := check(header, revision); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
	for _, header := range []string{``, `3`, `"`, `""`, `"3`, `3"`, `"33.1"`, `"-3.1"`, `"03.1"`, `"+3"`, `"x.3"`, `W/"3.1"`, `"1.2", "2.3"`, `" 3"`, `"3 "`, `"3.1", 3.1`, `"3.1" "2.1"`} {
		if err := check(header, 3); !errors.Is(err, fault.VersionMismatch) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestIfMatchComparesTagsStrongly(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{`"a"`: true, `"b", "a"`: true, `*`: true, `W/"a"`: false, `"b"`: false, ``: false} {
		if err := view.OptionalIfMatch(&header, view.BookingTag).Check(`"a"`); (err == nil) != want {
			t.Errorf("%s: %v", header, err)
		}
	}
	if err := view.OptionalIfMatch(nil, view.BookingTag).Check(`"a"`); err != nil {
		t.Errorf("without If-Match: %v", err)
	}
}
