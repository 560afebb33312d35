package desk

import (
	"slices"
	"sync"

	"github.com/google/uuid"
)

// inbox is a bounded queue of submissions in front of workers.
type inbox struct {
	mu      sync.Mutex
	changed *sync.Cond
	// internal and public have bounds of their own: jobs and the ticker must not take
	// the places of callers.
	internal, public *queue
	// running counts the batches that workers have taken and not released.
	running int
	closed  bool
}

// queue is the internal submissions of an inbox, or those of callers.
type queue struct {
	waiting []*pending
	// perSlot counts the submissions by their first slot, whether waiting or running.
	perSlot map[uuid.UUID]int
}

func newQueue() *queue { return &queue{perSlot: map[uuid.UUID]int{}} }

// isFullFor says whether a queue has no place for another submission of a slot: it is
// full, or the slot has filled its half of it.
func (q *queue) isFullFor(slot uuid.UUID) bool {
	return len(q.waiting) >= inboxSize || q.perSlot[slot] >= inboxSize/2
}

func (q *queue) put(p *pending) {
	q.waiting = append(q.waiting, p)
	q.perSlot[p.slots[0]]++
}

func (q *queue) forget(p *pending) {
	slot := p.slots[0]
	if q.perSlot[slot]--; q.perSlot[slot] <= 0 {
		delete(q.perSlot, slot)
	}
}

func newInbox() *inbox {
	in := &inbox{internal: newQueue(), public: newQueue()}
	in.changed = sync.NewCond(&in.mu)
	return in
}

// queueOf is the queue of a submission.
func (in *inbox) queueOf(p *pending) *queue {
	if p.Internal {
		return in.internal
	}
	return in.public
}

// isEmpty says whether nothing waits.
func (in *inbox) isEmpty() bool { return len(in.internal.waiting)+len(in.public.waiting) == 0 }

// put queues a submission. It returns false if the inbox is closed, or its queue is full
// for the slot.
func (in *inbox) put(p *pending) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	q := in.queueOf(p)
	if in.closed || q.isFullFor(p.slots[0]) {
		return false
	}
	q.put(p)
	in.changed.Signal()
	return true
}

// has says whether submissions of a slot wait here or are running.
func (in *inbox) has(slot uuid.UUID) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.internal.perSlot[slot]+in.public.perSlot[slot] > 0
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
		for in.isEmpty() {
			if in.closed {
				in.changed.Broadcast() // wait may still expect submissions that were all withdrawn.
				return nil
			}
			in.changed.Wait()
		}
		batch := in.internal.gather(nil, fit)
		batch = in.public.gather(batch, fit)
		if len(batch) > 0 {
			in.running++
			return batch
		}
	}
}

// gather moves submissions from a queue into the batch, and drops withdrawn ones.
func (q *queue) gather(batch []*pending, fit fits) []*pending {
	var rest []*pending
	for i, p := range q.waiting {
		if len(batch) == batchSize || len(batch) == 1 && batch[0].needsOwnBatch() {
			rest = append(rest, q.waiting[i:]...)
			break
		}
		switch {
		case p.isWithdrawn():
			q.forget(p)
		case !fit(batch, p) || p.needsOwnBatch() && len(batch) > 0:
			rest = append(rest, p)
		case p.take():
			batch = append(batch, p)
		default: // withdrawn since isWithdrawn was asked
			q.forget(p)
		}
	}
	q.waiting = rest
	return batch
}

// release removes a batch that was taken, now that it has run.
func (in *inbox) release(batch []*pending) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, p := range batch {
		in.queueOf(p).forget(p)
	}
	in.running--
	in.changed.Broadcast()
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
	for !in.closed || in.running > 0 || !in.isEmpty() {
		in.changed.Wait()
	}
}
