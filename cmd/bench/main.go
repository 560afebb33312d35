//go:build unix

// Command bench: a stand-in to try the size command.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"eventbooking/internal/proof/lab"
)

var errUsage = errors.New("invalid flag")

type commands struct {
	Size sizeCommand `cmd:"" help:"Fill a small and a large database, and compare what reads, bookings and the doctor cost on them."`
}

func main() {
	var c commands
	chosen := kong.Parse(&c)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	chosen.BindTo(ctx, (*context.Context)(nil))
	chosen.FatalIfErrorf(chosen.Run())
}

func inLab(ctx context.Context, keep bool, f func(*lab.Lab) error) error {
	l, err := lab.Open(ctx, os.Stderr)
	if err != nil {
		return err
	}
	err = f(l)
	if keep {
		fmt.Fprintf(os.Stderr, "logs and databases are in %s\n", l.Dir())
	}
	return errors.Join(err, l.Close(keep))
}
