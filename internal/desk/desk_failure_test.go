package desk_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// lockSlot locks a slot in another transaction, until unlock is called.
func (e *env) lockSlot(slot uuid.UUID) (unlock func()) {
	return e.lock(`SELECT FROM slots WHERE id = $1 FOR UPDATE`, slot)
}

// lock runs a statement in another transaction, which keeps its locks until unlock is
// called.
func (e *env) lock(sql string, args ...any) (unlock func()) {
	e.t.Helper()
	ctx := context.Background()
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{})
	must(e.t, err)
	_, err = tx.Exec(ctx, sql, args...)
	must(e.t, err)
	return func() { must(e.t, tx.Rollback(ctx)) }
}

func TestLockedSlotDoesNotDelayOtherSlots(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 30)
	locked := e.slot(30, 24)
	unlock := e.lockSlot(locked)

	var group sync.WaitGroup
	for _, user := range e.users[:20] {
		group.Go(func() { e.mustBook(locked, user, 1, seating.Reject) })
	}
	// Both main workers keep getting commands of the locked slot; the others still run.
	for i := range 20 {
		e.mustBook(e.slot(5, 48+i), e.users[20+i%10], 1, seating.Reject)
	}
	if n := e.count(`SELECT seats_taken FROM slots WHERE id = $1`, locked); n != 0 {
		t.Errorf("%d seats taken in a locked slot", n)
	}
	unlock()
	group.Wait()
	if n := e.count(`SELECT seats_taken FROM slots WHERE id = $1`, locked); n != 20 {
		t.Errorf("%d seats taken, want 20", n)
	}
}

// Whoever changes the status of a slot waits for its event, and nobody else does.
func TestLockedEventDelaysOnlyChangesOfItsSpan(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 20)
	var slots []uuid.UUID
	for i := range 40 {
		slots = append(slots, e.slot(5, 24+i))
	}
	unlock := e.lock(`SELECT FROM events WHERE id = $1 FOR NO KEY UPDATE`, e.event)
	var group sync.WaitGroup
	for _, slot := range slots[:20] {
		group.Go(func() {
			closed := seating.SlotClosed
			if _, err := e.do(seating.EditSlot{SlotID: slot, Status: &closed, By: seating.System("")}); err != nil {
				t.Error(err)
			}
		})
	}
	for i, slot := range slots[20:] {
		e.mustBook(slot, e.users[i], 1, seating.Reject)
	}
	if n := e.count(`SELECT count(*) FROM slots WHERE status = 'closed'`); n != 0 {
		t.Errorf("%d slots of a locked event were closed", n)
	}
	unlock()
	group.Wait()
	if n := e.count(`SELECT count(*) FROM slots WHERE status = 'closed'`); n != 20 {
		t.Errorf("%d slots were closed, want 20", n)
	}
}

func TestSlotThatStaysLockedIsContention(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for lock timeouts")
	t.Parallel()
	e := newEnv(t, 2)
	slot := e.slot(1, 24)
	unlock := e.lockSlot(slot)
	defer unlock()
	_, err := e.book(slot, e.users[1], 1, seating.Reject)
	if f := fault.Of(err); f == nil || f.Status != 503 || f.RetryAfter == 0 {
		t.Errorf("error is %v, want a 503 with retry_after", err)
	}
}

// Whether the connection is lost or the deadline passes, nobody knows what a COMMIT
// without an answer did.
func TestUnansweredCommitIsOutcomeUnknown(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for a deadline")
	t.Parallel()
	for name, commit := range map[string]string{"connection lost": "pg_terminate_backend(pg_backend_pid())", "deadline passed": "pg_sleep(60)"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, 1)
			e.exec(`CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM ` + commit + `; RETURN NULL; END $$`)
			e.exec(`CREATE CONSTRAINT TRIGGER late AFTER INSERT ON bookings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`)
			_, err := e.book(e.slot(1, 1), e.users[0], 1, seating.Reject)
			wantFault(t, err, fault.OutcomeUnknown)
		})
	}
}

