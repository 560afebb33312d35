package desk_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/audit"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// crowd hands in every kind of command at random, for few users and slots that
// overlap, so that everybody gets into everybody's way.
type crowd struct {
	*env
	slots []uuid.UUID

	mu       sync.Mutex
	bookings []seating.Booking
}

func newCrowd(t testing.TB) *crowd {
	c := &crowd{env: newEnv(t, 40)}
	c.exec(`UPDATE events SET fit = 'first_fit', hold_minutes = 1`)
	for i := range 20 {
		c.slots = append(c.slots, c.slot(4, 24+i/5))
	}
	return c
}

func (c *crowd) remember(r seating.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bookings) > 500 {
		c.bookings = slices.Delete(c.bookings, 0, 250)
	}
	c.bookings = append(c.bookings, r.Booking)
}

func (c *crowd) any(random *rand.Rand) (seating.Booking, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bookings) == 0 {
		return seating.Booking{}, false
	}
	return c.bookings[random.IntN(len(c.bookings))], true
}

// command is one at random.
func (c *crowd) command(random *rand.Rand) seating.Command {
	slot, other := c.slots[random.IntN(len(c.slots))], c.slots[random.IntN(len(c.slots))]
	user := c.users[random.IntN(len(c.users))]
	book := seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: user, Seats: 1 + random.IntN(3),
		IfFull: []seating.IfFull{seating.Reject, seating.Wait}[random.IntN(2)], By: seating.Actor{Role: seating.ActorAttendee, ID: user}}
	b, known := c.any(random)
	by := seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}
	switch kind := random.IntN(12); {
	case kind == 0:
		return seating.Promote{SlotID: slot}
	case kind == 1 && slot != other:
		second := book
		second.BookingID, second.SlotID = uuid.Must(uuid.NewV7()), other
		return seating.Bundle{Items: []seating.Book{book, second}}
	case kind == 2:
		return seating.Hold{Book: book}
	case !known || kind < 6:
		if known && random.IntN(2) == 0 {
			book.UserID, book.Replaces, book.ReplacesSlotID, book.SeatsMin = b.UserID, b.ID, b.SlotID, 1
		}
		return book
	case kind == 6:
		return seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Held, By: by}
	case kind == 7:
		return seating.Move{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, ToSlotID: other, NewID: uuid.Must(uuid.NewV7()), By: by}
	case kind == 8:
		return seating.Resize{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Seats: 1 + random.IntN(3), By: by}
	case kind == 9:
		capacity := 3 + random.IntN(3)
		return seating.EditSlot{SlotID: slot, Capacity: &capacity, By: seating.System("")}
	}
	return seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
}

func (c *crowd) step(t testing.TB, random *rand.Rand) {
	out, err := c.desk.Do(context.Background(), desk.Submission{Command: c.command(random)})
	expected(t, err)
	if err == nil && out.Result.Booking.ID != uuid.Nil {
		c.remember(out.Result)
	}
}

// settle lets every queue come to rest and asks the doctor.
func (c *crowd) settle(t testing.TB) {
	t.Helper()
	for again := true; again; {
		again = false
		for _, slot := range c.slots {
			r, err := c.do(seating.Promote{SlotID: slot})
			must(t, err)
			again = again || r.More && len(r.Promoted) > 0
		}
	}
	findings, err := audit.Doctor(context.Background(), c.pool, nil)
	must(t, err)
	for _, f := range findings {
		if !f.Warning {
			t.Error(f)
		}
	}
	if n := c.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	var group sync.WaitGroup
	for worker := range 32 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(worker)))
			for range 60 {
				c.step(t, random)
			}
		})
	}
	group.Wait()
	c.settle(t)
}

// A million of them: go test ./internal/seating -run '^$' -bench Mixed -benchtime 1000000x
func BenchmarkMixed(b *testing.B) {
	c := newCrowd(b)
	var worker atomic.Uint64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		random := rand.New(rand.NewPCG(4, worker.Add(1)))
		for pb.Next() {
			c.step(b, random)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
	c.settle(b)
}
