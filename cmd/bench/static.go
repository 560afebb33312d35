//go:build unix

package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"eventbooking/internal/server"
)

// static serves the files of a directory, for bench run.
type static struct {
	Dir  string `arg:"" type:"existingdir"`
	Addr string `env:"ADDR" required:""`
}

// Run serves until ctx ends.
func (s static) Run(ctx context.Context) error {
	files, err := os.ReadDir(s.Dir)
	if err != nil {
		return err
	}
	answers := map[string][]byte{}
	for _, file := range files {
		if answers["/"+file.Name()], err = os.ReadFile(filepath.Join(s.Dir, file.Name())); err != nil {
			return err
		}
	}
	handler, err := server.Static(answers, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return err
	}
	stopped := context.AfterFunc(ctx, func() { _ = handler.Close() })
	defer stopped()
	if err := handler.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
