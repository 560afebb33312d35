package seating_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

func (f *fixture) release(b seating.Hold) {
	f.t.Helper()
	f.must(seating.Cancel{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, By: b.By})
}

// holdAgain is another hold of the same user.
func (f *fixture) holdAgain(user uuid.UUID) seating.Hold {
	h := f.hold(1)
	h.UserID = user
	return h
}

func TestHoldsOfAnHourHaveABudget(t *testing.T) {
	t.Parallel()
	f := newFixture(t, holdable(3))
	f.state.Quotas.Holds = 2
	user := uuid.New()
	// The back button: many short holds cost what they last.
	for range 50 {
		h := f.holdAgain(user)
		f.must(h)
		f.state.Now = f.state.Now.Add(10 * time.Second)
		f.release(h)
	}
	first := f.holdAgain(user) // 500 s are used, 700 s are left
	r := f.must(first)
	if got := r.Booking.ExpiresAt.Sub(f.state.Now); got != 10*time.Minute {
		t.Errorf("held for %s", got)
	}
	f.state.Now = f.state.Now.Add(10 * time.Minute)
	second := f.must(f.holdAgain(user))
	if got := second.Booking.ExpiresAt.Sub(f.state.Now); got != 100*time.Second {
		t.Errorf("the rest is %s, want 100 s", got)
	}
	f.state.Now = f.state.Now.Add(100 * time.Second)
	_, err := f.apply(f.holdAgain(user))
	m := wantFault(t, err, fault.HoldCooldown)
	// A minute of the first holds has left the hour 72 s (six holds, and their pauses) after it.
	if m.RetryAt == nil || m.RetryAt.Before(noon.Add(time.Hour+time.Minute)) || m.RetryAt.After(noon.Add(time.Hour+61*time.Second)) {
		t.Errorf("retry at %v", m.RetryAt)
	}
	booked := f.book(1)
	booked.UserID = user
	f.must(booked)    // Booking is not holding,
	f.must(f.hold(1)) // and others are not concerned.
	f.must(f.cancel(booked))
	f.state.Now = *m.RetryAt
	if r := f.must(f.holdAgain(user)); r.Booking.ExpiresAt.Sub(f.state.Now) < time.Minute {
		t.Errorf("held until %s, at %s", r.Booking.ExpiresAt, f.state.Now)
	}
}

func TestAHoldThatIsConfirmedHasUsedItsTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t, holdable(3))
	f.state.Quotas.Holds = 1
	h := f.hold(1)
	f.must(h)
	f.state.Now = noon.Add(9*time.Minute + 30*time.Second)
	f.must(f.confirm(h.Book, held))
	f.release(h)
	_, err := f.apply(f.holdAgain(h.UserID))
	wantFault(t, err, fault.HoldCooldown)
}

// Whatever a user does, their holds of no hour last longer than the budget.
func TestNoHourHasMoreHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slot := holdable(3)
		slot.Policy.HoldFor = time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes")) * time.Minute
		f := newFixture(t, slot)
		f.state.Quotas.Holds = 2
		user := uuid.New()
		var spans []seating.Span
		for range rapid.IntRange(5, 60).Draw(t, "steps") {
			h := f.holdAgain(user)
			r, err := f.apply(h)
			began := f.state.Now
			f.state.Now = f.state.Now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "seconds")) * time.Second)
			if err != nil {
				continue
			}
			ends := r.Booking.ExpiresAt
			if f.state.Now.Before(ends) {
				ends = f.state.Now
				if rapid.Bool().Draw(t, "confirm") {
					f.must(f.confirm(h.Book, held))
				}
				f.release(h)
			}
			spans = append(spans, seating.Span{From: began, To: ends})
		}
		for _, last := range spans { // An hour with the most holds ends with one of them.
			var sum time.Duration
			for _, span := range spans {
				from, to := span.From, span.To
				if since := last.To.Add(-time.Hour); from.Before(since) {
					from = since
				}
				if to.After(last.To) {
					to = last.To
				}
				sum += max(to.Sub(from), 0)
			}
			if sum > 2*slot.Policy.HoldFor {
				t.Fatalf("%s of the hour before %s, and %s are allowed", sum, last.To, 2*slot.Policy.HoldFor)
			}
		}
	})
}

func TestChangesOfAnHourHaveAQuota(t *testing.T) {
	t.Parallel()
	f := newFixture(t, holdable(5))
	f.state.Quotas.Changes = 5
	user := uuid.New()
	book := func() seating.Book {
		b := f.book(1)
		b.UserID, b.By.ID = user, user
		return b
	}
	cancel := func(b seating.Book) seating.Cancel {
		return seating.Cancel{SlotID: b.SlotID, BookingID: b.BookingID, UserID: user, By: b.By}
	}
	first, second := book(), book()
	f.must(first)
	f.must(cancel(first))
	f.state.Now = noon.Add(10 * time.Minute)
	f.must(second)
	f.must(resizeTo(second, 2))
	f.must(resizeTo(second, 3))
	refused := func(c seating.Command) {
		t.Helper()
		_, err := f.apply(c)
		if m := wantFault(t, err, fault.QuotaExceeded); *m.Limit != 5 || !m.RetryAt.Equal(noon.Add(time.Hour)) {
			t.Errorf("limit %d, retry at %s", *m.Limit, m.RetryAt)
		}
	}
	refused(resizeTo(second, 4))
	f.must(resizeTo(second, 1)) // Giving back is never refused,
	f.must(cancel(second))
	refused(book())
	refused(seating.Hold{Book: book()})
	refused(seating.Bundle{Items: []seating.Book{book()}})
	f.must(f.book(1)) // and others are not concerned.
}
