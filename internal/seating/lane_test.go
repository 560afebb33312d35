package seating

import (
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
)

// A desk that is closed while everybody who waits has gone away is through all
// the same: what a lane drops is no batch, of whose end it would tell.
func TestClosedLaneOfWithdrawnTicketsIsThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLane()
		gone := newTicket(Order{Command: Book{SlotID: uuid.New()}})
		if !l.put(gone) || !gone.withdraw() {
			t.Fatal("the ticket is not queued")
		}
		l.close()
		through := make(chan struct{})
		go func() {
			l.wait()
			close(through)
		}()
		synctest.Wait() // until it waits, before the worker comes
		if batch := l.take(anySlots); batch != nil {
			t.Errorf("took %d tickets of a lane that is closed and empty", len(batch))
		}
		<-through
	})
}
