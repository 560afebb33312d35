//go:build unix

package embedded_test

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"eventbooking/internal/postgres/embedded"
	"eventbooking/internal/testkit"
)

// serve starts or joins the server of a directory in a process that a test can kill.
const serve = "serve"

var quiet = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) {
	testkit.RunJobs(map[string]testkit.JobFunc{
		serve: func(ctx context.Context, dir string) (string, error) {
			s, err := embedded.Start(ctx, embedded.Options{DataDir: dir, Logger: quiet})
			if err != nil {
				return "", err
			}
			return s.URL(), nil
		},
	})
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
