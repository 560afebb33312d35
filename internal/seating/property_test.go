package seating_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// After each command of a random sequence all promises hold, and a replay of the
// ledgers gives the same slots. Under -short, rapid makes a fifth of the sequences.
func TestCommandsKeepThePromises(t *testing.T) {
	t.Parallel()
	for range 5 { // hundreds of sequences
		rapid.Check(t, func(t *rapid.T) {
			s := drawSandbox(t)
			for range rapid.IntRange(60, 160).Draw(t, "commands") {
				s.state.Now = s.state.Now.Add(time.Duration(s.pick(20)) * time.Minute)
				s.apply(s.draw())
				s.checkPromises()
			}
			s.settle()
			s.checkPromises()
			s.checkReplay()
			s.checkCauses()
		})
	}
}

// pick returns a number below n, each equally likely. rapid itself prefers small
// numbers, so that most commands would be of the same user.
func (s *sandbox) pick(n int) (x int) {
	for bit := 1; bit < 8*n; bit *= 2 {
		if rapid.Bool().Draw(s.T, "bit") {
			x += bit
		}
	}
	return x % n
}

// oneOf picks an element of a list.
func oneOf[T any](s *sandbox, list ...T) T { return list[s.pick(len(list))] }

// sandbox is four slots of one event, the first three at overlapping times, with
// the commands that a few users make.
type sandbox struct {
	*rapid.T
	state   *seating.State
	slots   []uuid.UUID
	ledgers map[uuid.UUID][]seating.Entry
	ids     int // made so far
}

func drawSandbox(t *rapid.T) *sandbox {
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	s := &sandbox{T: t, state: seating.NewState(now), ledgers: map[uuid.UUID][]seating.Entry{}}
	perBooking := rapid.SampledFrom([]int{0, 2}).Draw(t, "seats per booking")
	perUser := rapid.SampledFrom([]int{0, 2, 3, 4}).Draw(t, "seats per user")
	for i, after := range []int{0, 0, 1, 5} {
		starts := now.Add(time.Duration(20+after) * time.Hour)
		slot, opened := seating.Open(seating.Slot{
			ID: uuid.UUID{15: byte(i + 1)}, EventID: uuid.UUID{14: 1}, EventStatus: seating.EventPublished, Status: seating.SlotOpen,
			StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), Capacity: rapid.IntRange(1, 5).Draw(t, "capacity"), CreatedAt: now,
			Policy: seating.Policy{
				CancellationCloses: time.Duration(rapid.IntRange(0, 3).Draw(t, "cancellation closes")) * time.Hour,
				WaitlistMode:       rapid.SampledFrom([]seating.WaitlistMode{seating.WaitlistAutomatic, seating.WaitlistOffer}).Draw(t, "mode"),
				WaitlistLimit:      seating.NoLimit,
				OfferFor:           time.Hour, HoldFor: 30 * time.Minute,
				Fit:                rapid.SampledFrom([]seating.Fit{seating.FitStrict, seating.FitFirstFit}).Draw(t, "fit"),
				MaxPasses:          rapid.IntRange(0, 2).Draw(t, "max passes"),
				MaxSeatsPerBooking: perBooking, MaxSeatsPerUser: perUser,
			},
		}, seating.System(""))
		s.state.AddSlot(slot)
		s.slots = append(s.slots, slot.ID)
		s.ledgers[slot.ID] = []seating.Entry{opened}
	}
	return s
}

// commandNames has each kind of command as often as it is to come.
var commandNames = strings.Fields(`book book book book book book book book book book hold hold upgrade upgrade upgrade bundle bundle
	confirm confirm accept decline move move resize resize resize check-in undo cancel cancel cancel
	promote promote promote promote promote expire capacity capacity capacity rules rules retime retime status cancel-all`)

func (s *sandbox) draw() seating.Command {
	slot := oneOf(s, s.slots...)
	name := oneOf(s, commandNames...)
	switch name {
	case "book":
		return s.book(slot)
	case "hold":
		return seating.Hold{Book: s.book(slot)}
	case "bundle":
		return s.bundle()
	case "promote":
		return seating.Promote{SlotID: slot}
	case "expire":
		return seating.Expire{SlotID: slot}
	case "cancel-all":
		return seating.CancelAllBookings{SlotID: slot} // changes nothing unless the slot was cancelled
	case "rules":
		return s.rules(slot)
	case "capacity", "retime", "status":
		return s.edit(slot, name)
	}
	candidates := s.state.Bookings()
	if statuses, some := usualStatuses[name]; some && s.pick(8) > 0 {
		candidates = slices.DeleteFunc(candidates, func(b *seating.Booking) bool { return !slices.Contains(statuses, b.Status) })
	}
	if len(candidates) == 0 {
		return s.book(slot)
	}
	return s.commandOn(name, *oneOf(s, candidates...), slot)
}

// usualStatuses are those of the bookings that most commands of a kind are about.
var usualStatuses = map[string][]seating.Status{
	"confirm": {held}, "accept": {offered}, "decline": {offered},
	"move": {confirmed}, "check-in": {confirmed}, "undo": {confirmed},
	"upgrade": {held, offered, confirmed}, "resize": {waitlisted, held, offered, confirmed},
	"cancel": {waitlisted, held, offered, confirmed, confirmed},
}

