package desk

import (
	"eventbooking/internal/seating"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
)

// A desk that is closed while everybody who waits has gone away is through all
// the same: what an inbox drops is no batch, of whose end it would tell.
func TestAClosedInboxOfWithdrawnSubmissionsIsThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := newInbox()
		gone := newPending(Submission{Command: seating.Book{SlotID: uuid.New()}})
		if !in.put(gone) || !gone.withdraw() {
			t.Fatal("the submission is not queued")
		}
		in.close()
		through := make(chan struct{})
		go func() {
			in.wait()
			close(through)
		}()
		synctest.Wait() // until it waits, before the worker comes
		if batch := in.take(anySlots); batch != nil {
			t.Errorf("took %d submissions of an inbox that is closed and empty", len(batch))
		}
		<-through
	})
}
