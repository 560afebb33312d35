package seating

import (
	"time"

	"github.com/google/uuid"
)

// Command is one change of one slot's seats or queue. Commands are plain data:
// they may be built anywhere and mean the same everywhere.
type Command interface {
	// needs says what has to be locked and loaded before apply.
	needs() needs
	// apply decides and changes the state. Whatever it refuses, it refuses with a fault.
	apply(*State) (Result, error)
}

// Result is what a command came to.
type Result struct {
	// Slot as it is after the command; its Version is where this was decided.
	Slot Slot
	// Booking is the one that the command is about, if there is one.
	Booking Booking
	// Parts are the results of a bundle's items.
	Parts []Result
	// Promoted are the bookings that got seats by it.
	Promoted []Booking
	// More says that there is more of the same to do.
	More bool
}

// needs is what a command must find in the state.
type needs struct {
	// slots are locked; the first is the slot that the command is about.
	slots []uuid.UUID
	// users are locked, besides those of the bookings that are loaded.
	users []uuid.UUID
	// bookings are loaded by their ids; their slots must be among slots.
	bookings []uuid.UUID
	// wishes are the seats that users want: their live and their overlapping bookings are loaded.
	wishes []wish
	// holders are users whose held seats are counted.
	holders []uuid.UUID
	// frees says that seats may become free, so the heads of the queues are wanted.
	frees bool
	// unblocks asks for blocked waiters whose reason may be gone, or will be with
	// this capacity.
	unblocks bool
	capacity int
	// clears asks for a page of the slot's live bookings.
	clears bool
	// retimes is the new time of the slot, whose attendees are then loaded.
	// Nothing else goes into the same batch.
	retimes *retiming
}

type wish struct{ userID, slotID uuid.UUID }

// retiming is a new time for a slot; nil leaves a bound as it is.
type retiming struct{ startsAt, endsAt *time.Time }

// of are the times after the change.
func (r retiming) of(starts, ends time.Time) (time.Time, time.Time) {
	if r.startsAt != nil {
		starts = *r.startsAt
	}
	if r.endsAt != nil {
		ends = *r.endsAt
	}
	return starts, ends
}

// Bounds of the work of one command. What is left is done by the next one.
const (
	// expirePage is how many holds, offers and waits one command lets expire.
	expirePage = 1000
	// promotePage is how many bookings one command promotes, blocks or unblocks.
	promotePage = 300
	// lookAhead is how far first_fit looks past bookings that do not fit.
	lookAhead = 100
	// headsPage is how much of a queue is loaded.
	headsPage = promotePage + lookAhead
	// maxReplacements bounds how far a replaced booking is followed to its successor.
	maxReplacements = 10
	// maxHeld is how many seats a user may hold at once.
	maxHeld = 20
	// MaxBundle is how many slots one bundle may have.
	MaxBundle = 10
	// clearPage is how many bookings one command cancels for a cancelled slot.
	clearPage = 500
	// MaxRetimed is how many bookings a slot may have for its time to change.
	MaxRetimed = 10_000
)