// commandOn is a command about a booking that was made before.
func (s *sandbox) commandOn(name string, b seating.Booking, slot uuid.UUID) seating.Command {
	by := seating.Actor{Role: oneOf(s, seating.ActorAttendee, seating.ActorOrganizer)}
	switch name {
	case "upgrade":
		c := s.book(slot)
		c.UserID, c.Replaces, c.ReplacesSlotID = b.UserID, b.ID, b.SlotID
		return c
	case "confirm":
		return seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Held, By: by}
	case "accept":
		return seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Offered, By: by}
	case "decline":
		return seating.Decline{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
	case "move":
		return seating.Move{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, ToSlotID: slot, NewID: s.id(), By: by}
	case "resize":
		seats := 1 + s.pick(4)
		return seating.Resize{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Seats: seats, SeatsMin: s.seatsMin(seats), By: by}
	case "check-in", "undo":
		return seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Undo: name == "undo", By: by}
	}
	return seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
}

func (s *sandbox) book(slot uuid.UUID) seating.Book {
	seats := 1 + s.pick(3)
	return seating.Book{
		BookingID: s.id(), SlotID: slot, UserID: uuid.UUID{0: 2, 15: byte(1 + s.pick(12))},
		Seats: seats, SeatsMin: s.seatsMin(seats), By: seating.System("test"),
		IfFull: oneOf(s, seating.Wait, seating.Wait, seating.Wait, seating.Reject),
	}
}

// seatsMin is a seats_min for a number of seats; 0 is none.
func (s *sandbox) seatsMin(seats int) int {
	return oneOf(s, 0, 0, 1+s.pick(seats))
}

func (s *sandbox) id() uuid.UUID {
	s.ids++
	return uuid.UUID{0: 1, 14: byte(s.ids >> 8), 15: byte(s.ids)}
}

// bundle books two or three slots for one user.
func (s *sandbox) bundle() seating.Bundle {
	slots := rapid.Permutation(s.slots).Draw(s.T, "slots")[:2+s.pick(2)]
	var c seating.Bundle
	for _, slot := range slots {
		item := s.book(slot)
		item.IfFull, item.SeatsMin = seating.Reject, 0
		if len(c.Items) > 0 {
			item.UserID = c.Items[0].UserID
		}
		c.Items = append(c.Items, item)
	}
	return c
}

func (s *sandbox) rules(slotID uuid.UUID) seating.EditRules {
	return seating.EditRules{
		SlotID: slotID, WaitlistMode: oneOf(s, seating.WaitlistAutomatic, seating.WaitlistOffer),
		Fit: oneOf(s, seating.FitStrict, seating.FitFirstFit), MaxPasses: s.pick(3), By: seating.System("test"),
	}
}

func (s *sandbox) edit(slotID uuid.UUID, what string) seating.EditSlot {
	c := seating.EditSlot{SlotID: slotID, By: seating.System("test")}
	switch what {
	case "capacity":
		capacity := 1 + s.pick(7)
		c.Capacity = &capacity
	case "status":
		status := seating.SlotOpen
		if s.pick(4) == 0 {
			status = oneOf(s, seating.SlotClosed, seating.SlotClosed, seating.SlotClosed, seating.SlotCancelled)
		}
		c.Status = &status
	case "retime":
		slot := s.slot(slotID)
		starts := slot.StartsAt.Add(time.Duration(s.pick(13)-6) * time.Hour)
		if s.pick(3) == 0 { // before holds and offers end
			starts = s.state.Now.Add(time.Duration(s.pick(60)) * time.Minute)
		}
		ends := starts.Add(2 * time.Hour)
		c.StartsAt, c.EndsAt, c.Displace = &starts, &ends, oneOf(s, true, false)
	}
	return c
}

func (s *sandbox) slot(id uuid.UUID) seating.Slot {
	i := slices.IndexFunc(s.state.Slots(), func(s *seating.Slot) bool { return s.ID == id })
	return *s.state.Slots()[i]
}

func (s *sandbox) booking(id uuid.UUID) *seating.Booking {
	for _, b := range s.state.Bookings() {
		if b.ID == id {
			return b
		}
	}
	return nil
}

// final are the bookings that nothing may change any more: confirmed ones of slots
// that have ended, and of those that have started if the attendee is checked in. In
// a cancelled slot it is what was so when it was cancelled.
func (s *sandbox) final() (final []seating.Booking) {
	for _, b := range s.state.Bookings() {
		slot, at := s.slot(b.SlotID), s.state.Now
		if slot.Status == seating.SlotCancelled {
			at = slot.CancelledAt
		}
		attended := !b.CheckedInAt.IsZero() && slot.Started(at)
		if b.Status == seating.Confirmed && (attended || slot.Ended(at)) {
			final = append(final, *b)
		}
	}
	return final
}

// apply applies a command. If it is refused, it has made no booking, and changed
// none except as any command might: what is due expires, and the queue is served.
func (s *sandbox) apply(c seating.Command) {
	entries, bookings := len(s.state.Entries()), len(s.state.Bookings())
	final := s.final()
	_, err := s.state.Apply(c)
	for _, was := range final {
		if is := s.booking(was.ID); is.Status != was.Status || is.Seats != was.Seats || is.SlotID != was.SlotID {
			s.Fatalf("%T changed a booking that was final: %+v became %+v", c, was, *is)
		}
	}
	if err == nil {
		return
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		s.Fatalf("%T: %v is not a fault", c, err)
	}
	if f.Code == fault.HoldLimit {
		s.Fatalf("%T: %v; nobody here holds 20 seats", c, err)
	}
	if len(s.state.Bookings()) != bookings {
		s.Fatalf("%T was refused and made a booking", c)
	}
	for _, e := range s.state.Entries()[entries:] {
		if e.By.Role != seating.ActorSystem || e.By.Reason == "test" {
			s.Fatalf("%T was refused with %v and left entry %d (%s)", c, err, e.Version, e.Kind)
		}
	}
}