// A batch whose COMMIT was not answered may have happened: no part of it runs again, or
// somebody whose booking exists would be told already_booked.
func TestBatchWithAnUnknownOutcomeIsNotRepeated(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4)
	slot := e.slot(10, 24)
	// A sequence counts also what is rolled back.
	e.exec(`CREATE SEQUENCE commits`)
	e.exec(`CREATE FUNCTION lost() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		PERFORM nextval('commits'), pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)
	e.exec(`CREATE CONSTRAINT TRIGGER lost AFTER INSERT ON bookings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lost()`)
	var batch []desk.Submission
	for _, user := range e.users {
		batch = append(batch, desk.Submission{Command: seating.Book{
			BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: user, Seats: 1, By: seating.Actor{Role: seating.ActorAttendee, ID: user}}})
	}
	for _, err := range e.desk.RunTogether(batch...) {
		wantFault(t, err, fault.OutcomeUnknown)
	}
	if n := e.count(`SELECT last_value FROM commits`); n != 1 {
		t.Errorf("%d times COMMIT was sent, want once", n)
	}
}

// Of a batch, only the command fails that the database refuses, and the one that
// panics.
func TestOneFailingCommandDoesNotFailItsBatch(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 60)
	slot := e.slot(100, 24)
	unlock := e.lockSlot(slot) // so that all of them gather
	var group sync.WaitGroup
	for i, user := range e.users {
		group.Go(func() {
			submission := desk.Submission{Command: seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: user, Seats: 1, By: seating.System("")}}
			switch i {
			case 20: // breaks a foreign key
				submission.Command = seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: uuid.New(), Seats: 1, By: seating.System("")}
			case 40:
				submission.Render = func(seating.Result) (idempotency.Response, error) { panic("on purpose") }
			}
			_, err := e.desk.Do(context.Background(), submission)
			if bad := i == 20 || i == 40; bad != (err != nil) {
				t.Errorf("command %d: %v", i, err)
			}
		})
	}
	unlock()
	group.Wait()
	if n := e.count(`SELECT seats_taken FROM slots WHERE id = $1`, slot); n != 58 {
		t.Errorf("%d seats taken, want 58", n)
	}
}

func TestWithdrawnSubmissionNeverRuns(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 2)
	slot := e.slot(1, 24)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 {
		_, err := e.desk.Do(ctx, desk.Submission{Command: seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: e.users[1], Seats: 1, By: seating.System("")}})
		taken := e.count(`SELECT seats_taken FROM slots WHERE id = $1`, slot)
		if (err == nil) != (taken == 1) {
			t.Fatalf("error %v and %d seats taken", err, taken)
		}
		if err == nil {
			return // It was taken before it could be withdrawn.
		}
	}
}

func TestClosedDeskFinishesWhatItTook(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 40)
	slot := e.slot(100, 24)
	var group sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for _, user := range e.users {
		group.Go(func() {
			_, err := e.book(slot, user, 1, seating.Reject)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if fault.Of(err) == nil || fault.Of(err).Code != fault.ShuttingDown && fault.Of(err).Code != fault.Overloaded {
				t.Error(err)
			}
		})
	}
	e.desk.Close()
	group.Wait()
	if n := e.count(`SELECT seats_taken FROM slots WHERE id = $1`, slot); n != done {
		t.Errorf("%d seats taken, %d acknowledged", n, done)
	}
	_, err := e.book(slot, e.users[0], 1, seating.Reject)
	wantFault(t, err, fault.ShuttingDown)
}

func TestBookingsOfACancelledSlotAreCancelledInPages(t *testing.T) {
	testkit.SkipIfShort(t, "it makes 700 bookings")
	t.Parallel()
	e := newEnv(t, 700)
	slot := e.slot(400, 24)
	var group sync.WaitGroup
	for _, user := range e.users {
		group.Go(func() { e.mustBook(slot, user, 1, seating.Wait) })
	}
	group.Wait()
	status := seating.SlotCancelled
	_, err := e.do(seating.EditSlot{SlotID: slot, Status: &status, By: seating.System("storm")})
	must(t, err)
	pages := 0
	for more := true; more; pages++ {
		r, err := e.do(seating.CancelAllBookings{SlotID: slot})
		must(t, err)
		more = r.More
	}
	if n := e.count(`SELECT count(*) FROM bookings WHERE slot_id = $1 AND status <> 'cancelled'`, slot); n != 0 || pages != 2 {
		t.Errorf("%d bookings left after %d pages", n, pages)
	}
}

// An edit of a slot's times changes those of its bookings too. It is refused if
// somebody would have overlapping bookings.
func TestSlotTimesChangeWithTheBookings(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 3)
	slot, other := e.slot(5, 24), e.slot(5, 48)
	mine := e.mustBook(slot, e.users[1], 1, seating.Reject)
	e.mustBook(slot, e.users[2], 1, seating.Reject)
	e.mustBook(other, e.users[2], 1, seating.Reject)
	at := func(hours int) *time.Time { t := time.Now().Add(time.Duration(hours) * time.Hour); return &t }

	_, err := e.do(seating.EditSlot{SlotID: slot, StartsAt: at(48), EndsAt: at(49), By: seating.System("")})
	if m := wantFault(t, err, fault.EventHasBookings); *m.Count != 1 {
		t.Errorf("count is %v", *m.Count)
	}
	_, err = e.do(seating.EditSlot{SlotID: slot, StartsAt: at(72), EndsAt: at(73), By: seating.System("")})
	must(t, err)
	if n := e.count(`SELECT count(*) FROM bookings b JOIN slots s ON s.id = b.slot_id AND s.during = b.during WHERE b.id = $1 AND lower(b.during) > now() + interval '70 hours'`, mine.ID); n != 1 {
		t.Error("the booking did not move with its slot")
	}
}

func TestUnknownSlotAndBookingAreNotFound(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 1)
	_, err := e.book(uuid.New(), e.users[0], 1, seating.Reject)
	wantFault(t, err, fault.NotFound)
	_, err = e.do(seating.Cancel{SlotID: e.slot(1, 24), BookingID: uuid.New(), UserID: e.users[0]})
	wantFault(t, err, fault.NotFound)
}
