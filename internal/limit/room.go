package limit

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Room bounds how many are in it at once. Who finds it full waits in line, in the order
// of arrival; the line is bounded, too.
type Room struct {
	places  *semaphore.Weighted
	line    int64
	waiting atomic.Int64
}

// NewRoom makes a room with so many places, and as many in line.
func NewRoom(places, line int) *Room {
	return &Room{places: semaphore.NewWeighted(int64(places)), line: int64(line)}
}

// TryEnter takes a place if there is one now.
func (r *Room) TryEnter() bool { return r.places.TryAcquire(1) }

// Enter takes a place, and returns false if there is none until ctx ends. Who entered
// must Leave.
func (r *Room) Enter(ctx context.Context) bool {
	if r.TryEnter() {
		return true
	}
	defer r.waiting.Add(-1)
	return r.waiting.Add(1) <= r.line && r.places.Acquire(ctx, 1) == nil
}

// Leave gives a place back.
func (r *Room) Leave() { r.places.Release(1) }

// Rooms are rooms of keys: each key has one of its own. Only those with somebody in them
// or in line are kept.
type Rooms struct {
	mu    sync.Mutex
	line  int
	rooms map[Key]*shared
}

// shared is a room, and how many are in it or in line.
type shared struct {
	*Room
	people int
}

// NewRooms makes rooms, each with so many in line.
func NewRooms(line int) *Rooms { return &Rooms{line: line, rooms: map[Key]*shared{}} }

// TryEnter is Room.TryEnter for the room of a key, which has so many places: the same
// number each time.
func (r *Rooms) TryEnter(key Key, places int) bool {
	entered := r.come(key, places).TryEnter()
	if !entered {
		r.depart(key)
	}
	return entered
}

// Enter is Room.Enter for the room of a key.
func (r *Rooms) Enter(ctx context.Context, key Key, places int) bool {
	entered := r.come(key, places).Enter(ctx)
	if !entered {
		r.depart(key)
	}
	return entered
}

// Leave gives a place back.
func (r *Rooms) Leave(key Key) { r.depart(key).Leave() }

func (r *Rooms) come(key Key, places int) *Room {
	r.mu.Lock()
	defer r.mu.Unlock()
	room := r.rooms[key]
	if room == nil {
		room = &shared{Room: NewRoom(places, r.line)}
		r.rooms[key] = room
	}
	room.people++
	return room.Room
}

func (r *Rooms) depart(key Key) *Room {
	r.mu.Lock()
	defer r.mu.Unlock()
	room := r.rooms[key]
	if room.people--; room.people == 0 {
		delete(r.rooms, key)
	}
	return room.Room
}
