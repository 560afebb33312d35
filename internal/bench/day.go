//go:build unix

package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"eventbooking/internal/proof/lab"
)

// day measures what users do in a day: 90 % reads, and bookings that come and go. It
// also measures, as an open loop, bookings of one slot at half of the rate that a closed
// one reaches: how long somebody waits while the service is busy, but not too busy.
func (b *bench) day(ctx context.Context) error {
	t := b.service
	closed := t.hotMeasure(load{connections: dayConnections})
	peak, err := closed(ctx, b.Window)
	if err != nil {
		return err
	}
	half := load{connections: 8 * dayConnections, rate: peak.rate() / 2}
	return b.table(ctx, "A user's day, and a rush at half of the peak", []line{
		{name: fmt.Sprintf("a user's day, %d connections", dayConnections), measure: t.dayMeasure(dayConnections)},
		{name: "hot slot, open loop at half of the peak", measure: t.hotMeasure(half)},
	})
}

func (t *target) dayMeasure(connections int) measure {
	l := load{connections: connections, user: func(i int) user {
		// Not those who book elsewhere at first, so that nobody's bookings overlap.
		return &visitor{target: t, person: &t.people[len(t.people)-1-i]}
	}}
	return func(_ context.Context, window time.Duration) (Sample, error) { return t.run(l, window) }
}

// visitor is somebody who looks at events, and now and then books a slot or gives the
// last booking back.
type visitor struct {
	*target
	person *lab.Person
	// booking is the present one; asked says that an answer with one is awaited.
	booking uuid.UUID
	asked   bool
}

// next draws what the visitor does: of 100 requests 45 lists, 20 events, 15 slots, 10
// lists of the own bookings, 10 writes.
func (v *visitor) next(r *fasthttp.Request) bool {
	switch n := rand.IntN(100); {
	case n < 45:
		get(r, page, v.person)
	case n < 65:
		get(r, "/events/"+v.events[rand.IntN(len(v.events))].String(), v.person)
	case n < 80:
		get(r, "/slots/"+v.slots[rand.IntN(len(v.slots))].ID.String(), v.person)
	case n < 90:
		get(r, "/me/bookings", v.person)
	case v.booking == uuid.Nil:
		v.asked = true
		book(r, v.slots[rand.IntN(len(v.slots))].ID, v.person)
	default:
		post(r, "/bookings/"+v.booking.String()+"/cancel", v.person)
		v.booking = uuid.Nil
	}
	return true
}

func (v *visitor) answered(r *fasthttp.Response) {
	if v.asked {
		v.booking, v.asked = bookingOf(r), false
	}
}
