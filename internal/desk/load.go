package desk

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// pages says how much of the queues a batch reads.
type pages struct {
	// spare is how many more bookings than can get seats.
	spare int32
	// whole are the slots of whose queues it reads the largest page.
	whole []uuid.UUID
}

// cutShort returns the slots of whose queues more must be read, because the commands
// needed more than the pages had.
func (p pages) cutShort(s *seating.State) []uuid.UUID {
	return slices.DeleteFunc(s.CutShort(), func(id uuid.UUID) bool { return slices.Contains(p.whole, id) })
}

// loaded is what a batch has locked and read.
type loaded struct {
	locks  locking
	locked []uuid.UUID
	// events are locked: those of the slots in spanning, whose times or status may change.
	events, spanning []uuid.UUID
	now              time.Time
	slots            map[uuid.UUID]seating.Slot

	named, due, waitedOut, heads, unblockable, cancelling, attending []db.Booking

	users       []db.UsersLockRow
	overlapping []db.Booking
	live        []db.Booking
	others      []db.Booking // those that block waiting bookings, and those to be given back
	held        []db.SeatsHeldRow
	blocks      []db.SlotsBlockedByRow
	waiting     []db.SlotsAwaitedRow
	claims      []db.BookingsOfEventsRow
	holds       []db.HoldsEndedRow
	changes     []db.ChangesCountRow
	quotas      seating.Quotas
	answered    keyring
	keysUsed    []db.IdempotencyKeysCountRow
}

// lockSlots is the first round trip: it begins the transaction, locks the slots and
// the events whose spans may change, and reads what only the holder of these locks can
// change.
func lockSlots(ctx context.Context, conn *pgx.Conn, commands []*pending, locks locking, pages pages) (*loaded, error) {
	l, p, q := &loaded{locks: locks}, &pipeline{}, db.New()
	begin, lock, lockEvents := postgres.Begin, q.SlotsLock, q.EventsLock
	switch locks {
	case skipLocked:
		lock, lockEvents = q.SlotsLockFree, q.EventsLockFree
	case readOnly:
		begin, lock = beginReadOnly, q.SlotsFind
	}
	p.batch.Queue(begin)
	p.batch.Queue(postgres.DefaultTimeouts.SQL())

	all := unite(commands)
	read(p, &l.locked, lock, all.slots)
	if len(all.spanning) > 0 && locks != readOnly {
		l.spanning = all.spanning
		read(p, &l.events, lockEvents, all.spanning)
	}
	read(p, &l.now, clock, q)
	var slots []db.SlotsLoadRow
	read(p, &slots, q.SlotsLoad, all.slots)
	if len(all.bookings) > 0 {
		read(p, &l.named, q.BookingsNamed, all.bookings)
	}
	read(p, &l.due, q.BookingsDue, db.BookingsDueParams{SlotIds: all.slots, Page: seating.ExpirePage})
	read(p, &l.waitedOut, q.BookingsWaitedOut, db.BookingsWaitedOutParams{SlotIds: all.slots, Page: seating.ExpirePage})
	if len(all.serving) > 0 {
		read(p, &l.heads, q.BookingsHeads, all.heads(pages))
	}
	if len(all.unblocking) > 0 {
		read(p, &l.unblockable, q.BookingsUnblockable, all.unblockable())
	}
	if len(all.cancelling) > 0 {
		read(p, &l.cancelling, q.BookingsCancelling, db.BookingsCancellingParams{SlotIds: all.cancelling, Page: seating.CancelPage})
	}
	if all.moving != uuid.Nil {
		read(p, &l.attending, q.BookingsSeated, db.BookingsSeatedParams{SlotID: all.moving, Page: seating.MaxTimeChange + 1})
	}
	if err := p.send(ctx, conn); err != nil {
		return nil, fmt.Errorf("lock slots: %w", err)
	}
	l.slots = slotsByID(slots)
	l.separateQueues()
	return l, nil
}

// separateQueues leaves waitedOut the queues of slots that have started, and heads
// those of the others. A slot may start between the statements that read them, and
// is in both then: only the clock that was read before decides, or its bookings
// would be in the queue twice.
func (l *loaded) separateQueues() {
	hasStarted := func(b db.Booking) bool { slot := l.slots[b.SlotID]; return slot.Started(l.now) }
	l.waitedOut = slices.DeleteFunc(l.waitedOut, func(b db.Booking) bool { return !hasStarted(b) })
	l.heads = slices.DeleteFunc(l.heads, hasStarted)
}

