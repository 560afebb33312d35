package seating

import (
	"time"

	"github.com/google/uuid"
)

// Command is one change of a slot's seats or queue, as plain data. State.Apply
// carries it out.
type Command interface {
	// Needs says what must be locked and loaded before the command is applied.
	Needs() Needs
	// apply decides and changes the state. A refusal is a *fault.Error. A refused
	// command may still expire what is due, and serve the queue.
	apply(*State) (Result, error)
}

// Result is what a command did.
type Result struct {
	// Slot is the slot after the command; its Version is where this was decided, and At
	// is when.
	Slot Slot
	At   time.Time
	// Booking is the booking that the command is about, if there is one.
	Booking Booking
	// Items are the results of a bundle's items.
	Items []Result
	// Promoted are the bookings from the waitlist that it confirmed or offered seats.
	Promoted []Booking
	// Repeated says, of a CheckIn, that it was done before and changed nothing.
	Repeated bool
	// More says that the same command would do more.
	More bool
}

// Needs is what a command must find in the state.
type Needs struct {
	// Slots are to be locked; the first is the slot that the command is about.
	Slots []uuid.UUID
	// Users are to be locked, besides the users of the bookings that are loaded.
	Users []uuid.UUID
	// Bookings are loaded by their ids; their slots must be among Slots.
	Bookings []uuid.UUID
	// Wanted says which users want seats in which slots: their live bookings of these
	// slots, their bookings at overlapping times and, if the event limits the seats of a
	// user, all that they have in it are loaded.
	Wanted []UserSlot
	// Holders are users whose held seats are counted.
	Holders []uuid.UUID
	// Holds says whose earlier holds of which slots count.
	Holds []UserSlot
	// Serves are the slots whose queues the command serves. As much of them is loaded as
	// the seats that are free, or become free in this batch, can need; State.CutShort says
	// when that was not enough.
	Serves []uuid.UUID
	// Frees says that seats may become free, or a queue may change its order.
	Frees bool
	// Queue asks for HeadsPage of the slot's queue, whatever is free.
	Queue bool
	// Unblocks asks for blocked bookings that may no longer be blocked, now or with
	// this Capacity (0: it stays) and NewTimes.
	Unblocks bool
	Capacity int
	// ChangesSpan says that the times or the status of a slot may change, and with them
	// the span of its event, which is to be locked.
	ChangesSpan bool
	// CancelsAll asks for a page of the slot's live bookings.
	CancelsAll bool
	// NewTimes are those that the slot is to get. Its attendees are loaded, and the
	// command gets a batch of its own.
	NewTimes *NewTimes
}

// UserSlot is a user and a slot in which they want seats.
type UserSlot struct{ UserID, SlotID uuid.UUID }

// NewTimes are changes of a slot's times; nil leaves one as it is.
type NewTimes struct{ StartsAt, EndsAt *time.Time }

// Change returns the times after the change.
func (n NewTimes) Change(starts, ends time.Time) (time.Time, time.Time) {
	if n.StartsAt != nil {
		starts = *n.StartsAt
	}
	if n.EndsAt != nil {
		ends = *n.EndsAt
	}
	return starts, ends
}

// Limits of commands. The pages count bookings; the next command does what is left.
const (
	// ExpirePage is how many holds and offers, and how many waiting bookings, one
	// command expires.
	ExpirePage = 1000
	// PromotePage is how many bookings one command promotes, blocks or unblocks.
	PromotePage = 300
	// LookAhead is how many bookings first_fit may pass in one search.
	LookAhead = 100
	// HeadsPage is how many bookings of a queue are loaded at most.
	HeadsPage = PromotePage + LookAhead
	// SpareHeads is how many more are loaded than can get seats: whoever turns out to be
	// busy is blocked, and the next one is served.
	SpareHeads = 10
	// MaxReplacements is how many times a replaced booking is followed to the one
	// that replaced it.
	MaxReplacements = 10
	// maxHeld is how many seats a user may hold at once.
	maxHeld = 20
	// MaxBundle is how many slots one bundle may have.
	MaxBundle = 10
	// CancelPage is how many bookings one CancelAllBookings cancels.
	CancelPage = 500
	// checkInCloses is how long after a slot's end attendance can be recorded.
	checkInCloses = 7 * 24 * time.Hour
	// MaxTimeChange is how many live bookings a slot may have for its times to change.
	MaxTimeChange = 10_000
)
