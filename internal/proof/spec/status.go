package spec

import "slices"

// Status is where a booking is in its life. It is a number because models have to
// be cheap to copy.
type Status uint8

// A booking's life. The zero Status is none.
const (
	Waitlisted Status = 1 + iota
	Held
	Offered
	Confirmed
	Cancelled
	Expired
)

// statusNames are the words of the API.
var statusNames = [...]string{"", "waitlisted", "held", "offered", "confirmed", "cancelled", "expired"}

func (s Status) String() string { return statusNames[s] }

// StatusOf is the status that a word of the API names; one that it does not know
// is none.
func StatusOf(word string) Status { return Status(max(0, slices.Index(statusNames[:], word))) }

// UnmarshalText reads a word of the API.
func (s *Status) UnmarshalText(word []byte) error {
	*s = StatusOf(string(word))
	return nil
}

// TakesSeats says whether a booking of this status counts against the capacity.
func (s Status) TakesSeats() bool { return s == Held || s == Offered || s == Confirmed }

// Live says whether a booking of this status can still change.
func (s Status) Live() bool { return s.TakesSeats() || s == Waitlisted }

// Kind is what happened.
type Kind string

// The words of the ledger.
const (
	KindOpened        Kind = "opened"
	KindConfirmed     Kind = "confirmed"
	KindHeld          Kind = "held"
	KindWaitlisted    Kind = "waitlisted"
	KindPromoted      Kind = "promoted"
	KindOffered       Kind = "offered"
	KindPassed        Kind = "passed"
	KindBlocked       Kind = "blocked"
	KindUnblocked     Kind = "unblocked"
	KindAccepted      Kind = "accepted"
	KindDeclined      Kind = "declined"
	KindResized       Kind = "resized"
	KindMoved         Kind = "moved"
	KindCancelled     Kind = "cancelled"
	KindExpired       Kind = "expired"
	KindCheckedIn     Kind = "checked_in"
	KindCheckInUndone Kind = "check_in_undone"
	KindEdited        Kind = "edited"
	KindClosed        Kind = "closed"
	KindReopened      Kind = "reopened"
	KindSlotCancelled Kind = "slot_cancelled"
)

// kind is what a kind of entry means.
type kind struct {
	// take changes the slot, or says why that cannot be.
	take func(*Model, *Slot, Step) error
	// system: the service does it by itself, and nobody asked for it.
	system bool
	// by are the requests that may leave it in a ledger.
	by []Verb
}

var kinds map[Kind]kind

func init() {
	kinds = map[Kind]kind{
		KindOpened:        {take: (*Model).edit},
		KindConfirmed:     {take: (*Model).confirm, by: []Verb{Book, Bundle, Confirm, Move}},
		KindHeld:          {take: (*Model).seatNewcomer, by: []Verb{Hold}},
		KindWaitlisted:    {take: (*Model).enqueue, by: []Verb{Book}},
		KindPromoted:      {take: (*Model).promote, system: true},
		KindOffered:       {take: (*Model).promote, system: true},
		KindPassed:        {take: (*Model).pass, system: true},
		KindBlocked:       {take: (*Model).block, system: true},
		KindUnblocked:     {take: (*Model).block, system: true},
		KindAccepted:      {take: change(Confirmed, Offered), by: []Verb{Accept}},
		KindDeclined:      {take: change(Cancelled, Offered), by: []Verb{Decline}},
		KindResized:       {take: (*Model).resize, by: []Verb{Resize}},
		KindMoved:         {take: change(Cancelled, Confirmed), by: []Verb{Move}},
		KindCancelled:     {take: change(Cancelled, Waitlisted, Held, Offered, Confirmed), by: []Verb{Cancel}},
		KindExpired:       {take: (*Model).expire, system: true},
		KindCheckedIn:     {take: checkIn(true), by: []Verb{CheckIn}},
		KindCheckInUndone: {take: checkIn(false), by: []Verb{UndoCheckIn}},
		KindEdited:        {take: (*Model).edit, by: []Verb{EditCapacity, EditTimes, EditRules}},
		KindClosed:        {take: restate(Closed), by: []Verb{SetStatus}},
		KindReopened:      {take: restate(Open), by: []Verb{SetStatus}},
		KindSlotCancelled: {take: restate(SlotCancelled), by: []Verb{CancelSlot}},
	}
}

// System says whether the service does it by itself.
func (k Kind) System() bool { return kinds[k].system }

// Leaves says whether a request may leave an entry of a kind.
func (v Verb) Leaves(kind Kind) bool { return slices.Contains(kinds[kind].by, v) }