func slotsByID(rows []db.SlotsLoadRow) map[uuid.UUID]seating.Slot {
	slots := make(map[uuid.UUID]seating.Slot, len(rows))
	for _, row := range rows {
		slots[row.ID] = SlotOf(row)
	}
	return slots
}

// clock reads the database's clock.
func clock(ctx context.Context, conn db.DBTX, q *db.Queries) (time.Time, error) {
	return q.ClockRead(ctx, conn)
}

// lockUsers is the second round trip: it locks the users whose bookings may change,
// and reads their other bookings, their held seats and their idempotency keys.
func (l *loaded) lockUsers(ctx context.Context, conn *pgx.Conn, commands []*pending) error {
	l.dropContended()
	users, others, ending := l.concerned(commands)
	holders, keys := holdersAndKeys(commands)
	p, q := &pipeline{}, db.New()
	lock := q.UsersLock
	if l.locks == readOnly {
		lock = usersFind
	}
	read(p, &l.users, lock, seating.SortedIDs(append(users, keys.UserIds...)))
	if w := l.wanted(commands); len(w.users) > 0 {
		read(p, &l.overlapping, q.BookingsOverlapping, db.BookingsOverlappingParams{UserIds: w.users, Starts: w.starts, Ends: w.ends})
		read(p, &l.live, q.BookingsLive, db.BookingsLiveParams{UserIds: w.users, SlotIds: w.slots})
		read(p, &l.waiting, q.SlotsAwaited, db.SlotsAwaitedParams{UserIds: w.users, Starts: w.starts, Ends: w.ends})
	}
	l.readQuotas(p, commands)
	if limited := l.limited(commands); len(limited.UserIds) > 0 {
		read(p, &l.claims, q.BookingsOfEvents, limited)
	}
	if len(others) > 0 {
		read(p, &l.others, q.BookingsSucceeding, db.BookingsSucceedingParams{Ids: others, Hops: seating.MaxReplacements})
	}
	if ending = append(ending, others...); len(ending) > 0 {
		read(p, &l.blocks, q.SlotsBlockedBy, seating.SortedIDs(ending))
	}
	if len(holders) > 0 {
		read(p, &l.held, q.SeatsHeld, db.SeatsHeldParams{UserIds: holders, Now: &l.now})
	}
	var stored []db.IdempotencyKey
	if len(keys.Keys) > 0 {
		read(p, &stored, q.IdempotencyKeysLoad, keys)
	}
	if err := p.send(ctx, conn); err != nil {
		return fmt.Errorf("lock users: %w", err)
	}
	var err error
	l.answered, err = newKeyring(stored)
	return err
}

// holdersAndKeys returns the users whose held seats are counted, and the idempotency
// keys of the commands.
func holdersAndKeys(commands []*pending) (holders []uuid.UUID, keys db.IdempotencyKeysLoadParams) {
	for _, c := range commands {
		holders = append(holders, c.needs.Holders...)
		if c.Key != nil {
			keys.UserIds, keys.Keys = append(keys.UserIds, c.Key.UserID), append(keys.Keys, c.Key.Value)
		}
	}
	return holders, keys
}

// usersFind reads users like UsersLock, without locking them.
func usersFind(ctx context.Context, conn db.DBTX, ids []uuid.UUID) ([]db.UsersLockRow, error) {
	found, err := db.New().UsersFind(ctx, conn, ids)
	rows := make([]db.UsersLockRow, len(found))
	for i, row := range found {
		rows[i] = db.UsersLockRow(row)
	}
	return rows, err
}

// concerned returns the users whose bookings may change, the bookings that block
// others or are to be given back, and the bookings that may end.
func (l *loaded) concerned(commands []*pending) (users, others, ending []uuid.UUID) {
	for _, c := range commands {
		users = append(users, c.needs.Users...)
	}
	for b := range l.ofSlots() {
		users = append(users, b.UserID)
		for _, other := range []*uuid.UUID{b.BlockedBy, b.ReplacesBookingID} {
			if other != nil {
				others = append(others, *other)
			}
		}
		if seating.Status(b.Status).TakesSeats() {
			ending = append(ending, b.ID)
		}
	}
	return users, seating.SortedIDs(others), ending
}

