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
)

// lockSlot locks a slot as a stranger would, until the returned func is called.
func (h *env) lockSlot(slot uuid.UUID) (unlock func()) {
	h.t.Helper()
	ctx := context.Background()
	tx, err := h.pool.BeginTx(ctx, pgx.TxOptions{})
	must(h.t, err)
	_, err = tx.Exec(ctx, `SELECT FROM slots WHERE id = $1 FOR UPDATE`, slot)
	must(h.t, err)
	return func() { must(h.t, tx.Rollback(ctx)) }
}

func TestStuckSlotStopsNobodyElse(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 30)
	stuck := h.slot(30, 24)
	unlock := h.lockSlot(stuck)

	var group sync.WaitGroup
	for _, user := range h.users[:20] {
		group.Go(func() { h.mustBook(stuck, user, 1, seating.Reject) })
	}
	// With both main workers offered the stuck slot again and again, the others go on.
	for i := range 20 {
		h.mustBook(h.slot(5, 48+i), h.users[20+i%10], 1, seating.Reject)
	}
	if n := h.count(`SELECT seats_taken FROM slots WHERE id = $1`, stuck); n != 0 {
		t.Errorf("%d seats taken in a locked slot", n)
	}
	unlock()
	group.Wait()
	if n := h.count(`SELECT seats_taken FROM slots WHERE id = $1`, stuck); n != 20 {
		t.Errorf("%d seats taken, want 20", n)
	}
}

func TestSlotThatStaysLockedIsContention(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 2)
	slot := h.slot(1, 24)
	unlock := h.lockSlot(slot)
	defer unlock()
	_, err := h.book(slot, h.users[1], 1, seating.Reject)
	if f := fault.Of(err); f == nil || f.Status != 503 || f.RetryAfter == 0 {
		t.Errorf("error is %v, want a 503 that says when to try again", err)
	}
}

// A COMMIT without an answer: nobody knows, whether the connection went or the
// deadline passed.
func TestCommitWithoutAnAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	for name, fate := range map[string]string{"cut off": "pg_terminate_backend(pg_backend_pid())", "too late": "pg_sleep(60)"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newEnv(t, 1)
			h.exec(`CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM ` + fate + `; RETURN NULL; END $$`)
			h.exec(`CREATE CONSTRAINT TRIGGER late AFTER INSERT ON bookings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`)
			_, err := h.book(h.slot(1, 1), h.users[0], 1, seating.Reject)
			wantFault(t, err, fault.OutcomeUnknown)
		})
	}
}

// One command of a batch that the database refuses, or that panics, fails alone.
func TestFailureBelongsToItsCommand(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 60)
	slot := h.slot(100, 24)
	unlock := h.lockSlot(slot) // so that they all gather
	var group sync.WaitGroup
	for i, user := range h.users {
		group.Go(func() {
			order := desk.Submission{Command: seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: user, Seats: 1, By: seating.System("")}}
			switch i {
			case 20: // breaks a foreign key
				order.Command = seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: uuid.New(), Seats: 1, By: seating.System("")}
			case 40:
				order.Render = func(seating.Result) (idempotency.Response, error) { panic("on purpose") }
			}
			_, err := h.desk.Do(context.Background(), order)
			if bad := i == 20 || i == 40; bad != (err != nil) {
				t.Errorf("command %d: %v", i, err)
			}
		})
	}
	unlock()
	group.Wait()
	if n := h.count(`SELECT seats_taken FROM slots WHERE id = $1`, slot); n != 58 {
		t.Errorf("%d seats taken, want 58", n)
	}
}

func TestWithdrawnOrderNeverRuns(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 2)
	slot := h.slot(1, 24)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 {
		_, err := h.desk.Do(ctx, desk.Submission{Command: seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: h.users[1], Seats: 1, By: seating.System("")}})
		taken := h.count(`SELECT seats_taken FROM slots WHERE id = $1`, slot)
		if (err == nil) != (taken == 1) {
			t.Fatalf("error %v and %d seats taken", err, taken)
		}
		if err == nil {
			return // It was taken at once: then it ran to its end.
		}
	}
}

func TestClosedDeskFinishesWhatItTook(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 40)
	slot := h.slot(100, 24)
	var group sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for _, user := range h.users {
		group.Go(func() {
			_, err := h.book(slot, user, 1, seating.Reject)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if fault.Of(err) == nil || fault.Of(err).Code != fault.ShuttingDown && fault.Of(err).Code != fault.Overloaded {
				t.Error(err)
			}
		})
	}
	h.desk.Close()
	group.Wait()
	if n := h.count(`SELECT seats_taken FROM slots WHERE id = $1`, slot); n != done {
		t.Errorf("%d seats taken, %d acknowledged", n, done)
	}
	_, err := h.book(slot, h.users[0], 1, seating.Reject)
	wantFault(t, err, fault.ShuttingDown)
}

// A slot's cancellation with more bookings than a page holds.
func TestClearGoesOnUntilNothingIsLeft(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 700)
	slot := h.slot(400, 24)
	var group sync.WaitGroup
	for _, user := range h.users {
		group.Go(func() { h.mustBook(slot, user, 1, seating.Wait) })
	}
	group.Wait()
	gone := seating.SlotCancelled
	_, err := h.do(seating.EditSlot{SlotID: slot, Status: &gone, By: seating.System("storm")})
	must(t, err)
	pages := 0
	for more := true; more; pages++ {
		r, err := h.do(seating.CancelAllBookings{SlotID: slot})
		must(t, err)
		more = r.More
	}
	if n := h.count(`SELECT count(*) FROM bookings WHERE slot_id = $1 AND status <> 'cancelled'`, slot); n != 0 || pages != 2 {
		t.Errorf("%d bookings left after %d pages", n, pages)
	}
}

// The time of a slot moves with its bookings, unless it would make somebody overlap.
func TestRetime(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 3)
	slot, other := h.slot(5, 24), h.slot(5, 48)
	mine := h.mustBook(slot, h.users[1], 1, seating.Reject)
	h.mustBook(slot, h.users[2], 1, seating.Reject)
	h.mustBook(other, h.users[2], 1, seating.Reject)
	at := func(hours int) *time.Time { t := time.Now().Add(time.Duration(hours) * time.Hour); return &t }

	_, err := h.do(seating.EditSlot{SlotID: slot, StartsAt: at(48), EndsAt: at(49), By: seating.System("")})
	if f := wantFault(t, err, fault.EventHasBookings); *f.Count != 1 {
		t.Errorf("count is %v", *f.Count)
	}
	_, err = h.do(seating.EditSlot{SlotID: slot, StartsAt: at(72), EndsAt: at(73), By: seating.System("")})
	must(t, err)
	if n := h.count(`SELECT count(*) FROM bookings b JOIN slots s ON s.id = b.slot_id AND s.during = b.during WHERE b.id = $1 AND lower(b.during) > now() + interval '70 hours'`, mine.ID); n != 1 {
		t.Error("the booking did not move with its slot")
	}
}

func TestUnknownSlot(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 1)
	_, err := h.book(uuid.New(), h.users[0], 1, seating.Reject)
	wantFault(t, err, fault.NotFound)
	_, err = h.do(seating.Cancel{SlotID: h.slot(1, 24), BookingID: uuid.New(), UserID: h.users[0]})
	wantFault(t, err, fault.NotFound)
}
