//go:build unix

// Package mutant tests the checkers. It builds the service with mistakes in it and
// runs the checkers on each: a checker that accepts a wrong program proves nothing
// about a right one.
//
// The mistakes are edits of the real source, laid over it by go build -overlay:
// in the tree, and in what people run, there is no trace of them. They find their
// places by function and syntax (edit.go); one that finds none, or several, fails
// the build, so that the list (mutants.go) stays true.
package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"eventbooking/internal/proof/lab"
)

// Checker is one that must see mistakes. It fails with lab.ErrBroken when it does.
type Checker func(ctx context.Context, l *lab.Lab, s lab.Subject) (figure string, err error)

// Options say which checkers there are, by their names, in a size that suits
// many runs.
type Options struct {
	Checkers map[string]Checker
}

// processes run each mutant: with one alone, its desk would serialize the
// commands of a slot even without locks.
const processes = 2

// Prove builds the mutants and lets each be seen by every checker that must see
// it. First, the checkers must accept the same build with all mistakes inactive.
func Prove(ctx context.Context, l *lab.Lab, o Options) (string, error) {
	binary, err := build(ctx, l)
	if err != nil {
		return "", err
	}
	sound := lab.Subject{Binary: binary, Processes: processes, Env: map[string]string{"MUTANT": ""}}
	for name, check := range o.Checkers {
		if _, err := check(ctx, l, sound); err != nil {
			return "", fmt.Errorf("%s, without a mistake: %w", name, err)
		}
	}
	var missed []error
	seen := 0
	for i, m := range All {
		l.Progress("mutants", i, len(All))
		subject := lab.Subject{Binary: binary, Processes: processes, Env: map[string]string{"MUTANT": m.Name}, Disarm: m.Disarm}
		for _, name := range m.SeenBy {
			_, err := o.Checkers[name](ctx, l, subject)
			switch {
			case errors.Is(err, lab.ErrBroken):
				seen++
			case err != nil:
				return "", fmt.Errorf("mutant %s, %s: %w", m.Name, name, err)
			default:
				missed = append(missed, fmt.Errorf("%s does not see the mutant %s: %s", name, m.Name, m.Mistake))
			}
		}
	}
	figure := fmt.Sprintf("%d mutants, seen %d times by %d checkers, %d missed", len(All), seen, len(o.Checkers), len(missed))
	return figure, lab.Broken(errors.Join(missed...))
}

// build compiles the service with all mistakes in it, inactive until MUTANT names one.
func build(ctx context.Context, l *lab.Lab) (string, error) {
	root, err := lab.Root(ctx)
	if err != nil {
		return "", err
	}
	files, err := mutate(root, append([]Mutant{{Name: "disarmed", Edits: []Edit{disarmed}}}, All...))
	if err != nil {
		return "", err
	}
	dir := filepath.Join(l.Dir(), "mutants-source")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	replaced := struct{ Replace map[string]string }{map[string]string{}}
	for name, source := range files {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(path, source, 0o600); err != nil {
			return "", err
		}
		replaced.Replace[filepath.Join(root, name)] = path
	}
	text, err := json.Marshal(replaced)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay(l), text, 0o600); err != nil {
		return "", err
	}
	return l.Build(ctx, "mutants", "-overlay", overlay(l))
}

// overlay is the file that tells the compiler which files have mistakes in them.
func overlay(l *lab.Lab) string { return filepath.Join(l.Dir(), "mutants-source", "overlay.json") }

// Tests is a checker that runs some tests of a package of ours, built with the
// mistakes in it.
func Tests(pkg, pattern string) Checker {
	return func(ctx context.Context, l *lab.Lab, s lab.Subject) (string, error) {
		root, err := lab.Root(ctx)
		if err != nil {
			return "", err
		}
		binary := filepath.Join(l.Dir(), filepath.Base(pkg)+".test")
		if _, err := os.Stat(binary); err != nil {
			compile := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay(l), "-o", binary, "./"+pkg)
			compile.Dir = root
			if out, err := compile.CombinedOutput(); err != nil {
				return "", fmt.Errorf("go test -c %s: %w\n%s", pkg, err, out)
			}
		}
		test := exec.CommandContext(ctx, binary, "-test.run", pattern, "-test.timeout", testTimeout.String())
		test.Dir, test.Env = filepath.Join(root, pkg), os.Environ()
		for name, value := range s.Env {
			test.Env = append(test.Env, name+"="+value)
		}
		out, err := test.CombinedOutput()
		switch {
		case errors.As(err, new(*exec.ExitError)):
			return "", lab.Broken(fmt.Errorf("%s %s: %w\n%s", pkg, pattern, err, out))
		case err != nil:
			return "", err
		case !bytes.HasPrefix(out, []byte("PASS")):
			return "", fmt.Errorf("%s has no test %s", pkg, pattern)
		}
		return "the tests passed", nil
	}
}

// testTimeout bounds one run of a package's tests.
const testTimeout = 2 * time.Minute

// mutate applies all edits to the module's files, and adds what they call.
func mutate(root string, mutants []Mutant) (map[string][]byte, error) {
	packages := map[string]*source{}
	for _, m := range mutants {
		for _, e := range m.Edits {
			if packages[e.Package] == nil {
				read, err := read(root, e.Package)
				if err != nil {
					return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
				}
				packages[e.Package] = read
			}
			if err := packages[e.Package].apply(e); err != nil {
				return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
			}
		}
	}
	files := map[string][]byte{}
	for _, p := range packages {
		edited, err := p.edited()
		if err != nil {
			return nil, err
		}
		maps.Copy(files, edited)
	}
	return files, nil
}
