package seating_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// However much of the queues is loaded, the commands of a batch decide as they would with
// all of it, or the state says that more has to be loaded. Under -short, rapid makes a
// fifth of the sequences.
func TestPageOfAQueueDecidesAsAllOfIt(t *testing.T) {
	t.Parallel()
	var alike, cutShort int
	for range 3 {
		rapid.Check(t, func(t *rapid.T) {
			s := drawSandbox(t)
			for range rapid.IntRange(40, 120).Draw(t, "commands") {
				s.state.Now = s.state.Now.Add(time.Duration(s.pick(8)) * time.Minute)
				s.apply(s.draw())
			}
			for range 10 {
				var batch []seating.Command
				for range 1 + s.pick(5) {
					batch = append(batch, s.draw())
				}
				page := s.pick(5)
				want, err := applied(s.reload(batch, 1000), batch)
				if err != nil {
					t.Fatal("all is loaded, and more is asked for:", err)
				}
				got, err := applied(s.reload(batch, page), batch)
				if err != nil {
					cutShort++
				} else if alike++; !slices.Equal(got, want) {
					t.Fatalf("with %d heads:\n%v\nwith all:\n%v", page, got, want)
				}
			}
		})
	}
	if alike == 0 || cutShort == 0 {
		t.Errorf("%d pages sufficed, %d did not", alike, cutShort)
	}
}

// reload is the state as a batch loads it: with a page of each queue, and what the
// commands name.
func (s *sandbox) reload(batch []seating.Command, page int) *seating.State {
	next := seating.NewState(s.state.Now)
	for _, slot := range s.state.Slots() {
		next.AddSlot(exported(*slot))
		heads := s.queue(slot.ID)
		if !slot.Started(s.state.Now) { // else all of it expires
			heads = slices.DeleteFunc(heads, func(b *seating.Booking) bool { return !b.Ready() })
			if !needsAll(batch, slot.ID) {
				heads = heads[:min(page, len(heads))]
			}
		}
		for _, b := range heads {
			if b.Ready() {
				next.AddHead(exported(*b))
			}
		}
	}
	for _, b := range s.state.Bookings() {
		if !b.Ready() || isNamed(batch, b) {
			next.AddBooking(exported(*b))
		}
		if b.Blocked == seating.BlockedOverlap {
			next.AddBlock(b.BlockedBy, b.SlotID)
		}
		if slot := s.slot(b.SlotID); b.Ready() && slot.Free() > 0 {
			next.AddWait(b.UserID, seating.Waiting{SlotID: slot.ID, StartsAt: slot.StartsAt, EndsAt: slot.EndsAt})
		}
	}
	return next
}

// isNamed says whether a command needs a booking, wherever it waits.
func isNamed(batch []seating.Command, b *seating.Booking) bool {
	return slices.ContainsFunc(batch, func(c seating.Command) bool {
		n := c.Needs()
		return slices.Contains(n.Bookings, b.ID) || slices.Contains(n.Wanted, seating.UserSlot{UserID: b.UserID, SlotID: b.SlotID}) || n.NewTimes != nil || n.CancelsAll
	})
}

// needsAll says whether a command asks for a slot's queue, whatever is free.
func needsAll(batch []seating.Command, slotID uuid.UUID) bool {
	return slices.ContainsFunc(batch, func(c seating.Command) bool { return c.Needs().Queue && c.Needs().Slots[0] == slotID })
}

// exported is a copy of a slot or a booking as it comes from the database.
func exported[T any](x T) (y T) {
	from, to := reflect.ValueOf(x), reflect.ValueOf(&y).Elem()
	for i := range from.NumField() {
		if from.Type().Field(i).IsExported() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return y
}

// errCutShort says that a batch has to be applied to more of the queues.
var errCutShort = errors.New("too little of a queue is loaded")

// applied is everything that comes of a batch.
func applied(s *seating.State, batch []seating.Command) (all []string, err error) {
	for _, c := range batch {
		r, err := s.Apply(c)
		code := ""
		if f := fault.Of(err); f != nil {
			code = f.Name
		}
		all = append(all, fmt.Sprintf("%T %s %d %s %d %t", c, code, r.Slot.Version, r.Booking.Status, len(r.Promoted), r.More))
	}
	if len(s.CutShort()) > 0 {
		return nil, errCutShort
	}
	for _, e := range s.Entries() {
		all = append(all, fmt.Sprintf("%+v", e))
	}
	return append(all, fmt.Sprintf("%v %v", s.Promotions(), s.Cancellations())), nil
}

// What is loaded up to the largest page is never too little: a job goes on.
func TestTheLargestPageIsNeverCutShort(t *testing.T) {
	t.Parallel()
	for _, heads := range []int{seating.HeadsPage - 1, seating.HeadsPage} {
		slot := aSlot(1)
		slot.WaitlistLength, slot.WaitlistReady, slot.FreedVersion, slot.PromotionDueAt = 1000, 1000, 1, noon
		f := newFixture(t, slot)
		busy := aSlot(1000)
		f.state.AddSlot(busy)
		for i := range heads {
			head := seating.Booking{ID: uuid.New(), SlotID: slot.ID, UserID: uuid.New(), Seats: 1, Status: waitlisted,
				StartsAt: slot.StartsAt, EndsAt: slot.EndsAt, QueuedVersion: int64(i + 1)}
			f.state.AddHead(head)
			f.state.AddBooking(seating.Booking{ID: uuid.New(), SlotID: busy.ID, UserID: head.UserID, Seats: 1, Status: confirmed,
				StartsAt: slot.StartsAt, EndsAt: slot.EndsAt})
		}
		r := f.must(seating.Promote{SlotID: slot.ID})
		if cutShort := len(f.state.CutShort()); !r.More || (cutShort == 1) != (heads < seating.HeadsPage) {
			t.Errorf("with %d heads, all of them busy: more is %t, %d queues are cut short", heads, r.More, cutShort)
		}
		if p := f.state.Promotions(); len(p) != 1 || r.Slot.PromotionDueAt.IsZero() {
			t.Errorf("with %d heads, %d promotions go on", heads, len(p))
		}
	}
}
