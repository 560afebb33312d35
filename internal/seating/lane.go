package seating

import (
	"slices"
	"sync"

	"github.com/google/uuid"
)

// lane is a bounded queue of tickets before some workers.
type lane struct {
	mu       sync.Mutex
	changed  *sync.Cond
	internal []*ticket
	public   []*ticket
	// perSlot counts the public tickets by their first slot, waiting or running.
	perSlot map[uuid.UUID]int
	// running counts batches in work.
	running int
	closed  bool
}

func newLane() *lane {
	l := &lane{perSlot: map[uuid.UUID]int{}}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// put queues a ticket, unless the lane or the slot's half of it is full.
func (l *lane) put(t *ticket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return false
	case t.Internal:
		l.internal = append(l.internal, t)
	case len(l.public) >= queueSize || l.perSlot[t.slots[0]] >= queueSize/2:
		return false
	default:
		l.public = append(l.public, t)
	}
	l.perSlot[t.slots[0]]++
	l.changed.Signal()
	return true
}

// holds says whether tickets of this slot wait or run here.
func (l *lane) holds(slot uuid.UUID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.perSlot[slot] > 0
}

// fits says whether a ticket may join a batch.
type fits func(batch []*ticket, t *ticket) bool

func anySlots([]*ticket, *ticket) bool { return true }

func sameSlots(batch []*ticket, t *ticket) bool {
	return len(batch) == 0 || slices.Equal(batch[0].slots, t.slots)
}

// take waits for tickets and takes a batch of those that fit, internal ones
// first. It returns nil when the lane is closed and empty.
func (l *lane) take(fit fits) []*ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.internal)+len(l.public) == 0 {
			if l.closed {
				l.changed.Broadcast() // Only withdrawn tickets may have been waited for.
				return nil
			}
			l.changed.Wait()
		}
		batch := l.gather(nil, &l.internal, fit)
		batch = l.gather(batch, &l.public, fit)
		if len(batch) > 0 {
			l.running++
			return batch
		}
	}
}

// gather moves tickets from a queue into the batch, and drops withdrawn ones.
func (l *lane) gather(batch []*ticket, queue *[]*ticket, fit fits) []*ticket {
	var rest []*ticket
	for i, t := range *queue {
		if len(batch) == batchSize || len(batch) == 1 && batch[0].alone() {
			rest = append(rest, (*queue)[i:]...)
			break
		}
		switch {
		case t.withdrawn():
			l.forget(t)
		case !fit(batch, t) || t.alone() && len(batch) > 0:
			rest = append(rest, t)
		case t.take():
			batch = append(batch, t)
		default: // withdrawn just now
			l.forget(t)
		}
	}
	*queue = rest
	return batch
}

// release says that a batch is through with this lane.
func (l *lane) release(batch []*ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range batch {
		l.forget(t)
	}
	l.running--
	l.changed.Broadcast()
}

func (l *lane) forget(t *ticket) {
	slot := t.slots[0]
	if l.perSlot[slot]--; l.perSlot[slot] <= 0 {
		delete(l.perSlot, slot)
	}
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.changed.Broadcast()
}

// wait returns when the lane is closed and its last batch is through.
func (l *lane) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed || l.running > 0 || len(l.internal)+len(l.public) > 0 {
		l.changed.Wait()
	}
}
