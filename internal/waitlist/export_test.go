package waitlist

import (
	"context"
	"log/slog"
	"time"
)

// Tick runs all tasks now, the backstops included.
func (t *Ticker) Tick(ctx context.Context) {
	for _, k := range t.tasks {
		k.last = time.Time{}
	}
	t.tick(ctx)
}

// TickerOf is a ticker with one task.
func TickerOf(log *slog.Logger, poll func(context.Context) (bool, error)) *Ticker {
	return &Ticker{log: log, tasks: []*task{{name: "test", poll: poll}}}
}

// RetryAt is when the workers try again.
var RetryAt = retryAt