// isContended says whether a slot exists and another transaction has locked it, or its
// event if that must be locked too.
func (l *loaded) isContended(id uuid.UUID) bool {
	slot, exists := l.slots[id]
	return exists && (!slices.Contains(l.locked, id) || l.lacksEvent(slot))
}

// lacksEvent says whether a slot's event must be locked and another transaction has
// locked it.
func (l *loaded) lacksEvent(slot seating.Slot) bool {
	return slices.Contains(l.spanning, slot.ID) && !slices.Contains(l.events, slot.EventID)
}

// dropContended drops what was read of slots that another transaction has locked.
func (l *loaded) dropContended() {
	contended := func(b db.Booking) bool { return l.isContended(b.SlotID) }
	for _, list := range []*[]db.Booking{&l.named, &l.due, &l.waitedOut, &l.heads, &l.unblockable, &l.cancelling, &l.attending} {
		*list = slices.DeleteFunc(*list, contended)
	}
	for id := range l.slots {
		if l.isContended(id) {
			delete(l.slots, id)
		}
	}
}

// ofSlots returns the bookings of the locked slots.
func (l *loaded) ofSlots() iter.Seq[db.Booking] {
	return concat(l.named, l.due, l.waitedOut, l.heads, l.unblockable, l.cancelling, l.attending)
}

// bookings returns all bookings that were read.
func (l *loaded) bookings() iter.Seq[db.Booking] {
	return concat(slices.Collect(l.ofSlots()), l.overlapping, l.live, l.others)
}

func concat[T any](lists ...[]T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, list := range lists {
			for _, x := range list {
				if !yield(x) {
					return
				}
			}
		}
	}
}

// wantedSeats says who may get seats in which slot at which time, as parallel arrays.
type wantedSeats struct {
	users, slots []uuid.UUID
	starts, ends []time.Time
}

func (w *wantedSeats) add(userID uuid.UUID, slot seating.Slot) {
	w.users, w.slots = append(w.users, userID), append(w.slots, slot.ID)
	w.starts, w.ends = append(w.starts, slot.StartsAt), append(w.ends, slot.EndsAt)
}

// wanted returns the seats that may be given out: to the users that commands name,
// to the heads of the queues, and to the attendees of a slot whose times change.
func (l *loaded) wanted(commands []*pending) wantedSeats {
	var w wantedSeats
	for _, c := range commands {
		for _, wanted := range c.needs.Wanted {
			if slot, ok := l.slots[wanted.SlotID]; ok {
				w.add(wanted.UserID, slot)
			}
		}
		if times := c.needs.NewTimes; times != nil {
			for _, b := range l.attending {
				slot := l.slots[b.SlotID]
				slot.StartsAt, slot.EndsAt = times.Change(slot.StartsAt, slot.EndsAt)
				if slot.StartsAt.Before(slot.EndsAt) {
					w.add(b.UserID, slot)
				}
			}
		}
	}
	for _, b := range slices.Concat(l.heads, l.unblockable) {
		w.add(b.UserID, l.slots[b.SlotID])
	}
	return w
}

// limited returns who may get more seats in an event that limits the seats of a user: whom
// commands name, and who waits for seats instead of others, which they may have to keep.
func (l *loaded) limited(commands []*pending) (p db.BookingsOfEventsParams) {
	seen := map[seating.UserEvent]bool{}
	add := func(userID, slotID uuid.UUID) {
		slot := l.slots[slotID]
		of := seating.UserEvent{UserID: userID, EventID: slot.EventID}
		if slot.Policy.MaxSeatsPerUser > 0 && !seen[of] {
			seen[of] = true
			p.UserIds, p.EventIds = append(p.UserIds, of.UserID), append(p.EventIds, of.EventID)
		}
	}
	for _, c := range commands {
		for _, wanted := range c.needs.Wanted {
			add(wanted.UserID, wanted.SlotID)
		}
	}
	for b := range concat(l.heads, l.unblockable) {
		if b.ReplacesBookingID != nil {
			add(b.UserID, b.SlotID)
		}
	}
	return p
}

