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
	"eventbooking/internal/testkit"
)

// load submits random commands of every kind, for few users and overlapping slots,
// so that most of them conflict.
type load struct {
	*env
	slots []uuid.UUID

	mu       sync.Mutex
	bookings []seating.Booking
}

func newLoad(t testing.TB) *load {
	l := &load{env: newEnv(t, 40)}
	l.exec(`UPDATE events SET fit = 'first_fit', hold_minutes = 1`)
	for i := range 20 {
		l.slots = append(l.slots, l.slot(4, 24+i/5))
	}
	return l
}

func (l *load) remember(r seating.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.bookings) > 500 {
		l.bookings = slices.Delete(l.bookings, 0, 250)
	}
	l.bookings = append(l.bookings, r.Booking)
}

func (l *load) randomBooking(random *rand.Rand) (seating.Booking, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.bookings) == 0 {
		return seating.Booking{}, false
	}
	return l.bookings[random.IntN(len(l.bookings))], true
}

// command is a random command.
func (l *load) command(random *rand.Rand) seating.Command {
	slot, other := l.slots[random.IntN(len(l.slots))], l.slots[random.IntN(len(l.slots))]
	user := l.users[random.IntN(len(l.users))]
	book := seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: user, Seats: 1 + random.IntN(3),
		IfFull: []seating.IfFull{seating.Reject, seating.Wait}[random.IntN(2)], By: seating.Actor{Role: seating.ActorAttendee, ID: user}}
	b, known := l.randomBooking(random)
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
			book.UserID, book.By, book.Replaces, book.ReplacesSlotID, book.SeatsMin = b.UserID, by, b.ID, b.SlotID, 1
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

func (l *load) step(t testing.TB, random *rand.Rand) {
	out, err := l.desk.Do(context.Background(), desk.Submission{Command: l.command(random)})
	wantRefusalOrNil(t, err)
	if err == nil && out.Result.Booking.ID != uuid.Nil {
		l.remember(out.Result)
	}
}

// settle promotes until nobody else can be promoted, and asks the doctor.
func (l *load) settle(t testing.TB) {
	t.Helper()
	for again := true; again; {
		again = false
		for _, slot := range l.slots {
			r, err := l.do(seating.Promote{SlotID: slot})
			must(t, err)
			again = again || r.More && len(r.Promoted) > 0
		}
	}
	findings, err := audit.Doctor(context.Background(), l.pool, nil)
	must(t, err)
	for _, f := range findings {
		if !f.Warning {
			t.Error(f)
		}
	}
	if n := l.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// freshSeed is another seed in each run. It is printed when the test fails.
func freshSeed(t testing.TB) uint64 {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return seed
}

func TestConcurrentCommandsOfAllKindsKeepThePromises(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race of 32 clients")
	t.Parallel()
	l, seed := newLoad(t), freshSeed(t)
	var group sync.WaitGroup
	for worker := range 32 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range 60 {
				l.step(t, random)
			}
		})
	}
	group.Wait()
	l.settle(t)
}

// For a million commands: go test ./internal/desk -run '^$' -bench Mixed -benchtime 1000000x
func BenchmarkMixed(b *testing.B) {
	l := newLoad(b)
	var worker atomic.Uint64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		random := rand.New(rand.NewPCG(4, worker.Add(1)))
		for pb.Next() {
			l.step(b, random)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
	l.settle(b)
}
