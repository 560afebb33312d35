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
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

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

// atOnce is how many checkers run at a time: nothing is measured, and each waits for
// much, such as for a queue that never comes to rest.
const atOnce = 2

// looks are how often a checker may look at a mutant before it counts as missed: most
// see what a few random histories show, and some mistakes show in one history of three.
const looks = 3

// Prove builds the mutants and lets each be seen by every checker that must see
// it. First, the checkers must accept the same build with all mistakes inactive.
func Prove(ctx context.Context, l *lab.Lab, o Options) (string, error) {
	binary, err := build(ctx, l)
	if err != nil {
		return "", err
	}
	t := &trial{Options: o, lab: l, binary: binary}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for name := range o.Checkers {
		group.Go(func() error { return t.accept(inner, name) })
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	group, inner = errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, m := range All {
		t.sights += len(m.SeenBy)
	}
	for _, m := range All {
		for _, name := range m.SeenBy {
			group.Go(func() error { return t.detect(inner, m, name) })
		}
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%d mutants, seen %d times by %d checkers (%d not at the first look), %d missed",
		len(All), t.seen, len(o.Checkers), t.again, len(t.missed))
	return figure, lab.Broken(errors.Join(t.missed...))
}

// trial is every checker on every mutant.
type trial struct {
	Options
	lab    *lab.Lab
	binary string

	// sights are how many there should be.
	sights int

	mu sync.Mutex
	// seen are how many there were, again those that took more than one look.
	seen, again int
	missed      []error
}

// accept lets a checker look at the build without a mistake.
func (t *trial) accept(ctx context.Context, checker string) error {
	if err := t.check(ctx, Mutant{}, checker, 1); err != nil {
		return fmt.Errorf("%s, without a mistake: %w", checker, err)
	}
	return nil
}

// detect lets a checker look at a mutant, which it must see.
func (t *trial) detect(ctx context.Context, m Mutant, checker string) error {
	var err error
	look := 0
	for err == nil && look < looks {
		look++
		err = t.check(ctx, m, checker, look)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case errors.Is(err, lab.ErrBroken):
		t.seen++
		if look > 1 {
			t.again++
		}
	case err != nil:
		return fmt.Errorf("mutant %s, %s: %w", m.Name, checker, err)
	default:
		t.missed = append(t.missed, fmt.Errorf("%s does not see the mutant %s in %d looks: %s", checker, m.Name, looks, m.Mistake))
	}
	t.lab.Progress("sights of mutants", t.seen+len(t.missed), t.sights)
	return nil
}

func (t *trial) check(ctx context.Context, m Mutant, checker string, look int) error {
	own, err := t.lab.Room(fmt.Sprintf("mutant-%s-%s-%d", cmp.Or(m.Name, "none"), checker, look))
	if err != nil {
		return err
	}
	_, err = t.Checkers[checker](ctx, own, lab.Subject{Binary: t.binary, Processes: processes, Env: map[string]string{"MUTANT": m.Name}, Disarm: m.Disarm})
	return err
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
	if err := os.WriteFile(overlay(l.Dir()), text, 0o600); err != nil {
		return "", err
	}
	return l.Build(ctx, "mutants", "-overlay", overlay(l.Dir()))
}

// overlay is the file in the lab's directory that tells the compiler which files have
// mistakes in them.
func overlay(dir string) string { return filepath.Join(dir, "mutants-source", "overlay.json") }

// Tests is a checker that runs some tests of a package of ours, built with the
// mistakes in it.
func Tests(pkg, pattern string) Checker {
	return func(ctx context.Context, _ *lab.Lab, s lab.Subject) (string, error) {
		root, err := lab.Root(ctx)
		if err != nil {
			return "", err
		}
		dir := filepath.Dir(s.Binary) // not the lab's, so that it is compiled once for all mutants
		binary := filepath.Join(dir, filepath.Base(pkg)+".test")
		if _, err := os.Stat(binary); err != nil {
			compile := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay(dir), "-o", binary, "./"+pkg)
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
