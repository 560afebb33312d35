package waitlist

import (
	"context"
	"log/slog"
)

// Tick runs all tasks now, the backstops included.
func (t *Ticker) Tick(ctx context.Context) {
	t.tick(ctx, t.tasks)
	t.tick(ctx, t.backstops)
}

// Paged is the ticker with another size of its pages.
func (t *Ticker) Paged(page int32) *Ticker {
	t.page = page
	return t
}

// TickerOf is a ticker with one task.
func TickerOf(log *slog.Logger, poll func(context.Context) (bool, error)) *Ticker {
	return &Ticker{log: log, tasks: []*task{{name: "test", poll: poll}}}
}

// RetryAt is when the workers try again.
var RetryAt = retryAt
