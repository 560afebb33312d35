package seating

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/postgres"
)

// loaded is what a batch has locked and read.
type loaded struct {
	locks  locking
	locked []uuid.UUID
	now    time.Time
	slots  map[uuid.UUID]Slot

	named, due, waitedOut, heads, unblockable, clearing, seated []db.Booking

	users       []db.UsersLockRow
	overlapping []db.Booking
	live        []db.Booking
	others      []db.Booking // blockers, and bookings to be given back
	held        []db.SeatsHeldRow
	blocks      []db.SlotsBlockedByRow
	awaited     []db.SlotsAwaitedRow
	keys        []db.IdempotencyKey
	answered    keyring
}

// lockSlots is the first round trip: it begins, locks the slots, and reads what
// nobody else can change from now on.
func lockSlots(ctx context.Context, conn *pgx.Conn, tickets []*ticket, locks locking) (*loaded, error) {
	l, p := &loaded{locks: locks}, &pipeline{}
	begin, lock := postgres.Begin, db.SlotsLock
	switch locks {
	case skipLocked:
		lock = db.SlotsLockFree
	case onlyLook:
		begin, lock = beginLook, db.SlotsFind
	}
	p.batch.Queue(begin)
	p.batch.Queue(postgres.DefaultTimeouts.SQL())

	all := needsOf(tickets)
	collect(p, &l.locked, lock, all.slots)
	var clock []struct{ Now time.Time }
	collect(p, &clock, db.ClockRead)
	var slots []db.SlotsLoadRow
	collect(p, &slots, db.SlotsLoad, all.slots)
	if len(all.bookings) > 0 {
		collect(p, &l.named, db.BookingsNamed, all.bookings)
	}
	collect(p, &l.due, db.BookingsDue, all.slots, expirePage)
	collect(p, &l.waitedOut, db.BookingsWaitedOut, expirePage, all.slots)
	collect(p, &l.heads, db.BookingsHeads, headsPage, all.slots, all.freeing)
	if len(all.unblocking) > 0 {
		slots, capacities := all.unblockable()
		collect(p, &l.unblockable, db.BookingsUnblockable, slots, capacities, promotePage)
	}
	if len(all.clearing) > 0 {
		collect(p, &l.clearing, db.BookingsClearing, all.clearing, clearPage)
	}
	if all.retimed != uuid.Nil {
		collect(p, &l.seated, db.BookingsSeated, all.retimed, MaxRetimed+1)
	}
	if err := p.send(ctx, conn); err != nil {
		return nil, fmt.Errorf("lock slots: %w", err)
	}
	l.now = clock[0].Now
	l.slots = make(map[uuid.UUID]Slot, len(slots))
	for _, row := range slots {
		l.slots[row.ID] = slotOf(row)
	}
	return l, nil
}

// lockUsers is the second round trip: it locks everybody whose bookings may
// change, and reads what else they have.
func (l *loaded) lockUsers(ctx context.Context, conn *pgx.Conn, tickets []*ticket) error {
	l.dropStuck()
	var userIDs, keyUsers, holders []uuid.UUID
	var keys []string
	for _, t := range tickets {
		userIDs = append(userIDs, t.needs.users...)
		holders = append(holders, t.needs.holders...)
		if t.Key != nil {
			keyUsers, keys = append(keyUsers, t.Key.UserID), append(keys, t.Key.Value)
		}
	}
	userIDs = append(userIDs, keyUsers...)
	var others, ending []uuid.UUID
	for b := range l.mine() {
		userIDs = append(userIDs, b.UserID)
		others = append(others, given(b.BlockedBy), given(b.ReplacesBookingID))
		if Status(b.Status).TakesSeats() {
			ending = append(ending, b.ID)
		}
	}
	others = slices.DeleteFunc(sorted(others), func(id uuid.UUID) bool { return id == uuid.Nil })

	p := &pipeline{}
	lock := db.UsersLock
	if l.locks == onlyLook {
		lock = db.UsersFind
	}
	collect(p, &l.users, lock, sorted(userIDs))
	if w := l.wishes(tickets); len(w.users) > 0 {
		collect(p, &l.overlapping, db.BookingsOverlapping, w.users, w.starts, w.ends)
		collect(p, &l.live, db.BookingsLive, w.users, w.slots)
		collect(p, &l.awaited, db.SlotsAwaited, w.users, w.starts, w.ends)
	}
	if len(others) > 0 {
		collect(p, &l.others, db.BookingsSucceeding, others, maxReplacements)
	}
	if ending = append(ending, others...); len(ending) > 0 {
		collect(p, &l.blocks, db.SlotsBlockedBy, sorted(ending))
	}
	if len(holders) > 0 {
		collect(p, &l.held, db.SeatsHeld, holders, l.now)
	}
	if len(keys) > 0 {
		collect(p, &l.keys, db.IdempotencyKeysLoad, keyUsers, keys)
	}
	if err := p.send(ctx, conn); err != nil {
		return fmt.Errorf("lock users: %w", err)
	}
	var err error
	l.answered, err = newKeyring(l.keys)
	return err
}

