package seating_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Whatever commands do to slots, every promise holds after each of them, and
// replaying what they wrote gives the same slots.
func TestCommandsKeepThePromises(t *testing.T) {
	t.Parallel()
	for range 5 { // hundreds of histories
		rapid.Check(t, func(t *rapid.T) {
			d := drawSandbox(t)
			for range rapid.IntRange(60, 160).Draw(t, "commands") {
				d.state.Now = d.state.Now.Add(time.Duration(d.pick(20)) * time.Minute)
				d.apply(d.draw())
				d.promises()
			}
			d.settle()
			d.promises()
			d.replays()
			d.causes()
		})
	}
}

// pick is one of n, each as likely: rapid itself prefers small numbers, and then
// everybody is the same user.
func (d *sandbox) pick(n int) (x int) {
	for bit := 1; bit < 8*n; bit *= 2 {
		if rapid.Bool().Draw(d.T, "bit") {
			x += bit
		}
	}
	return x % n
}

// oneOf picks from a list.
func oneOf[T any](d *sandbox, list ...T) T { return list[d.pick(len(list))] }

// sandbox is some slots of one event, the first three at overlapping times, and a few
// users who do whatever there is to do.
type sandbox struct {
	*rapid.T
	state   *seating.State
	slots   []uuid.UUID
	ledgers map[uuid.UUID][]seating.Entry
	made    int
}

func drawSandbox(t *rapid.T) *sandbox {
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	d := &sandbox{T: t, state: seating.NewState(now), ledgers: map[uuid.UUID][]seating.Entry{}}
	for i, after := range []int{0, 0, 1, 5} {
		starts := now.Add(time.Duration(20+after) * time.Hour)
		slot, opened := seating.Opened(seating.Slot{
			ID: uuid.UUID{15: byte(i + 1)}, EventID: uuid.UUID{14: 1}, EventStatus: seating.EventPublished, Status: seating.SlotOpen,
			StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), Capacity: rapid.IntRange(1, 5).Draw(t, "capacity"), CreatedAt: now,
			Policy: seating.Policy{
				CancellationCloses: time.Duration(rapid.IntRange(0, 3).Draw(t, "cancellation closes")) * time.Hour,
				WaitlistMode:       rapid.SampledFrom([]seating.WaitlistMode{seating.WaitlistAutomatic, seating.WaitlistOffer}).Draw(t, "mode"),
				WaitlistLimit:      seating.NoLimit,
				OfferFor:           time.Hour, HoldFor: 30 * time.Minute,
				Fit:       rapid.SampledFrom([]seating.Fit{seating.FitStrict, seating.FitFirstFit}).Draw(t, "fit"),
				MaxPasses: rapid.IntRange(0, 2).Draw(t, "max passes"),
			},
		}, seating.System(""))
		d.state.AddSlot(slot)
		d.slots = append(d.slots, slot.ID)
		d.ledgers[slot.ID] = []seating.Entry{opened}
	}
	return d
}

// wants says how often which command comes.
var wants = strings.Fields(`book book book book book book book book book book hold hold upgrade upgrade upgrade bundle bundle
	confirm confirm accept decline move move resize resize resize check-in undo cancel cancel cancel
	promote promote promote promote promote expire capacity capacity capacity rules rules retime retime status clear`)

func (d *sandbox) draw() seating.Command {
	slot := oneOf(d, d.slots...)
	want := oneOf(d, wants...)
	switch want {
	case "book":
		return d.book(slot)
	case "hold":
		return seating.Hold{Book: d.book(slot)}
	case "bundle":
		return d.bundle()
	case "promote":
		return seating.Promote{SlotID: slot}
	case "expire":
		return seating.Expire{SlotID: slot}
	case "clear":
		return seating.Clear{SlotID: slot} // nothing, unless the slot was cancelled
	case "rules":
		return d.rules(slot)
	case "capacity", "retime", "status":
		return d.edit(slot, want)
	}
	apt := d.state.Bookings()
	if statuses, some := suits[want]; some && d.pick(8) > 0 {
		apt = slices.DeleteFunc(apt, func(b *seating.Booking) bool { return !slices.Contains(statuses, b.Status) })
	}
	if len(apt) == 0 {
		return d.book(slot)
	}
	return d.about(want, *oneOf(d, apt...), slot)
}

