package waitlist

import (
	"context"
	"log/slog"
	"time"
)

// Tick does what is due now, and the backstops too.
func (t *Ticker) Tick(ctx context.Context) {
	for _, r := range t.tasks {
		r.last = time.Time{}
	}
	t.tick(ctx)
}

// TickerOf is a ticker with one round.
func TickerOf(log *slog.Logger, look func(context.Context) (bool, error)) *Ticker {
	return &Ticker{log: log, tasks: []*task{{name: "test", poll: look}}}
}

// RetryAt is what the workers retry by.
var RetryAt = retryAt
