//go:build unix

package crash_test

import (
	"context"
	"testing"

	"eventbooking/internal/proof/crash"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/labtest"
)

func TestKillsLoseNothing(t *testing.T) {
	t.Parallel()
	try(t, func(ctx context.Context, l *lab.Lab) (string, error) {
		return crash.Prove(ctx, l, crash.Options{ServiceKills: 1, DatabaseKills: 2, Workers: 12, Seed: 1})
	})
}

func TestWhatIsDueIsPassedOnAfterAKill(t *testing.T) {
	t.Parallel()
	try(t, func(ctx context.Context, l *lab.Lab) (string, error) {
		return crash.Due(ctx, l, crash.DueOptions{Holds: 60})
	})
}

// try makes an experiment in a lab of its own.
func try(t *testing.T, experiment func(context.Context, *lab.Lab) (string, error)) {
	t.Helper()
	l := labtest.Open(t)
	figure, err := experiment(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