// suits are the bookings of which something is mostly asked.
var suits = map[string][]seating.Status{
	"confirm": {held}, "accept": {offered}, "decline": {offered},
	"move": {confirmed}, "check-in": {confirmed}, "undo": {confirmed},
	"upgrade": {held, offered, confirmed}, "resize": {waitlisted, held, offered, confirmed},
	"cancel": {waitlisted, held, offered, confirmed, confirmed},
}

// about is a command about a booking that was made before.
func (d *sandbox) about(want string, b seating.Booking, slot uuid.UUID) seating.Command {
	by := seating.By{Actor: oneOf(d, seating.ByAttendee, seating.ByOrganizer)}
	switch want {
	case "upgrade":
		c := d.book(slot)
		c.UserID, c.Replaces, c.ReplacesSlotID = b.UserID, b.ID, b.SlotID
		return c
	case "confirm":
		return seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Held, By: by}
	case "accept":
		return seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Offered, By: by}
	case "decline":
		return seating.Decline{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
	case "move":
		return seating.Move{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, ToSlotID: slot, NewID: d.id(), By: by}
	case "resize":
		seats := 1 + d.pick(4)
		return seating.Resize{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Seats: seats, SeatsMin: d.least(seats), By: by}
	case "check-in", "undo":
		return seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Undo: want == "undo", By: by}
	}
	return seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by}
}

func (d *sandbox) book(slot uuid.UUID) seating.Book {
	seats := 1 + d.pick(3)
	return seating.Book{
		BookingID: d.id(), SlotID: slot, UserID: uuid.UUID{0: 2, 15: byte(1 + d.pick(12))},
		Seats: seats, SeatsMin: d.least(seats), By: seating.System("test"),
		IfFull: oneOf(d, seating.Wait, seating.Wait, seating.Wait, seating.Reject),
	}
}

// least is a seats_min for a number of seats; 0 is none.
func (d *sandbox) least(seats int) int {
	return oneOf(d, 0, 0, 1+d.pick(seats))
}

func (d *sandbox) id() uuid.UUID {
	d.made++
	return uuid.UUID{0: 1, 14: byte(d.made >> 8), 15: byte(d.made)}
}

// bundle is of two slots or more, of one user.
func (d *sandbox) bundle() seating.Bundle {
	slots := rapid.Permutation(d.slots).Draw(d.T, "slots")[:2+d.pick(2)]
	var c seating.Bundle
	for _, slot := range slots {
		item := d.book(slot)
		item.IfFull, item.SeatsMin = seating.Reject, 0
		if len(c.Items) > 0 {
			item.UserID = c.Items[0].UserID
		}
		c.Items = append(c.Items, item)
	}
	return c
}

func (d *sandbox) rules(slotID uuid.UUID) seating.EditRules {
	return seating.EditRules{
		SlotID: slotID, WaitlistMode: oneOf(d, seating.WaitlistAutomatic, seating.WaitlistOffer),
		Fit: oneOf(d, seating.FitStrict, seating.FitFirstFit), MaxPasses: d.pick(3), By: seating.System("test"),
	}
}

func (d *sandbox) edit(slotID uuid.UUID, what string) seating.EditSlot {
	c := seating.EditSlot{SlotID: slotID, By: seating.System("test")}
	switch what {
	case "capacity":
		capacity := 1 + d.pick(7)
		c.Capacity = &capacity
	case "status":
		status := seating.SlotOpen
		if d.pick(4) == 0 {
			status = oneOf(d, seating.SlotClosed, seating.SlotClosed, seating.SlotClosed, seating.SlotCancelled)
		}
		c.Status = &status
	case "retime":
		slot := d.slot(slotID)
		starts := slot.StartsAt.Add(time.Duration(d.pick(13)-6) * time.Hour)
		if d.pick(3) == 0 { // before what is held and offered runs out
			starts = d.state.Now.Add(time.Duration(d.pick(60)) * time.Minute)
		}
		ends := starts.Add(2 * time.Hour)
		c.StartsAt, c.EndsAt, c.Displace = &starts, &ends, oneOf(d, true, false)
	}
	return c
}

