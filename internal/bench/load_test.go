package bench

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

const window = 300 * time.Millisecond

// server answers with a status after a time, and counts.
func server(t *testing.T, status int, after time.Duration) (addr string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		time.Sleep(after)
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), asked
}

func anything(r *fasthttp.Request) bool {
	r.SetRequestURI("/")
	return true
}

func TestAClosedLoopWaitsForAnswers(t *testing.T) {
	addr, asked := server(t, http.StatusOK, 20*time.Millisecond)
	sample, err := load{connections: 4, user: everyConnection(stateless(anything))}.run(addr, window, cpuTimes{})
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(4 * ((warmUp+sample.Elapsed)/(20*time.Millisecond) + 1)); asked.Load() > most {
		t.Errorf("%d requests, at most %d can be answered one after the other", asked.Load(), most)
	}
	if sample.Requests == 0 || len(sample.Latencies) != sample.Requests || int64(sample.Requests) >= asked.Load() {
		t.Errorf("%d counted of %d, %d latencies: the time to warm up is not counted", sample.Requests, asked.Load(), len(sample.Latencies))
	}
	if sample.Latencies[0] < 20*time.Millisecond || sample.Service != unknown {
		t.Errorf("shortest %s, CPU %s", sample.Latencies[0], sample.Service)
	}
}

// In an open loop a slow server is not asked less, and who waits for a free connection
// is seen to wait.
func TestAnOpenLoopDoesNotWait(t *testing.T) {
	addr, _ := server(t, http.StatusOK, 50*time.Millisecond)
	open := load{connections: 1, rate: 100, user: everyConnection(stateless(anything))}
	sample, err := open.run(addr, window, cpuTimes{})
	if err != nil {
		t.Fatal(err)
	}
	// Due every 10 ms, served every 50: after the warm-up the queue is 240 ms long.
	if longest := sample.Latencies[len(sample.Latencies)-1]; longest < 200*time.Millisecond {
		t.Errorf("the longest wait is %s", longest)
	}
}

func TestFailuresAreNotCountedAsRequests(t *testing.T) {
	addr, _ := server(t, http.StatusConflict, 0)
	_, err := load{connections: 2, user: everyConnection(stateless(anything))}.run(addr, window, cpuTimes{})
	if err == nil || !strings.Contains(err.Error(), "status 409") {
		t.Errorf("%v", err)
	}
	left := atomic.Int64{}
	left.Store(5)
	_, err = load{connections: 2, user: everyConnection(stateless(func(r *fasthttp.Request) bool {
		return anything(r) && left.Add(-1) >= 0
	}))}.run(addr, window, cpuTimes{})
	if !errors.Is(err, errNoneLeft) {
		t.Errorf("%v", err)
	}
}

func TestTimesAreThoseOfTheProcesses(t *testing.T) {
	if timeOf(os.Getpid()) < 0 {
		t.Skip("this system does not tell the times of processes")
	}
	before, family := cpuTimes{service: os.Getpid(), postmaster: os.Getpid()}.read()
	child := exec.Command("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
		sum = sha256.Sum256(sum[:])
	}
	after, familyAfter := cpuTimes{service: os.Getpid(), postmaster: os.Getpid()}.read()
	own, children := difference(after, before), difference(familyAfter, family)
	if own <= 0 || children <= own {
		t.Errorf("own %s, with the child %s", own, children)
	}
	if none, _ := (cpuTimes{}).read(); none != unknown {
		t.Errorf("of no process: %s", none)
	}
}

// What pgbench prints while it connects is not counted.
func TestPgbenchIsObservedFromItsFirstSecondOn(t *testing.T) {
	said := `pgbench (15.18)
progress: 1.2 s, 10.0 tps, lat 5.0 ms stddev 1.0, 0 failed
progress: 2.0 s, 500.0 tps, lat 5.0 ms stddev 1.0, 0 failed
progress: 3.0 s, 700.0 tps, lat 5.0 ms stddev 1.0, 0 failed`
	sample, err := observe(exec.Command("sh", "-c", "cat >&2 <<'EOF'\n"+said+"\nEOF"), cpuTimes{})
	if err != nil || sample.Requests != 1100 || sample.Elapsed != 1800*time.Millisecond {
		t.Errorf("%+v %v", sample, err)
	}
	_, err = observe(exec.Command("sh", "-c", "echo 'client 3 aborted' >&2; exit 2"), cpuTimes{})
	if err == nil || !strings.Contains(err.Error(), "client 3 aborted") {
		t.Errorf("%v", err)
	}
	if _, err := observe(exec.Command("true"), cpuTimes{}); err == nil {
		t.Error("no transaction is no error")
	}
}
