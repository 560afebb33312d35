package limit

import (
	"container/heap"
	"hash/maphash"
	"sync"
	"time"
)

// Memory keeps allowances in this process, for a bounded number of keys. When it is
// full, it forgets the key whose allowance has been full for the longest time, which
// loses nothing. If all are in use, new keys of a class share one allowance: no limit
// that holds somebody back is ever forgotten to make room for others.
type Memory struct {
	mu   sync.Mutex
	seed maphash.Seed
	most int
	// full is when each key's allowance is full again, in Unix nanoseconds. Two keys with
	// the same hash, one pair in 2^64, share one.
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

// NewMemory keeps at most so many keys, about 45 bytes each.
func NewMemory(most int) *Memory {
	return &Memory{seed: maphash.MakeSeed(), most: most, full: map[uint64]int64{}}
}

// Take implements Store.
func (m *Memory) Take(key Key, rate Rate, now time.Time) Decision {
	id := maphash.Comparable(m.seed, key)
	m.mu.Lock()
	defer m.mu.Unlock()
	full, known := m.full[id]
	if !known && !m.makeRoom(now.UnixNano()) {
		id = maphash.Comparable(m.seed, Key{Class: key.Class})
		full, known = m.full[id]
	}
	after, decision := rate.take(time.Unix(0, full), now)
	m.full[id] = after.UnixNano()
	if !known {
		heap.Push(&m.order, placed{id, after.UnixNano()})
	}
	return decision
}

// makeRoom returns false if there is none for another key. The keys that are shared may
// exceed the bound, by one for each class.
func (m *Memory) makeRoom(now int64) bool {
	if len(m.order) < m.most {
		return true
	}
	for range maxRepairs {
		first := &m.order[0]
		if first.at > now {
			return false
		}
		if full := m.full[first.key]; full > first.at {
			first.at = full
			heap.Fix(&m.order, 0)
			continue
		}
		delete(m.full, first.key)
		heap.Pop(&m.order)
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