func (d *sandbox) slot(id uuid.UUID) seating.Slot {
	i := slices.IndexFunc(d.state.Slots(), func(s *seating.Slot) bool { return s.ID == id })
	return *d.state.Slots()[i]
}

func (d *sandbox) booking(id uuid.UUID) *seating.Booking {
	for _, b := range d.state.Bookings() {
		if b.ID == id {
			return b
		}
	}
	return nil
}

// apply lets a command decide. Refused, it has made no booking and changed none
// but what anything would have changed: what is due expires, and who is next is promoted.
func (d *sandbox) apply(c seating.Command) {
	entries, bookings := len(d.state.Entries()), len(d.state.Bookings())
	_, err := d.state.Apply(c)
	if err == nil {
		return
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		d.Fatalf("%T: %v is no fault", c, err)
	}
	if f.Code == fault.HoldLimit {
		d.Fatalf("%T: %v; nobody here holds 20 seats", c, err)
	}
	if len(d.state.Bookings()) != bookings {
		d.Fatalf("%T was refused and made a booking", c)
	}
	for _, e := range d.state.Entries()[entries:] {
		if e.By.Actor != seating.BySystem || e.By.Reason == "test" {
			d.Fatalf("%T was refused with %v and left entry %d (%s)", c, err, e.Version, e.Kind)
		}
	}
}

// promises are what holds after every command.
func (d *sandbox) promises() {
	seated := map[uuid.UUID][]*seating.Booking{}
	live := map[[2]uuid.UUID]bool{}
	for _, b := range d.state.Bookings() {
		slot := d.slot(b.SlotID)
		timed := b.Status == seating.Held || b.Status == seating.Offered
		at := [2]uuid.UUID{b.UserID, b.SlotID}
		switch {
		case b.Seats < 1 || b.SeatsMin > b.Seats:
			d.Fatalf("booking %s has %d seats, %d at least", b.ID, b.Seats, b.SeatsMin)
		case b.Status.Live() && (!b.StartsAt.Equal(slot.StartsAt) || !b.EndsAt.Equal(slot.EndsAt)):
			d.Fatalf("booking %s is at %s, its slot at %s", b.ID, b.StartsAt, slot.StartsAt)
		case timed == b.ExpiresAt.IsZero() || b.ExpiresAt.After(slot.StartsAt):
			d.Fatalf("booking %s is %s until %s; its slot starts at %s", b.ID, b.Status, b.ExpiresAt, slot.StartsAt)
		case !b.CheckedInAt.IsZero() && b.Status != seating.Confirmed:
			d.Fatalf("booking %s is checked in and %s", b.ID, b.Status)
		case b.Blocked != seating.NotBlocked && b.Status != seating.Waitlisted,
			(b.Blocked == seating.BlockedOverlap) != (b.BlockedBy != uuid.Nil):
			d.Fatalf("booking %s is %s, blocked %q by %s", b.ID, b.Status, b.Blocked, b.BlockedBy)
		case b.Status.Live() && live[at]:
			d.Fatalf("user %s has two live bookings of slot %s", b.UserID, b.SlotID)
		}
		live[at] = live[at] || b.Status.Live()
		d.links(b)
		if b.Status.TakesSeats() {
			for _, other := range seated[b.UserID] {
				if other.StartsAt.Before(b.EndsAt) && b.StartsAt.Before(other.EndsAt) {
					d.Fatalf("bookings %s and %s of one user overlap", b.ID, other.ID)
				}
			}
			seated[b.UserID] = append(seated[b.UserID], b)
		}
	}
	for _, slot := range d.state.Slots() {
		if b := d.servable(slot); b != nil && slot.PromotionDueAt.IsZero() {
			d.Fatalf("booking %s could be served in slot %s, and no promotion is due%s", b.ID, slot.ID, d.describe(slot.ID))
		}
	}
}

