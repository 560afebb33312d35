//go:build unix

package server_test

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// work runs jobs and the ticker on a database in a process that a test can kill.
const work = "work"

func TestMain(m *testing.M) {
	testkit.RunJobs(map[string]testkit.JobFunc{
		work: func(ctx context.Context, url string) (string, error) {
			app, err := server.New(ctx, server.Config{DatabaseURL: url, Workers: true, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				return "", err
			}
			return "works", app.Start(ctx, nil)
		},
	})
	os.Exit(m.Run())
}
