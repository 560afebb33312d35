package audit

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
)

// step is an entry of the ledger by which a booking got seats, waits, or no longer does.
type step = db.DoctorQueueStepsRow

// findJumps finds jumps in the queues of a page's slots.
func findJumps(ctx context.Context, tx pgx.Tx, p page, most int) ([]Finding, error) {
	steps, err := q.DoctorQueueSteps(ctx, tx, db.DoctorQueueStepsParams{First: p.first, Last: p.last})
	return jumps(steps, most), err
}

// jumps finds where a booking got seats while another one waited unblocked at an earlier
// place in the same slot, unless that needed more seats than were free and an entry says
// that it was passed. The steps are sorted by slot and version.
//
// It goes along the ledger with a heap of who waits: each step costs a logarithm of the
// queue's length, and one more for each booking that is passed. SQL can find in linear
// time whom somebody before them may have outlasted, but not who of these was blocked
// just then: with many blocked waiters it would compare most with most.
func jumps(steps []step, most int) []Finding {
	var found []Finding
	var queue queue
	for i, s := range steps {
		if i == 0 || s.SlotID != steps[i-1].SlotID {
			queue.clear()
		}
		queue.remove(s.BookingID)
		if s.Given {
			found = append(found, queue.jumpedBy(s, most-len(found))...)
		}
		if len(found) >= most {
			break
		}
		if s.Waits {
			queue.add(s)
		}
	}
	return found
}

// queue has the unblocked waiters of a slot.
type queue struct {
	// waiting has the version of each waiter's last step.
	waiting map[uuid.UUID]int64
	// places has these steps, and some of bookings that wait no more.
	places places
}

func (q *queue) clear() { q.waiting, q.places = map[uuid.UUID]int64{}, nil }

func (q *queue) remove(bookingID uuid.UUID) { delete(q.waiting, bookingID) }

func (q *queue) add(s step) {
	q.waiting[s.BookingID] = s.Version
	heap.Push(&q.places, s)
}

// jumpedBy returns a finding for each waiter, of at most so many, over whom a booking
// that got seats has jumped.
func (q *queue) jumpedBy(s step, most int) (found []Finding) {
	var earlier []step
	for len(q.places) > 0 && q.places[0].Place < s.Place && len(found) < most {
		w := heap.Pop(&q.places).(step)
		if q.waiting[w.BookingID] != w.Version {
			continue
		}
		earlier = append(earlier, w)
		if w.Needs <= s.Free || !slices.Contains(s.Passed, w.BookingID) {
			found = append(found, Finding{SlotID: s.SlotID, BookingID: s.BookingID, Version: s.Version,
				Detail: fmt.Sprintf("the booking got seats while booking %s had waited since the earlier version %d", w.BookingID, w.Place)})
		}
	}
	for _, w := range earlier {
		heap.Push(&q.places, w)
	}
	return found
}

// places is a heap of steps, the one at the earliest place first.
type places []step

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return cmp.Less(p[i].Place, p[j].Place) }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }

// Push implements heap.Interface.
func (p *places) Push(s any) { *p = append(*p, s.(step)) }

// Pop implements heap.Interface.
func (p *places) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}