// links: whoever was replaced or moved is at the end, and the successor is of the same user.
func (d *sandbox) links(b *seating.Booking) {
	if b.ReplacedBy != uuid.Nil {
		next := d.booking(b.ReplacedBy)
		if b.Status != seating.Cancelled || next == nil || next.UserID != b.UserID || next.SlotID == b.SlotID {
			d.Fatalf("booking %s is %s and replaced by %+v", b.ID, b.Status, next)
		}
	}
	if b.MovedFrom != uuid.Nil {
		old := d.booking(b.MovedFrom)
		if old == nil || old.Status != seating.Cancelled || old.UserID != b.UserID || old.SlotID == b.SlotID {
			d.Fatalf("booking %s was made from %+v", b.ID, old)
		}
	}
}

// servable is a booking that waits and that nothing is in the way of, but its own
// user's other seats; nil is nobody.
func (d *sandbox) servable(slot *seating.Slot) *seating.Booking {
	if slot.Status == seating.SlotCancelled || slot.Started(d.state.Now) {
		return nil
	}
	for _, b := range d.queue(slot.ID) {
		switch {
		case b.Blocked != seating.NotBlocked:
		case least(b) <= slot.Free():
			return b
		case slot.Policy.Fit == seating.FitStrict || b.Passes >= slot.Policy.MaxPasses:
			return nil
		}
	}
	return nil
}

// least is with how few seats a booking can be promoted.
func least(b *seating.Booking) int {
	if b.SeatsMin > 0 {
		return b.SeatsMin
	}
	return b.Seats
}

// queue is who waits for a slot, in order.
func (d *sandbox) queue(slotID uuid.UUID) (queue []*seating.Booking) {
	for _, b := range d.state.Bookings() {
		if b.SlotID == slotID && b.Status == seating.Waitlisted {
			queue = append(queue, b)
		}
	}
	slices.SortFunc(queue, func(a, b *seating.Booking) int { return int(a.QueuedVersion - b.QueuedVersion) })
	return queue
}

// settle promotes until nothing happens any more: wishes that go round end, too.
func (d *sandbox) settle() {
	for before := -1; before != len(d.state.Entries()); {
		before = len(d.state.Entries())
		if before > 10_000 {
			d.Fatalf("promotions go on and on")
		}
		for _, slotID := range d.slots {
			d.apply(seating.Promote{SlotID: slotID})
		}
	}
	for _, slot := range d.state.Slots() {
		if b := d.servable(slot); b != nil {
			d.Fatalf("booking %s could be served in slot %s, and nobody does%s", b.ID, slot.ID, d.describe(slot.ID))
		}
		for _, b := range d.queue(slot.ID) {
			d.hindered(slot, b)
		}
	}
}

// hindered: who is still blocked when all is settled is so for a reason.
func (d *sandbox) hindered(slot *seating.Slot, b *seating.Booking) {
	switch b.Blocked {
	case seating.BlockedCapacity:
		if least(b) <= slot.Capacity {
			d.Fatalf("booking %s is blocked by a capacity of %d", b.ID, slot.Capacity)
		}
	case seating.BlockedOverlap:
		if x := d.booking(b.BlockedBy); x.UserID != b.UserID || !x.Status.TakesSeats() || !x.StartsAt.Before(b.EndsAt) || !b.StartsAt.Before(x.EndsAt) {
			d.Fatalf("booking %s is blocked by %+v", b.ID, x)
		}
	}
}

