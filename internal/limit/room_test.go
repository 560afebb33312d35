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
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for i := range 7 {
			go func() {
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
		<-ctx.Done()
		synctest.Wait()
		r.Leave()
		r.Leave()
		want("the line gave up", 0, 1, 2)
		if !r.Enter(t.Context()) {
			t.Error("no place, although all have left")
		}
	})
}

func TestEachKeyHasARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := NewRooms(1), Key{"reads", "a"}, Key{"reads", "b"}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		enter := func(key Key) bool { return r.Enter(ctx, key, 2) }
		people := []Key{a, a, b, {"searches", "a"}}
		for _, key := range people {
			if !enter(key) {
				t.Errorf("%v: no place in a room with room", key)
			}
		}
		if r.TryEnter(a, 2) || !r.TryEnter(b, 2) {
			t.Error("not two of each")
		}
		r.Leave(b)
		entered := false
		go func() { entered = enter(a) }()
		synctest.Wait()
		if enter(a) {
			t.Error("the line of a is longer than one")
		}
		r.Leave(a)
		synctest.Wait()
		if !entered {
			t.Error("who was in line did not enter")
		}
		<-ctx.Done()
		synctest.Wait()
		if enter(a) {
			t.Error("entered a full room")
		}
		for _, key := range people {
			r.Leave(key)
		}
		if len(r.rooms) != 0 {
			t.Errorf("%v are kept", r.rooms)
		}
	})
}
