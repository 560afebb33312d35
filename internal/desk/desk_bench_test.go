package desk_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// 64 clients book in one hot slot, or in many.
func BenchmarkBook(b *testing.B) {
	for name, slots := range map[string]int{"hot": 1, "spread": 2000} {
		b.Run(name, func(b *testing.B) {
			e := newEnv(b, 20000)
			ids := make([]uuid.UUID, slots)
			for i := range ids {
				ids[i] = e.slot(1_000_000, 24+i)
			}
			var next atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := int(next.Add(1))
					user := e.users[i%len(e.users)]
					_, err := e.desk.Do(context.Background(), desk.Submission{Command: seating.Book{
						BookingID: uuid.Must(uuid.NewV7()), SlotID: ids[i%slots], UserID: user, Seats: 1, By: seating.Actor{Role: seating.ActorAttendee, ID: user}}})
					wantRefusalOrNil(b, err)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bookings/s")
		})
	}
}
