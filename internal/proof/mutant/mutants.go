//go:build unix

package mutant

// Mutant is the real code with one mistake in it, of the kind that people make.
type Mutant struct {
	Name string
	// Mistake says it in a sentence.
	Mistake string
	// Edits make it; each applies exactly once.
	Edits []Edit
	// Disarm is SQL that takes away what the database would refuse by itself.
	Disarm string
	// SeenBy are the checkers that must see it.
	SeenBy []string
}

// The checkers.
const (
	Witness = "witness"
	Linear  = "linear"
	Keys    = "keys"
	Crash   = "crash"
	// Sequences are the named ones of package sequence, Starting the test of package
	// desk in which a slot starts while it is read.
	Sequences = "sequences"
	Starting  = "starting"
)

// The packages of the service that are edited: the pure slots, what loads them
// from the database, and transactions.
const (
	slots        = "internal/seating"
	desk         = "internal/desk"
	transactions = "internal/postgres"
)

const (
	// unguarded lets writes through that were decided on another version.
	unguarded = `
		ALTER TABLE ledger DROP CONSTRAINT ledger_one_entry_per_version CASCADE;
		CREATE OR REPLACE FUNCTION expect_rows(what text, actual bigint, expected bigint) RETURNS void LANGUAGE sql AS '';`
	oversellable = `
		ALTER TABLE slots DROP CONSTRAINT slots_no_oversell;
		ALTER TABLE ledger DROP CONSTRAINT ledger_no_oversell;`
	overlappable = `ALTER TABLE bookings DROP CONSTRAINT bookings_no_overlap;`
)

// disarmed is what the code refuses by itself: the core verifies the books of a
// slot after every command. Like the constraints that a mutant drops, that must
// not stand in for the checkers.
var disarmed = Edit{slots, "State.verify", Start, `if mutantName != "" { return }`}