// state builds a new State from what was read.
func (l *loaded) state() *seating.State {
	s := seating.NewState(l.now)
	s.Quotas = l.quotas
	for _, slot := range l.slots {
		s.AddSlot(slot)
	}
	for b := range concat(l.waitedOut, l.heads) {
		addWaiting(s, b)
	}
	for b := range l.bookings() {
		s.AddBooking(BookingOf(b))
	}
	for _, u := range l.users {
		s.AddRole(u.ID, u.Role)
		if u.DeletedAt != nil {
			s.AddDeleted(u.ID)
		}
	}
	for _, row := range l.claims {
		s.AddClaim(row.EventID, claimOf(row))
	}
	l.addQuotas(s)
	for _, row := range l.held {
		s.AddHeld(row.UserID, int(row.Seats))
	}
	for _, row := range l.blocks {
		s.AddBlock(row.BlockedBy, row.SlotID)
	}
	for _, row := range l.waiting {
		s.AddWait(row.UserID, seating.Waiting{SlotID: row.SlotID, StartsAt: row.StartsAt, EndsAt: row.EndsAt})
	}
	return s
}

func addWaiting(s *seating.State, row db.Booking) {
	if b := BookingOf(row); b.Ready() {
		s.AddHead(b)
	} else {
		s.AddBooking(b)
	}
}

// united has the needs of all commands of a batch.
type united struct {
	slots, bookings               []uuid.UUID
	freeing, cancelling, spanning []uuid.UUID
	// serving are the slots whose queues are read; whole those of which it is the
	// largest page.
	serving, whole []uuid.UUID
	// unblocking has slots, each with the capacity that it may get.
	unblocking map[uuid.UUID]int
	// moving is the slot whose times change, to newTimes.
	moving   uuid.UUID
	newTimes seating.NewTimes
}

func unite(commands []*pending) united {
	u := united{unblocking: map[uuid.UUID]int{}}
	for _, c := range commands {
		n := c.needs
		u.slots = append(u.slots, n.Slots...)
		u.bookings = append(u.bookings, n.Bookings...)
		u.serving = append(u.serving, n.Serves...)
		if n.Frees {
			u.freeing = append(u.freeing, n.Slots...)
		}
		if n.Queue {
			u.serving, u.whole = append(u.serving, n.Slots[0]), append(u.whole, n.Slots[0])
		}
		if n.Unblocks {
			u.unblocking[n.Slots[0]] = max(u.unblocking[n.Slots[0]], n.Capacity)
		}
		if n.ChangesSpan {
			u.spanning = append(u.spanning, n.Slots[0])
		}
		if n.CancelsAll {
			u.cancelling = append(u.cancelling, n.Slots[0])
		}
		if n.NewTimes != nil {
			u.moving, u.newTimes = n.Slots[0], *n.NewTimes
		}
	}
	u.slots, u.bookings = seating.SortedIDs(u.slots), seating.SortedIDs(u.bookings)
	u.freeing, u.cancelling = seating.SortedIDs(u.freeing), seating.SortedIDs(u.cancelling)
	u.spanning, u.serving = seating.SortedIDs(u.spanning), seating.SortedIDs(u.serving)
	return u
}

func (u united) heads(pages pages) db.BookingsHeadsParams {
	return db.BookingsHeadsParams{
		SlotIds: u.serving, Freeing: u.freeing, Named: u.bookings,
		Whole: slices.Concat(u.whole, pages.whole), Spare: pages.spare,
		Page: seating.HeadsPage, LookAhead: seating.LookAhead,
	}
}

func (u united) unblockable() db.BookingsUnblockableParams {
	p := db.BookingsUnblockableParams{Page: seating.PromotePage}
	for id, capacity := range u.unblocking {
		var times seating.NewTimes
		if id == u.moving {
			times = u.newTimes
		}
		p.SlotIds, p.Capacities = append(p.SlotIds, id), append(p.Capacities, int32(capacity))
		p.Starts, p.Ends = append(p.Starts, given(times.StartsAt)), append(p.Ends, given(times.EndsAt))
	}
	return p
}
