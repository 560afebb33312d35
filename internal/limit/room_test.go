package limit

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestARoomHasItsPlacesAndALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRoom(2, 3)
		var entered []int
		var mu sync.Mutex
		for i := range 7 {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if r.Enter(ctx) {
					mu.Lock()
					entered = append(entered, i)
					mu.Unlock()
				}
			}()
			synctest.Wait()
		}
		want := func(moment string, people ...int) {
			t.Helper()
			synctest.Wait()
			if len(entered) != len(people) {
				t.Fatalf("%s: %v entered, want %v", moment, entered, people)
			}
			for i := range people {
				if entered[i] != people[i] {
					t.Fatalf("%s: %v entered, want %v", moment, entered, people)
				}
			}
		}
		want("at first", 0, 1)
		r.Leave()
		want("one left", 0, 1, 2)
		time.Sleep(11 * time.Second)
		r.Leave()
		r.Leave()
		want("the line gave up", 0, 1, 2)
		if !r.Enter(t.Context()) {
			t.Error("no place, although all have left")
		}
	})
}

func TestSharesAreThoseOfAKey(t *testing.T) {
	s, a, b := NewShares(), Key{"reads", "a"}, Key{"reads", "b"}
	if !s.Take(a, 2) || !s.Take(a, 2) || s.Take(a, 2) {
		t.Error("not two of a")
	}
	if !s.Take(b, 2) || !s.Take(Key{"searches", "a"}, 2) {
		t.Error("others have shares of their own")
	}
	s.GiveBack(a)
	if !s.Take(a, 2) {
		t.Error("what was given back is gone")
	}
	for _, key := range []Key{a, a, b, {"searches", "a"}} {
		s.GiveBack(key)
	}
	if len(s.held) != 0 {
		t.Errorf("%v are remembered", s.held)
	}
}
