package limit

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

var start = time.Unix(1_800_000_000, 0)

func TestTheQuotaIsThereAtOnceAndComesBackEvenly(t *testing.T) {
	m, rate, who := NewMemory(10), Rate{Quota: 3, Window: 30 * time.Second}, Key{"reads", "a"}
	for i, want := range []Decision{
		{Allowed: true, Remaining: 2, FullIn: 10 * time.Second},
		{Allowed: true, Remaining: 1, FullIn: 20 * time.Second},
		{Allowed: true, Remaining: 0, FullIn: 30 * time.Second},
		{FullIn: 30 * time.Second, RetryIn: 10 * time.Second},
		{FullIn: 30 * time.Second, RetryIn: 10 * time.Second}, // a refused request takes nothing
	} {
		if got := m.Take(who, rate, start); got != want {
			t.Errorf("request %d: %+v, want %+v", i+1, got, want)
		}
	}
	if got := m.Take(Key{"reads", "b"}, rate, start); got.Remaining != 2 {
		t.Errorf("somebody else: %+v", got)
	}
	if got := m.Take(Key{"writes", "a"}, rate, start); got.Remaining != 2 {
		t.Errorf("another class: %+v", got)
	}
	later := start.Add(9999 * time.Millisecond)
	if got := m.Take(who, rate, later); got.Allowed || got.RetryIn != time.Millisecond {
		t.Errorf("a millisecond too early: %+v", got)
	}
	if got := m.Take(who, rate, start.Add(10*time.Second)); !got.Allowed || got.Remaining != 0 {
		t.Errorf("as Retry-After says: %+v", got)
	}
	if got := m.Take(who, rate, start.Add(time.Hour)); got.Remaining != 2 {
		t.Errorf("an hour later: %+v", got)
	}
}

// Whatever is asked when, no window has more than the quota and what comes back in it.
func TestNoWindowHasMoreThanTwiceTheQuota(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	rate := Rate{Quota: 7, Window: time.Second}
	m, now := NewMemory(10), start
	var allowed []time.Time
	for range 20_000 {
		now = now.Add(time.Duration(random.Int64N(int64(60 * time.Millisecond))))
		if m.Take(Key{"reads", "a"}, rate, now).Allowed {
			allowed = append(allowed, now)
		}
	}
	for i := range allowed {
		n := 0
		for _, at := range allowed[i:] {
			if at.Sub(allowed[i]) >= rate.Window {
				break
			}
			n++
		}
		if n > 2*rate.Quota {
			t.Fatalf("%d requests within %s", n, rate.Window)
		}
	}
	if least := int(now.Sub(start)/rate.Window) * rate.Quota; len(allowed) < least*9/10 {
		t.Errorf("%d allowed, the rate alone gives %d", len(allowed), least)
	}
}

func TestAFullStoreForgetsOnlyWhoHasAllOfTheirQuota(t *testing.T) {
	m, rate := NewMemory(3), Rate{Quota: 1, Window: 10 * time.Second}
	take := func(who string, at time.Duration) bool { return m.Take(Key{"reads", who}, rate, start.Add(at)).Allowed }
	for i, who := range []string{"a", "b", "c"} {
		if !take(who, time.Duration(i)*time.Second) {
			t.Fatal(who)
		}
	}
	if !take("new", 3*time.Second) || take("newer", 3*time.Second) {
		t.Error("all are in use: new ones share one allowance")
	}
	for _, who := range []string{"a", "b", "c"} {
		if take(who, 4*time.Second) {
			t.Errorf("%s was forgotten before the time", who)
		}
	}
	if !take("newest", 10*time.Second+time.Millisecond) {
		t.Error("a's allowance is full again: there is room")
	}
	if take("b", 10*time.Second+time.Millisecond) {
		t.Error("b was forgotten instead of a")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const keys, most = 300_000, 32 << 20
	m, rate := NewMemory(200_000), Rate{Quota: 10, Window: time.Minute}
	before := heapSize()
	for i := range keys {
		m.Take(Key{"anonymous", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)}, rate, start)
		m.Take(Key{"reads", fmt.Sprintf("user %d", i)}, rate, start)
	}
	used := heapSize() - before
	t.Logf("%d KiB for %d keys", used>>10, len(m.full))
	if used > most || len(m.full) > 200_002 {
		t.Errorf("%d MiB for %d keys", used>>20, len(m.full))
	}
	runtime.KeepAlive(m)
}

func heapSize() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func TestFieldsAreThoseOfTheDraft(t *testing.T) {
	rate := Rate{Quota: 60, Window: time.Minute}
	if got := rate.Policy("reads"); got != `"reads";q=60;w=60` {
		t.Error(got)
	}
	if got := (Decision{Remaining: 4, FullIn: 1500 * time.Millisecond}).Field("reads"); got != `"reads";r=4;t=2` {
		t.Error(got)
	}
	if got := (Decision{RetryIn: time.Millisecond, FullIn: time.Minute}).Field("reads"); got != `"reads";r=0;t=1` {
		t.Error(got)
	}
}

func BenchmarkTake(b *testing.B) {
	m, rate, now := NewMemory(100_000), Rate{Quota: 100, Window: time.Minute}, start
	keys := make([]Key, 100_000)
	for i := range keys {
		keys[i] = Key{"reads", fmt.Sprint(i)}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Microsecond)
		m.Take(keys[i*7919%len(keys)], rate, now)
	}
}
