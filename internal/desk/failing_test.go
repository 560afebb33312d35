package desk

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

func TestFailingCommandRestsLongerEachTimeAndIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := newFailing(slog.New(slog.NewTextHandler(&log, nil)))
	slot, now := uuid.New(), time.Now()
	s := subjectOf(newPending(Submission{Command: seating.Promote{SlotID: slot}}))
	other := subjectOf(newPending(Submission{Command: seating.Expire{SlotID: slot}}))
	for _, rest := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		f.note(s, errors.New("refused"), now)
		if now = now.Add(rest*time.Second - time.Millisecond); !f.rests(s, now) || f.rests(other, now) {
			t.Errorf("it rests: %v; the other: %v", f.rests(s, now), f.rests(other, now))
		}
		if slots := f.resting(s.command, now); len(slots) != 1 || slots[0] != slot || len(f.resting(other.command, now)) != 0 {
			t.Errorf("resting: %v", slots)
		}
		if now = now.Add(2 * time.Millisecond); f.rests(s, now) || f.count(now) != 1 {
			t.Errorf("it rests after %ds, %d fail", rest, f.count(now))
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), slot.String()) || !strings.Contains(log.String(), "refused") {
		t.Errorf("logged:\n%s", log.String())
	}
	now = now.Add(restLast + forgetAfter)
	if f.note(s, errors.New("refused again"), now); f.rests(s, now.Add(restFirst)) || !strings.Contains(log.String(), "refused again") {
		t.Errorf("it was not forgotten, logged:\n%s", log.String())
	}
	if f.forget(s); f.count(now) != 0 || f.resting(s.command, now) == nil {
		t.Error("it is not forgotten")
	}
}

// A busy database makes all commands slow at once: they do not rest for long, and are not
// logged unless it goes on.
func TestSlowCommandRestsBriefly(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := newFailing(slog.New(slog.NewTextHandler(&log, nil)))
	now, s := time.Now(), subject{command: "a", slotID: uuid.New()}
	for range slowTimes - 1 {
		f.note(s, fault.Contention.New("locked"), now)
	}
	if log.Len() > 0 || f.rests(s, now.Add(slowLast)) {
		t.Errorf("logged %q", log.String())
	}
	f.note(s, fault.Contention.New("locked"), now)
	f.note(s, fault.Contention.New("locked"), now)
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestFailuresAreBoundedAndForgotten(t *testing.T) {
	t.Parallel()
	f := newFailing(slog.New(slog.DiscardHandler))
	now := time.Now()
	for range failingSize + 10 {
		f.note(subject{command: "a", slotID: uuid.New()}, errors.New("refused"), now)
	}
	if n := f.count(now); n != failingSize {
		t.Errorf("%d are remembered", n)
	}
	if n := f.count(now.Add(restFirst + forgetAfter + time.Second)); n != 0 {
		t.Errorf("%d are not forgotten", n)
	}
}
