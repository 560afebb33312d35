package account

import (
	"errors"
	"strings"
	"testing"

	"eventbooking/internal/fault"
)

func TestLineRefusesBlankTextAndControlCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Busy Bee":       "",
		"  Busy Bee ":    "",
		"Zoë 蜂 🐝":        "",
		"":               "blank",
		" \t\n":          "blank",
		"Busy\nBee":      "characters",
		"Busy\x00Bee":    "characters",
		"Busy \xff\xfeB": "characters",
	} {
		var in input
		if got := in.line("/name", text); got != strings.TrimSpace(text) {
			t.Errorf("%q became %q", text, got)
		}
		if code := codeOf(t, in.err(), "/name"); code != want {
			t.Errorf("%q: %q, want %q", text, code, want)
		}
	}
}

func TestEmailRefusesWhatIsNoAddressOrReserved(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" busy@test.com ":     "",
		"a@b":                 "",
		"busy@invalid.com":    "",
		" ":                   "format",
		" @ ":                 "format",
		"busy@":               "format",
		"@test.com":           "format",
		"busy":                "format",
		"deleted+1@invalid":   "format",
		"deleted+1@INVALID":   "format",
		"busy\u0000@test.com": "characters",
	} {
		var in input
		in.email("/email", text)
		if code := codeOf(t, in.err(), "/email"); code != want {
			t.Errorf("%q: %q, want %q", text, code, want)
		}
	}
}

func TestInputReportsEveryInvalidField(t *testing.T) {
	t.Parallel()
	var in input
	in.email("/email", "busy")
	in.line("/name", "\x01")
	if f := fault.Of(in.err()); f == nil || len(f.Fields) != 2 {
		t.Errorf("got %v, want both fields", in.err())
	}
}

// codeOf returns the code of a validation error for a pointer, or "" without error.
func codeOf(t *testing.T, err error, pointer string) string {
	t.Helper()
	if err == nil {
		return ""
	}
	f := fault.Of(err)
	if !errors.Is(err, fault.ValidationFailed) && !errors.Is(err, fault.InvalidTimeRange) || len(f.Fields) != 1 || f.Fields[0].Pointer != pointer {
		t.Fatalf("got %v with %+v, want one entry for %s", err, f, pointer)
	}
	return f.Fields[0].Code
}
