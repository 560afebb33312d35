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

// Edit replaces a piece of a file by one that is wrong when the mutant is asked
// for: mutated(name) is true then.
type Edit struct{ File, Old, New string }

// The checkers.
const (
	Witness = "witness"
	Linear  = "linear"
	Keys    = "keys"
	Crash   = "crash"
)

const (
	slotGo    = "internal/seating/slot.go"
	stateGo   = "internal/seating/state.go"
	bookGo    = "internal/seating/book.go"
	promoteGo = "internal/seating/promote.go"
	cancelGo  = "internal/seating/cancel.go"
	moveGo    = "internal/seating/move.go"
	loadGo    = "internal/seating/load.go"
	deskGo    = "internal/seating/desk.go"
	txGo      = "internal/postgres/tx.go"
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

// All are the mutants.
var All = []Mutant{
	{
		Name: "no-lock", Mistake: "the slot is read, but not locked",
		Edits: []Edit{{loadGo,
			"	p.batch.Queue(begin)\n",
			"	if mutated(\"no-lock\") {\n		lock = db.SlotsFind\n	}\n	p.batch.Queue(begin)\n"}},
		Disarm: unguarded, SeenBy: []string{Witness},
	},
	{
		Name: "stale-read", Mistake: "the slot is read before it is locked",
		Edits: []Edit{
			{loadGo,
				"	all := needsOf(tickets)\n",
				"	all := needsOf(tickets)\n	var stale []db.SlotsLoadRow\n	if mutated(\"stale-read\") {\n		collect(p, &stale, db.SlotsLoad, all.slots)\n	}\n"},
			{loadGo,
				"	l.now = clock[0].Now\n",
				"	l.now = clock[0].Now\n	if mutated(\"stale-read\") {\n		slots = stale\n	}\n"},
		},
		Disarm: unguarded, SeenBy: []string{Witness},
	},
	{
		Name: "oversell", Mistake: "<= for <: a newcomer gets one seat that is not there",
		Edits: []Edit{
			{bookGo,
				"	p.passed, p.served = slot.serves(p.b)\n",
				"	p.passed, p.served = slot.serves(p.b)\n	if mutated(\"oversell\") && p.b.least() == slot.Free()+1 && slot.WaitlistReady == 0 {\n		p.served = true\n	}\n"},
		},
		Disarm: oversellable, SeenBy: []string{Witness, Linear},
	},
	{
		Name: "lifo", Mistake: "who came last is served first",
		Edits: []Edit{{promoteGo,
			"		b := slot.ready[len(passed)]\n",
			"		b := slot.ready[len(passed)]\n		if mutated(\"lifo\") {\n			b = slot.ready[len(slot.ready)-1-len(passed)]\n		}\n"}},
		SeenBy: []string{Witness, Linear},
	},
	{
		Name: "late-promotion", Mistake: "a freed seat wakes nobody",
		Edits: []Edit{{slotGo,
			"func (s *Slot) look(now time.Time) {\n",
			"func (s *Slot) look(now time.Time) {\n	if mutated(\"late-promotion\") {\n		return\n	}\n"}},
		SeenBy: []string{Witness},
	},
	{
		Name: "double-promotion", Mistake: "a waiter is promoted twice",
		Edits: []Edit{{promoteGo,
			"		s.turn(b, Confirmed, KindPromoted, System(\"\"), cause)\n",
			"		s.turn(b, Confirmed, KindPromoted, System(\"\"), cause)\n		if mutated(\"double-promotion\") {\n			s.turn(b, Confirmed, KindPromoted, System(\"\"), cause)\n		}\n"}},
		SeenBy: []string{Witness},
	},
	{
		Name: "queue-jump", Mistake: "a newcomer takes a seat past those who wait",
		Edits: []Edit{{bookGo,
			"	promoted, _ := s.promote(slot)\n",
			"	var promoted []Booking\n	if !mutated(\"queue-jump\") {\n		promoted, _ = s.promote(slot)\n	} else {\n		slot.PromotionDueAt = time.Time{}\n	}\n"},
			{promoteGo,
				"	case s.WaitlistReady > 0 && (!s.readyLoaded() || s.exhausted(s.ready)):\n",
				"	case !mutated(\"queue-jump\") && s.WaitlistReady > 0 && (!s.readyLoaded() || s.exhausted(s.ready)):\n"}},
		SeenBy: []string{Witness, Linear},
	},
	{
		Name: "passed-too-often", Mistake: "<= for <: a head is passed once more than it may be",
		Edits: []Edit{{promoteGo,
			"b.Passes >= s.Policy.MaxPasses",
			"(b.Passes > s.Policy.MaxPasses || !mutated(\"passed-too-often\") && b.Passes == s.Policy.MaxPasses)"}},
		SeenBy: []string{Witness},
	},
	{
		Name: "dropped-cancel", Mistake: "one in ten cancellations is acknowledged and not done",
		Edits: []Edit{{cancelGo,
			"		s.turn(b, Cancelled, KindCancelled, c.By, Cause{})\n",
			"		if mutated(\"dropped-cancel\") && c.BookingID[15]%10 == 0 {\n			dropped := *b\n			dropped.Status = Cancelled\n			return Result{Slot: *slot, Booking: dropped}, nil\n		}\n		s.turn(b, Cancelled, KindCancelled, c.By, Cause{})\n"}},
		SeenBy: []string{Witness, Linear},
	},
	{
		Name: "version-reused", Mistake: "a cancellation takes the version of the entry before it",
		Edits: []Edit{{stateGo,
			"	slot.Version++\n",
			"	if !mutated(\"version-reused\") || kind != KindCancelled {\n		slot.Version++\n	}\n"}},
		Disarm: unguarded, SeenBy: []string{Witness},
	},
	{
		Name: "seat-not-released", Mistake: "the seats of a cancelled booking stay counted",
		Edits: []Edit{{stateGo,
			"		slot.SeatsTaken -= b.Seats\n",
			"		if !mutated(\"seat-not-released\") {\n			slot.SeatsTaken -= b.Seats\n		}\n"}},
		Disarm: oversellable, SeenBy: []string{Witness, Linear},
	},
	{
		Name: "overlap-unchecked", Mistake: "nobody asks whether the user has seats elsewhere at that time",
		Edits: []Edit{{stateGo,
			"func (s *State) blocker(userID uuid.UUID, starts, ends time.Time, except uuid.UUID) *Booking {\n",
			"func (s *State) blocker(userID uuid.UUID, starts, ends time.Time, except uuid.UUID) *Booking {\n	if mutated(\"overlap-unchecked\") {\n		return nil\n	}\n"}},
		Disarm: overlappable, SeenBy: []string{Linear},
	},
	{
		Name: "half-a-move", Mistake: "a move books the new seats and keeps the old ones",
		Edits: []Edit{{moveGo,
			"	s.turn(old, Cancelled, KindMoved, c.By, Cause{})\n",
			"	if !mutated(\"half-a-move\") {\n		s.turn(old, Cancelled, KindMoved, c.By, Cause{})\n	}\n"}},
		Disarm: overlappable, SeenBy: []string{Linear},
	},
	{
		Name: "key-ignored", Mistake: "an idempotency key is not looked at",
		Edits: []Edit{{deskGo,
			"	t := newTicket(o)\n",
			"	if mutated(\"key-ignored\") {\n		o.Key = nil\n	}\n	t := newTicket(o)\n"}},
		SeenBy: []string{Keys},
	},
	{
		Name: "not-on-disk", Mistake: "a booking is acknowledged before its commit is on disk",
		Edits: []Edit{{txGo,
			"\"set_config('idle_in_transaction_session_timeout', '%dms', true), set_config('synchronous_commit', 'on', true)\",\n",
			"\"set_config('idle_in_transaction_session_timeout', '%dms', true), set_config('synchronous_commit', '\"+durable()+\"', true)\",\n"}},
		SeenBy: []string{Crash},
	},
}
