package seating

import (
	"time"

	"github.com/google/uuid"
)

// Command is one change of one slot's seats or queue. Commands are plain data:
// they may be built anywhere and mean the same everywhere. State.Apply runs one.
type Command interface {
	// Needs says what has to be locked and loaded before the command is applied.
	Needs() Needs
	// apply decides and changes the state. A refusal is a *fault.Error.
	apply(*State) (Result, error)
}

// Result is what a command came to.
type Result struct {
	// Slot as it is after the command; its Version is where this was decided.
	Slot Slot
	// Booking is the one that the command is about, if there is one.
	Booking Booking
	// Items are the results of a bundle's items.
	Items []Result
	// Promoted are the bookings that got seats by it.
	Promoted []Booking
	// More says that there is more of the same to do.
	More bool
}

// Needs is what a command must find in the state.
type Needs struct {
	// Slots are locked; the first is the slot that the command is about.
	Slots []uuid.UUID
	// Users are locked, besides those of the bookings that are loaded.
	Users []uuid.UUID
	// Bookings are loaded by their ids; their slots must be among Slots.
	Bookings []uuid.UUID
	// Wanted are the seats that users want: their live and their overlapping bookings are loaded.
	Wanted []UserSlot
	// Holders are users whose held seats are counted.
	Holders []uuid.UUID
	// Frees says that seats may become free, so the heads of the queues are loaded.
	Frees bool
	// Unblocks asks for blocked waiters whose reason may be gone, or will be with
	// this Capacity (0: it stays).
	Unblocks bool
	Capacity int
	// CancelsAll asks for a page of the slot's live bookings.
	CancelsAll bool
	// NewTimes are those that the slot is to get. Its attendees are loaded, and
	// nothing else goes into the same batch.
	NewTimes *NewTimes
}

// UserSlot is a user and a slot in which they want seats.
type UserSlot struct{ UserID, SlotID uuid.UUID }

// NewTimes are a slot's times to be; nil leaves a bound as it is.
type NewTimes struct{ StartsAt, EndsAt *time.Time }

// Over are the times after the change of those before.
func (n NewTimes) Over(starts, ends time.Time) (time.Time, time.Time) {
	if n.StartsAt != nil {
		starts = *n.StartsAt
	}
	if n.EndsAt != nil {
		ends = *n.EndsAt
	}
	return starts, ends
}

// Bounds of the work of one command, in bookings unless it says otherwise. What
// is left is done by the next command.
const (
	// ExpirePage is how many holds, offers and waits one command lets expire.
	ExpirePage = 1000
	// PromotePage is how many bookings one command promotes, blocks or unblocks.
	PromotePage = 300
	// lookAhead is how far first_fit looks past bookings that do not fit.
	lookAhead = 100
	// HeadsPage is how much of a queue is loaded.
	HeadsPage = PromotePage + lookAhead
	// MaxReplacements bounds how far a replaced booking is followed to its successor.
	MaxReplacements = 10
	// maxHeld is how many seats a user may hold at once.
	maxHeld = 20
	// MaxBundle is how many slots one bundle may have.
	MaxBundle = 10
	// CancelPage is how many bookings one command cancels for a cancelled slot.
	CancelPage = 500
	// MaxTimeChange is how many bookings a slot may have for its time to change.
	MaxTimeChange = 10_000
)
