package limit

import (
	"container/heap"
	"hash/maphash"
	"sync"
	"time"
)

// Memory keeps allowances in this process, for a bounded number of keys of each class, so
// that a flood in one class has no effect on others. When a class is full, it forgets the
// key whose allowance has been full for the longest time, which loses nothing. If all are
// in use, new keys of the class share one allowance: no limit that holds somebody back is
// ever forgotten to make room for others.
type Memory struct {
	mu   sync.Mutex
	seed maphash.Seed
	most int
	// began is what instants are counted from: the difference to it is that of a clock that
	// nobody sets.
	began   time.Time
	classes map[Class]*table
}

// table is the allowances of a class.
type table struct {
	// full is when each key's allowance is full again, in nanoseconds since Memory.began.
	// Two keys with the same hash, one pair in 2^64, share one.
	full map[uint64]int64
	// order has the keys by an instant that may be earlier than in full: it is brought up
	// to date when the key comes first, and not with each request.
	order order
}

type (
	order  []placed
	placed struct {
		key uint64
		at  int64
	}
)

// maxRepairs bounds how many places one request brings up to date.
const maxRepairs = 100

// NewMemory keeps at most so many keys of each class, about 45 bytes each.
func NewMemory(most int) *Memory {
	return &Memory{seed: maphash.MakeSeed(), most: most, began: time.Now(), classes: map[Class]*table{}}
}

// Take implements Store.
func (m *Memory) Take(key Key, rate Rate, now time.Time) Decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, id, known := m.find(key, now)
	full := now
	if known {
		full = m.began.Add(time.Duration(t.full[id]))
	}
	after, decision := rate.take(full, now)
	at := int64(after.Sub(m.began))
	t.full[id] = at
	if !known {
		heap.Push(&t.order, placed{id, at})
	}
	return decision
}

// Left implements Store.
func (m *Memory) Left(key Key, rate Rate, now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, id, known := m.find(key, now)
	if !known {
		return rate.Quota
	}
	return rate.left(rate.missing(m.began.Add(time.Duration(t.full[id])), now))
}

// find returns the allowance of a key, or, where there is no room for it, the one that is
// shared.
func (m *Memory) find(key Key, now time.Time) (t *table, id uint64, known bool) {
	t = m.classes[key.Class]
	if t == nil {
		t = &table{full: map[uint64]int64{}}
		m.classes[key.Class] = t
	}
	id = maphash.Comparable(m.seed, key)
	_, known = t.full[id]
	if !known && !t.makeRoom(m.most, int64(now.Sub(m.began))) {
		id = maphash.Comparable(m.seed, Key{Class: key.Class})
		_, known = t.full[id]
	}
	return t, id, known
}

// makeRoom returns false if there is none for another key. The shared one may exceed the
// bound.
func (t *table) makeRoom(most int, now int64) bool {
	if len(t.order) < most {
		return true
	}
	for range maxRepairs {
		first := &t.order[0]
		if first.at > now {
			return false
		}
		if full := t.full[first.key]; full > first.at {
			first.at = full
			heap.Fix(&t.order, 0)
			continue
		}
		delete(t.full, first.key)
		heap.Pop(&t.order)
		return true
	}
	return false
}

func (o order) Len() int           { return len(o) }
func (o order) Less(i, j int) bool { return o[i].at < o[j].at }
func (o order) Swap(i, j int)      { o[i], o[j] = o[j], o[i] }
func (o *order) Push(x any)        { *o = append(*o, x.(placed)) }

func (o *order) Pop() any {
	last := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	return last
}
