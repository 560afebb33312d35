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

// As many of six classes as the service counts, and half as many again that get no place:
// a hundred thousand addresses read, log in and show wrong tokens, and as many users read,
// write and book.
func TestMemoryIsBounded(t *testing.T) {
	const places, asking, most = 100_000, 150_000, 32 << 20
	m, rate := NewMemory(places), Rate{Quota: 10, Window: time.Minute}
	classes := []Class{"anonymous", "logins", "unauthorized", "reads", "writes", "bookings"}
	before := heapSize()
	for i := range asking {
		for _, class := range classes {
			m.Take(Key{class, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)}, rate, start)
		}
	}
	used := heapSize() - before
	t.Logf("%d KiB", used>>10)
	if used > most {
		t.Errorf("%d MiB", used>>20)
	}
	for _, class := range classes {
		if n := len(m.classes[class].full); n > places+1 {
			t.Errorf("%d keys of %s", n, class)
		}
	}
	runtime.KeepAlive(m)
}

// A flood from many addresses takes no place from the users of another class.
func TestAFullClassLeavesOthersAlone(t *testing.T) {
	m, rate := NewMemory(3), Rate{Quota: 1, Window: time.Minute}
	for i := range 100 {
		m.Take(Key{"anonymous", fmt.Sprint(i)}, rate, start)
	}
	for i := range 3 {
		if !m.Take(Key{"bookings", fmt.Sprint(i)}, rate, start).Allowed {
			t.Errorf("user %d is limited", i)
		}
	}
}

// As many as the store has places for are found again, after any use of them.
func TestWhatHasRefilledIsDroppedFirst(t *testing.T) {
	const places = 1000
	random := rand.New(rand.NewPCG(5, 6))
	m, rate, now := NewMemory(places), Rate{Quota: 5, Window: 10 * time.Second}, start
	fullAt := map[int]time.Time{}
	for range 100_000 {
		now = now.Add(time.Duration(random.Int64N(int64(20 * time.Millisecond))))
		who := random.IntN(3000)
		if want := max(0, fullAt[who].Sub(now)); want > 0 {
			if left := m.Left(Key{"reads", fmt.Sprint(who)}, rate, now); left != int((rate.Window-want)/(2*time.Second)) {
				t.Fatalf("%d are left of %d's allowance, which is full in %s", left, who, want)
			}
		}
		if d := m.Take(Key{"reads", fmt.Sprint(who)}, rate, now); d.Allowed {
			fullAt[who] = now.Add(d.FullIn)
		}
	}
}

// No more than the quota, also where a nanosecond does not divide the window.
func TestTheQuotaIsExact(t *testing.T) {
	for _, rate := range []Rate{{Quota: 700_000, Window: time.Second}, {Quota: 7, Window: time.Second}, {Quota: 1_000_000, Window: 24 * time.Hour}} {
		m, allowed := NewMemory(1), 0
		for d := m.Take(Key{"reads", "a"}, rate, start); d.Allowed; d = m.Take(Key{"reads", "a"}, rate, start) {
			if allowed++; d.Remaining != rate.Quota-allowed {
				t.Fatalf("%s: %d remain after %d", rate, d.Remaining, allowed)
			}
		}
		if allowed != rate.Quota {
			t.Errorf("%s: %d at once", rate, allowed)
		}
	}
}

// Who has used all of it before the clock was set back, or the rate lowered, waits for
// the time of one request, and not for all the time between.
func TestNobodyWaitsLongerThanForAnEmptyAllowance(t *testing.T) {
	m, rate, who := NewMemory(1), Rate{Quota: 2, Window: 20 * time.Second}, Key{"reads", "a"}
	later := start.Add(time.Hour)
	m.Take(who, rate, later)
	m.Take(who, rate, later)
	if got := m.Take(who, rate, start); got.Allowed || got.RetryIn != 10*time.Second {
		t.Errorf("the clock was set back: %+v", got)
	}
	if got := m.Take(who, rate, start.Add(10*time.Second)); !got.Allowed {
		t.Errorf("10 s later: %+v", got)
	}
}

func TestLeftTakesNothing(t *testing.T) {
	m, rate, who := NewMemory(1), Rate{Quota: 2, Window: 20 * time.Second}, Key{"reads", "a"}
	for range 5 {
		if got := m.Left(who, rate, start); got != 2 {
			t.Errorf("%d are left", got)
		}
	}
	m.Take(who, rate, start)
	if got := m.Left(who, rate, start); got != 1 {
		t.Errorf("%d are left after one", got)
	}
	// Somebody for whom there is no place has what is left of the allowance that is shared.
	m.Take(Key{"reads", "b"}, rate, start)
	if got := m.Left(Key{"reads", "c"}, rate, start); got != 1 {
		t.Errorf("%d are left of what is shared", got)
	}
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
	// Retry-After and t are the same point in time (section 5).
	for in, want := range map[time.Duration]int{time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2, 10 * time.Second: 10} {
		d := Decision{RetryIn: in, FullIn: time.Minute}
		if got := d.Field("reads"); got != fmt.Sprintf(`"reads";r=0;t=%d`, want) || d.Wait() != time.Duration(want)*time.Second {
			t.Errorf("%s: %s, %s", in, got, d.Wait())
		}
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
