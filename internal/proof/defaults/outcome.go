//go:build unix

package defaults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// outcome is what go test -json told, tests without their subtests.
type outcome struct {
	passed int
	failed []string
}

// event is one line of go test -json.
type event struct{ Action, Package, Test string }

// maxLine bounds a line: what a test prints comes piece by piece.
const maxLine = 1 << 20

// read counts, copies what it reads, and tells how many tests are done.
func read(from io.Reader, to io.Writer, done func(int)) (o outcome, err error) {
	lines := bufio.NewScanner(io.TeeReader(from, to))
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return o, fmt.Errorf("go test -json: %w: %s", err, lines.Bytes())
		}
		o.count(e)
		done(o.passed + len(o.failed))
	}
	return o, lines.Err()
}

func (o *outcome) count(e event) {
	whole := e.Test != "" && !strings.Contains(e.Test, "/")
	switch {
	case e.Action == "pass" && whole:
		o.passed++
	case e.Action == "fail" && whole:
		o.failed = append(o.failed, e.Package+"."+e.Test)
	case e.Action == "fail" && e.Test == "" && !o.blames(e.Package):
		// It did not build, panicked between tests, or ran out of time.
		o.failed = append(o.failed, e.Package)
	}
}

// blames says whether a test of the package failed already.
func (o *outcome) blames(name string) bool {
	return slices.ContainsFunc(o.failed, func(f string) bool { return strings.HasPrefix(f, name+".") })
}
