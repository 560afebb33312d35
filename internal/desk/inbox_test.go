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
