package desk

import (
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// Withdrawn submissions are dropped without a batch, so no batch ends that would
// wake wait.
func TestClosedInboxIsEmptyOnceAllSubmissionsAreWithdrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := newInbox()
		p := newPending(Submission{Command: seating.Book{SlotID: uuid.New()}})
		if !in.put(p) || !p.withdraw() {
			t.Fatal("the submission is not queued")
		}
		in.close()
		done := make(chan struct{})
		go func() {
			in.wait()
			close(done)
		}()
		synctest.Wait() // until it waits; the worker comes later
		if batch := in.take(anySlots); batch != nil {
			t.Errorf("took %d submissions of an inbox that is closed and empty", len(batch))
		}
		<-done
	})
}

// One slot in a rush leaves half of the places to others, and what jobs and the ticker
// submit takes none of them.
func TestSlotFillsHalfOfTheInboxOnly(t *testing.T) {
	t.Parallel()
	in, slot, other := newInbox(), uuid.New(), uuid.New()
	fill := func(slot uuid.UUID, internal bool) (n int) {
		for n <= 2*inboxSize && in.put(newPending(Submission{Command: seating.Promote{SlotID: slot}, Internal: internal})) {
			n++
		}
		return n
	}
	if n := fill(slot, true); n != inboxSize/2 {
		t.Errorf("the slot has %d places for internal commands, want %d", n, inboxSize/2)
	}
	if n := fill(slot, false); n != inboxSize/2 {
		t.Errorf("the slot has %d places, want %d", n, inboxSize/2)
	}
	if n := fill(other, false); n != inboxSize/2 {
		t.Errorf("another slot has %d places, want %d", n, inboxSize/2)
	}
	if n := fill(uuid.New(), false); n != 0 {
		t.Errorf("%d places are left in a full inbox", n)
	}
	// A batch that runs still counts for its slot; then its places are free.
	batch := in.take(anySlots)
	if n := fill(slot, true); n != 0 {
		t.Errorf("%d places are free while the batch runs", n)
	}
	in.release(batch)
	if n := fill(slot, true); n != len(batch) {
		t.Errorf("%d places are free, want %d", n, len(batch))
	}
}
