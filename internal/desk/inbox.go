package desk

import (
	"slices"
	"sync"

	"github.com/google/uuid"
)

// inbox is a bounded queue of submissions in front of workers.
type inbox struct {
	mu       sync.Mutex
	changed  *sync.Cond
	internal []*pending
	public   []*pending
	// perSlot counts the submissions by their first slot, whether waiting or running.
	perSlot map[uuid.UUID]int
	// running counts the batches that workers have taken and not released.
	running int
	closed  bool
}

func newInbox() *inbox {
	in := &inbox{perSlot: map[uuid.UUID]int{}}
	in.changed = sync.NewCond(&in.mu)
	return in
}

// put queues a submission. It returns false if the inbox is closed or full, or the
// slot has filled its half of it.
func (in *inbox) put(p *pending) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.closed:
		return false
	case p.Internal:
		in.internal = append(in.internal, p)
	case len(in.public) >= inboxSize || in.perSlot[p.slots[0]] >= inboxSize/2:
		return false
	default:
		in.public = append(in.public, p)
	}
	in.perSlot[p.slots[0]]++
	in.changed.Signal()
	return true
}

// has says whether submissions of a slot wait here or are running.
func (in *inbox) has(slot uuid.UUID) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.perSlot[slot] > 0
}

// fits says whether a submission may join a batch.
type fits func(batch []*pending, p *pending) bool

func anySlots([]*pending, *pending) bool { return true }

// sameLocks is true of submissions that wait for the same slots, or for the same event.
func sameLocks(batch []*pending, p *pending) bool {
	return len(batch) == 0 || slices.Equal(batch[0].slots, p.slots) ||
		p.event != uuid.Nil && p.event == batch[0].event
}

// take waits for submissions and takes a batch of those that fit, internal ones
// first. It returns nil when the inbox is closed and empty.
func (in *inbox) take(fit fits) []*pending {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		for len(in.internal)+len(in.public) == 0 {
			if in.closed {
				in.changed.Broadcast() // wait may still expect submissions that were all withdrawn.
				return nil
			}
			in.changed.Wait()
		}
		batch := in.gather(nil, &in.internal, fit)
		batch = in.gather(batch, &in.public, fit)
		if len(batch) > 0 {
			in.running++
			return batch
		}
	}
}

// gather moves submissions from a queue into the batch, and drops withdrawn ones.
func (in *inbox) gather(batch []*pending, queue *[]*pending, fit fits) []*pending {
	var rest []*pending
	for i, p := range *queue {
		if len(batch) == batchSize || len(batch) == 1 && batch[0].needsOwnBatch() {
			rest = append(rest, (*queue)[i:]...)
			break
		}
		switch {
		case p.isWithdrawn():
			in.forget(p)
		case !fit(batch, p) || p.needsOwnBatch() && len(batch) > 0:
			rest = append(rest, p)
		case p.take():
			batch = append(batch, p)
		default: // withdrawn since isWithdrawn was asked
			in.forget(p)
		}
	}
	*queue = rest
	return batch
}

// release removes a batch that was taken, now that it has run.
func (in *inbox) release(batch []*pending) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, p := range batch {
		in.forget(p)
	}
	in.running--
	in.changed.Broadcast()
}

func (in *inbox) forget(p *pending) {
	slot := p.slots[0]
	if in.perSlot[slot]--; in.perSlot[slot] <= 0 {
		delete(in.perSlot, slot)
	}
}

func (in *inbox) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.changed.Broadcast()
}

// wait returns when the inbox is closed and its last batch has run.
func (in *inbox) wait() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for !in.closed || in.running > 0 || len(in.internal)+len(in.public) > 0 {
		in.changed.Wait()
	}
}
