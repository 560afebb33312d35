package waitlist

import (
	"context"
	"log/slog"
	"time"
)

// Tick runs all tasks now, one after the other.
func (t *Ticker) Tick(ctx context.Context) {
	for _, k := range t.tasks {
		t.tick(ctx, k)
	}
}

// Paged is the ticker with another size of its pages.
func (t *Ticker) Paged(page int32) *Ticker {
	t.page = page
	return t
}

// TickerOf is a ticker with some tasks.
func TickerOf(log *slog.Logger, polls ...func(context.Context) (bool, error)) *Ticker {
	t := &Ticker{log: log}
	for _, poll := range polls {
		t.add(time.Millisecond, "test", poll)
	}
	return t
}

// RetryAt is when the workers try again.
var RetryAt = retryAt