// All are the mutants.
var All = []Mutant{
	{
		Name: "no-lock", Mistake: "the slot is read, but not locked",
		Edits: []Edit{{desk, "lockSlots", Calling("read", "locked"),
			`read($1, $2, pick("no-lock", db.New().SlotsFind, $3), $4)`}},
		Disarm: unguarded, SeenBy: []string{Witness},
	},
	{
		Name: "stale-read", Mistake: "the slot is read before it is locked",
		// The batch begins with BEGIN and the timeouts; the locks come next.
		Edits: []Edit{{desk, "lockSlots", Calling("read", "SlotsLoad"),
			`$0
			if mutated("stale-read") {
				queued := $1.batch.QueuedQueries
				read := queued[len(queued)-1]
				copy(queued[3:], queued[2:len(queued)-1])
				queued[2] = read
			}`}},
		Disarm: unguarded, SeenBy: []string{Witness},
	},
	{
		Name: "oversell", Mistake: "<= for <: a newcomer gets one seat that is not there",
		Edits: []Edit{
			{slots, "Slot.fits", Operator("<=", "minSeats"), `$x <= $y+pick("oversell", 1, 0)`},
			{slots, "Book.weigh", Calling("min"), `if !mutated("oversell") { $0 }`},
		},
		Disarm: oversellable, SeenBy: []string{Witness, Linear},
	},
	{
		Name: "lifo", Mistake: "who came last is served first",
		Edits:  []Edit{{slots, "State.promote", Indexing("ready"), `$x[pick("lifo", len($x)-1-($y), $y)]`}},
		SeenBy: []string{Witness, Linear},
	},
	{
		Name: "late-promotion", Mistake: "a freed seat wakes nobody",
		Edits:  []Edit{{slots, "Slot.markPromotionDue", Start, `if mutated("late-promotion") { return }`}},
		SeenBy: []string{Witness},
	},
	{
		Name: "double-promotion", Mistake: "a waiter is promoted twice",
		Edits: []Edit{{slots, "State.promoteOne", Calling("transition", "KindPromoted"),
			`$0
			if mutated("double-promotion") { $0 }`}},
		SeenBy: []string{Witness},
	},
	{
		Name: "queue-jump", Mistake: "a newcomer takes a seat past those who wait",
		Edits: []Edit{
			{slots, "Book.apply", Calling("promote"),
				`if mutated("queue-jump") { $1.PromotionDueAt = time.Time{} }
				$0`},
			{slots, "Slot.canSeat", Operator("&&", "WaitlistReady"), `!mutated("queue-jump") && $0`},
		},
		SeenBy: []string{Witness, Linear},
	},
	{
		Name: "rules-unnoticed", Mistake: "an edit of the event's rules makes no promotion due",
		Edits:  []Edit{{slots, "EditRules.apply", Calling("noteReordered"), `if !mutated("rules-unnoticed") { $0 }`}},
		SeenBy: []string{Witness},
	},
	{
		Name: "passed-too-often", Mistake: "<= for <: a head is passed once more than it may be",
		Edits: []Edit{{slots, "Slot.cannotPass", Operator(">=", "Passes"),
			`($x > $y || !mutated("passed-too-often") && $x == $y)`}},
		SeenBy: []string{Witness},
	},
	{
		Name: "dropped-cancel", Mistake: "one in ten cancellations is acknowledged and not done",
		Edits: []Edit{{slots, "Cancel.apply", Calling("transition"),
			`if mutated("dropped-cancel") && ${Cancel}.BookingID[15]%10 == 0 {
				dropped := *$1
				dropped.Status = Cancelled
				return Result{Slot: *$recv.slots[dropped.SlotID], Booking: dropped}, nil
			}
			$0`}},
		SeenBy: []string{Witness, Linear},
	},
	{
		Name: "version-reused", Mistake: "a cancellation takes the version of the entry before it",
		Edits: []Edit{{slots, "State.record", Changing("++", "Version"),
			`if !mutated("version-reused") || ${Kind} != KindCancelled { $0 }`}},
		Disarm: unguarded, SeenBy: []string{Witness},
	},
	{
		Name: "seat-not-released", Mistake: "the seats of a cancelled booking stay counted",
		Edits:  []Edit{{slots, "State.uncount", Changing("-=", "SeatsTaken"), `if !mutated("seat-not-released") { $0 }`}},
		Disarm: oversellable, SeenBy: []string{Witness, Linear},
	},
	{
		Name: "overlap-unchecked", Mistake: "nobody asks whether the user has seats elsewhere at that time",
		Edits:  []Edit{{slots, "State.blocker", Start, `if mutated("overlap-unchecked") { return nil }`}},
		Disarm: overlappable, SeenBy: []string{Linear},
	},
	{
		Name: "half-a-move", Mistake: "a move books the new seats and keeps the old ones",
		Edits:  []Edit{{slots, "Move.apply", Calling("transition"), `if !mutated("half-a-move") { $0 }`}},
		Disarm: overlappable, SeenBy: []string{Linear},
	},
	{
		Name: "limits-unchecked", Mistake: "nobody asks how many seats a booking or a user may have",
		Edits:  []Edit{{slots, "State.checkLimits", Start, `if mutated("limits-unchecked") { return nil }`}},
		SeenBy: []string{Witness, Linear, Sequences},
	},
	{
		Name: "bundle-in-parts", Mistake: "the items of a bundle do not count together for the limit of a user",
		Edits:  []Edit{{slots, "ofEvent", Start, `if mutated("bundle-in-parts") { return nil }`}},
		SeenBy: []string{Linear, Sequences},
	},
	{
		Name: "limit-unlocked", Mistake: "the seats that a user has in other slots of the event are not read",
		Edits:  []Edit{{desk, "loaded.limited", Start, `if mutated("limit-unlocked") { return db.BookingsOfEventsParams{} }`}},
		SeenBy: []string{Linear, Sequences},
	},
	{
		Name: "exchange-outgrown", Mistake: "who may not give a booking back gets another one beside it, whatever the limit",
		Edits:  []Edit{{slots, "State.isOverLimit", Start, `if mutated("exchange-outgrown") { return false }`}},
		SeenBy: []string{Sequences},
	},
	{
		Name: "past-rewritten", Mistake: "bookings change after they were attended",
		Edits:  []Edit{{slots, "Booking.isFinal", Start, `if mutated("past-rewritten") { return false }`}},
		SeenBy: []string{Sequences},
	},
	{
		Name: "upgrade-lost", Mistake: "a move forgets who waits for seats instead of the moved booking",
		Edits:  []Edit{{slots, "Move.apply", Changing("=", "ReplacedBy"), `if !mutated("upgrade-lost") { $0 }`}},
		SeenBy: []string{Sequences},
	},
	{
		Name: "queued-twice", Mistake: "the queue of a slot that starts while it is read is loaded twice",
		Edits:  []Edit{{desk, "loaded.separateQueues", Calling("DeleteFunc", "waitedOut"), `if !mutated("queued-twice") { $0 }`}},
		SeenBy: []string{Starting},
	},
	{
		Name: "key-ignored", Mistake: "an idempotency key is not looked at",
		Edits:  []Edit{{desk, "Desk.Do", Start, `if mutated("key-ignored") { ${Submission}.Key = nil }`}},
		SeenBy: []string{Keys},
	},
	{
		Name: "not-on-disk", Mistake: "a booking is acknowledged before its commit is on disk",
		Edits: []Edit{{transactions, "Timeouts.SQL", Text("synchronous_commit"),
			`respelled("not-on-disk", $0, "'synchronous_commit', 'on'", "'synchronous_commit', 'off'")`}},
		SeenBy: []string{Crash},
	},
}
