//go:build unix

package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// No line is wider than a terminal, and nothing is cut off.
func TestTheTableFitsATerminal(t *testing.T) {
	t.Parallel()
	figure := strings.Repeat("200 histories × 10 clients: 0 violations; ", 12)
	text := table([]row{{promise: "the same, without the witness, and in many more words than fit", figure: figure, took: 61 * time.Second}})
	words := 0
	for l := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")); n > promiseWidth+2+figureWidth+2+tookWidth {
			t.Errorf("%d wide: %s", n, l)
		}
		words += strings.Count(l, "violations;")
	}
	if words != 12 || !strings.Contains(text, "1m1s") || !strings.Contains(markdown([]row{{figure: figure}}), figure) {
		t.Errorf("something is missing:\n%s", text)
	}
}