// stuck says that a slot is there, and locked by somebody else.
func (l *loaded) stuck(id uuid.UUID) bool {
	_, exists := l.slots[id]
	return exists && !slices.Contains(l.locked, id)
}

// dropStuck forgets what belongs to slots that are not ours.
func (l *loaded) dropStuck() {
	foreign := func(b db.Booking) bool { return l.stuck(b.SlotID) }
	for _, list := range []*[]db.Booking{&l.named, &l.due, &l.waitedOut, &l.heads, &l.unblockable, &l.clearing, &l.seated} {
		*list = slices.DeleteFunc(*list, foreign)
	}
	for id := range l.slots {
		if l.stuck(id) {
			delete(l.slots, id)
		}
	}
}

// mine are the bookings of the locked slots.
func (l *loaded) mine() iter.Seq[db.Booking] {
	return concat(l.named, l.due, l.waitedOut, l.heads, l.unblockable, l.clearing, l.seated)
}

// bookings are all that were read.
func (l *loaded) bookings() iter.Seq[db.Booking] {
	return concat(slices.Collect(l.mine()), l.overlapping, l.live, l.others)
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

// wishlist is who may get seats in which slot at which time, as parallel arrays.
type wishlist struct {
	users, slots []uuid.UUID
	starts, ends []time.Time
}

func (w *wishlist) add(userID uuid.UUID, slot Slot) {
	w.users, w.slots = append(w.users, userID), append(w.slots, slot.ID)
	w.starts, w.ends = append(w.starts, slot.StartsAt), append(w.ends, slot.EndsAt)
}

// wishes are those of the commands, of the heads of the queues, and of the
// attendees of a slot whose time changes.
func (l *loaded) wishes(tickets []*ticket) wishlist {
	var w wishlist
	for _, t := range tickets {
		for _, wish := range t.needs.wishes {
			if slot, ok := l.slots[wish.slotID]; ok {
				w.add(wish.userID, slot)
			}
		}
		if r := t.needs.retimes; r != nil {
			for _, b := range l.seated {
				slot := l.slots[b.SlotID]
				slot.StartsAt, slot.EndsAt = r.of(slot.StartsAt, slot.EndsAt)
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

// state builds what the commands decide on, afresh each time.
func (l *loaded) state() *State {
	s := NewState(l.now)
	for _, slot := range l.slots {
		s.AddSlot(slot)
	}
	for _, b := range l.waitedOut {
		l.addWaiting(s, b)
	}
	for _, b := range l.heads {
		if slot := l.slots[b.SlotID]; !slot.Started(l.now) {
			l.addWaiting(s, b)
		}
	}
	for b := range l.bookings() {
		s.AddBooking(BookingOf(b))
	}
	for _, u := range l.users {
		s.deleted[u.ID] = u.DeletedAt != nil
	}
	for _, row := range l.held {
		s.held[row.UserID] = int(row.Seats)
	}
	for _, row := range l.blocks {
		s.blocks[row.BlockedBy] = append(s.blocks[row.BlockedBy], row.SlotID)
	}
	for _, row := range l.awaited {
		s.awaits[row.UserID] = append(s.awaits[row.UserID], awaited{row.SlotID, row.StartsAt, row.EndsAt})
	}
	return s
}

func (l *loaded) addWaiting(s *State, row db.Booking) {
	if b := BookingOf(row); b.Ready() {
		s.AddHead(b)
	} else {
		s.AddBooking(b)
	}
}

// needsOf unites the needs of tickets.
type united struct {
	slots, bookings   []uuid.UUID
	freeing, clearing []uuid.UUID
	// unblocking are slots with the capacity that they may get.
	unblocking map[uuid.UUID]int
	retimed    uuid.UUID
}

func needsOf(tickets []*ticket) united {
	u := united{unblocking: map[uuid.UUID]int{}}
	for _, t := range tickets {
		n := t.needs
		u.slots = append(u.slots, n.slots...)
		u.bookings = append(u.bookings, n.bookings...)
		if n.frees {
			u.freeing = append(u.freeing, n.slots...)
		}
		if n.unblocks {
			u.unblocking[n.slots[0]] = max(u.unblocking[n.slots[0]], n.capacity)
		}
		if n.clears {
			u.clearing = append(u.clearing, n.slots[0])
		}
		if n.retimes != nil {
			u.retimed = n.slots[0]
		}
	}
	u.slots, u.bookings = sorted(u.slots), sorted(u.bookings)
	u.freeing, u.clearing = sorted(u.freeing), sorted(u.clearing)
	return u
}

func (u united) unblockable() (slots []uuid.UUID, capacities []int32) {
	slots = sortedKeys(u.unblocking)
	for _, id := range slots {
		capacities = append(capacities, int32(u.unblocking[id]))
	}
	return slots, capacities
}

func slotOf(r db.SlotsLoadRow) Slot {
	limit := NoLimit
	if r.WaitlistLimit != nil {
		limit = int(*r.WaitlistLimit)
	}
	return Slot{
		ID: r.ID, EventID: r.EventID, OrganizerID: r.OrganizerID,
		EventStatus: EventStatus(r.EventStatus), Status: SlotStatus(r.Status),
		StartsAt: r.StartsAt, EndsAt: r.EndsAt, Capacity: int(r.Capacity),
		Policy: Policy{
			BookingOpensAt: given(r.BookingOpensAt), BookingClosesAt: given(r.BookingClosesAt),
			CancellationCloses: time.Duration(r.CancellationClosesMinutes) * time.Minute,
			WaitlistMode:       WaitlistMode(r.WaitlistMode), WaitlistLimit: limit,
			OfferFor: time.Duration(r.OfferMinutes) * time.Minute,
			HoldFor:  time.Duration(r.HoldMinutes) * time.Minute,
			Fit:      Fit(r.Fit), MaxPasses: int(r.MaxPasses),
		},
		Revision: r.Revision, Version: r.Version,
		SeatsTaken: int(r.SeatsTaken), WaitlistLength: int(r.WaitlistLength), WaitlistReady: int(r.WaitlistReady),
		FreedVersion: r.FreedVersion, PromotionDueAt: given(r.PromotionDueAt),
		CancelledBecause: r.CancelledBecause,
		CreatedAt:        r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// BookingOf reads a row.
func BookingOf(r db.Booking) Booking {
	return Booking{
		ID: r.ID, SlotID: r.SlotID, UserID: r.UserID,
		StartsAt: r.During.Lower.Time, EndsAt: r.During.Upper.Time,
		Seats: int(r.Seats), SeatsMin: int(given(r.SeatsMin)), Status: Status(r.Status), Version: r.Version,
		QueuedVersion: given(r.QueuedVersion), Passes: int(r.Passes),
		Blocked: Block(given(r.Blocked)), BlockedBy: given(r.BlockedBy), Replaces: given(r.ReplacesBookingID),
		ReplacedBy: given(r.ReplacedBy), MovedFrom: given(r.MovedFrom), CheckedInAt: given(r.CheckedInAt),
		ExpiresAt: given(r.ExpiresAt), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// given is the value of a nullable column, or its zero value.
func given[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// newKeyring is the keyring of stored answers.
func newKeyring(rows []db.IdempotencyKey) (keyring, error) {
	ring := keyring{}
	for _, row := range rows {
		response, err := idempotency.Stored(row)
		if err != nil {
			return nil, err
		}
		ring[keyID{row.UserID, row.Key}] = answered{row.Fingerprint, response}
	}
	return ring, nil
}