// replays compares what the ledgers say with what is there.
func (d *sandbox) replays() {
	for _, e := range d.state.Entries() {
		d.ledgers[e.SlotID] = append(d.ledgers[e.SlotID], e)
	}
	for _, slot := range d.state.Slots() {
		replayed, err := seating.Replay(d.ledgers[slot.ID])
		if err != nil {
			d.Fatal(err, d.describe(slot.ID))
		}
		type counters struct {
			Version                                             int64
			Capacity, SeatsTaken, WaitlistLength, WaitlistReady int
		}
		want := counters{slot.Version, slot.Capacity, slot.SeatsTaken, slot.WaitlistLength, slot.WaitlistReady}
		if got := (counters{replayed.Version, replayed.Capacity, replayed.SeatsTaken, replayed.WaitlistLength, replayed.WaitlistReady}); got != want {
			d.Fatalf("replayed %+v, want %+v%s", got, want, d.describe(slot.ID))
		}
		if !slices.EqualFunc(d.queue(slot.ID), replayed.Queue, func(b *seating.Booking, id uuid.UUID) bool { return b.ID == id }) {
			d.Fatalf("replayed queue %v, want %v%s", replayed.Queue, d.queue(slot.ID), d.describe(slot.ID))
		}
		d.recalls(slot.ID, replayed.Bookings)
	}
}

func (d *sandbox) recalls(slotID uuid.UUID, recalled map[uuid.UUID]seating.Recalled) {
	count := 0
	for _, b := range d.state.Bookings() {
		if b.SlotID != slotID {
			continue
		}
		count++
		want := seating.Recalled{
			UserID: b.UserID, Seats: b.Seats, Status: b.Status, Version: b.Version, QueuedVersion: b.QueuedVersion,
			Passes: b.Passes, Blocked: b.Blocked != seating.NotBlocked, CheckedIn: !b.CheckedInAt.IsZero(),
		}
		if got := recalled[b.ID]; got != want {
			d.Fatalf("booking %s: replayed %+v, want %+v%s", b.ID, got, want, d.describe(slotID))
		}
	}
	if count != len(recalled) {
		d.Fatalf("replayed %d bookings, want %d", len(recalled), count)
	}
}

// causes: over all slots, nothing is caused by what came later, and bookings that
// were moved or replaced are linked by their entries, too.
func (d *sandbox) causes() {
	done := map[seating.Cause]seating.Entry{}
	for slotID, ledger := range d.ledgers {
		done[seating.Cause{SlotID: slotID, Version: 1}] = ledger[0]
	}
	first, last := map[uuid.UUID]seating.Entry{}, map[uuid.UUID]seating.Entry{}
	for _, e := range d.state.Entries() {
		if _, known := done[e.Cause]; !known && e.Cause != (seating.Cause{}) {
			d.Fatalf("entry %d (%s) of slot %s is caused by entry %d of slot %s, which is yet to come", e.Version, e.Kind, e.SlotID, e.Cause.Version, e.Cause.SlotID)
		}
		done[seating.Cause{SlotID: e.SlotID, Version: e.Version}] = e
		if _, known := first[e.BookingID]; !known {
			first[e.BookingID] = e
		}
		last[e.BookingID] = e
	}
	for _, b := range d.state.Bookings() {
		if end := last[b.MovedFrom]; b.MovedFrom != uuid.Nil && (end.Kind != seating.KindMoved || first[b.ID].Cause != seating.Cause{SlotID: end.SlotID, Version: end.Version}) {
			d.Fatalf("booking %s begins with %+v; it was made from one that ends with %+v", b.ID, first[b.ID], end)
		}
		end := last[b.ID]
		if by := done[end.Cause]; (b.ReplacedBy != uuid.Nil || end.By.Reason == "upgraded") && by.BookingID != b.ReplacedBy {
			d.Fatalf("booking %s was replaced by %s, and ended because of %+v", b.ID, b.ReplacedBy, by)
		}
	}
}

func (d *sandbox) describe(slotID uuid.UUID) string {
	var lines strings.Builder
	for _, e := range d.state.Entries() {
		if e.SlotID == slotID {
			fmt.Fprintf(&lines, "\n%3d %-15s %s of %s: %d %-10s %d/%d +%d cause %d of %s %s", e.Version, e.Kind, e.BookingID.String()[32:], e.UserID.String()[34:],
				e.Seats, e.Status, e.SeatsTaken, e.Capacity, e.WaitlistLength, e.Cause.Version, e.Cause.SlotID.String()[34:], e.By.Reason)
		}
	}
	return lines.String()
}
