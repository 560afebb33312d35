package limit

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Room bounds how many are in it at once. Who finds it full waits in line, in the order
// of arrival; the line is bounded, too.
type Room struct {
	places  *semaphore.Weighted
	line    int64
	waiting atomic.Int64
}

// NewRoom makes a room with so many places, and as many in line.
func NewRoom(places, line int) *Room {
	return &Room{places: semaphore.NewWeighted(int64(places)), line: int64(line)}
}

// Enter takes a place, and returns false if there is none until ctx ends. Who entered
// must Leave.
func (r *Room) Enter(ctx context.Context) bool {
	if r.places.TryAcquire(1) {
		return true
	}
	defer r.waiting.Add(-1)
	return r.waiting.Add(1) <= r.line && r.places.Acquire(ctx, 1) == nil
}

// Leave gives a place back.
func (r *Room) Leave() { r.places.Release(1) }

// Shares bound how many of one key there are at once. Only keys with some are remembered.
type Shares struct {
	mu   sync.Mutex
	held map[Key]int
}

// NewShares makes shares of which nobody has any.
func NewShares() *Shares { return &Shares{held: map[Key]int{}} }

// Take takes one share, and returns false if the key has the most already. Who took one
// must give it back.
func (s *Shares) Take(key Key, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key] >= most {
		return false
	}
	s.held[key]++
	return true
}

// GiveBack gives a share back.
func (s *Shares) GiveBack(key Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key]--; s.held[key] <= 0 {
		delete(s.held, key)
	}
}
