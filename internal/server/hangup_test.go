//go:build unix

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// logged is the log of a service.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String is what was logged since Reset.
func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Reset forgets what was logged.
func (l *logged) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

func (l *logged) lines() []string { return strings.Split(l.String(), "\n") }

// has says whether a line has all texts.
func (l *logged) has(texts ...string) bool {
	for _, line := range l.lines() {
		found := true
		for _, text := range texts {
			found = found && strings.Contains(line, text)
		}
		if found {
			return true
		}
	}
	return false
}

// wantQuiet fails the test if a hang-up was logged as a failure.
func (l *logged) wantQuiet(t *testing.T) {
	t.Helper()
	for _, line := range l.lines() {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") || strings.Contains(line, "status=5") {
			t.Errorf("logged %s", line)
		}
	}
}

// newLoggedEnv is a service with a log to look at, and a secret of its user.
func newLoggedEnv(t *testing.T) (*env, *logged, string) {
	log := &logged{}
	h := newEnv(t, func(c *server.Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
	secret := account.NewSecret()
	h.issue(testkit.User(t, h.pool, access.Attendee), secret)
	return h, log, string(secret)
}

// dial sends the start of a request on a connection of its own.
func (h *env) dial(method, path, secret, body string, length int) *net.TCPConn {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.Base(), "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, secret, length, body)
	if err != nil {
		h.t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// lockSlot keeps a slot locked until unlock is called.
func (h *env) lockSlot(id uuid.UUID) (unlock func()) {
	h.t.Helper()
	tx, err := h.pool.Begin(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := tx.Exec(h.t.Context(), "SELECT FROM slots WHERE id = $1 FOR UPDATE", id); err != nil {
		h.t.Fatal(err)
	}
	return func() { _ = tx.Rollback(context.Background()) }
}

func TestAHangUpDuringTheUploadIsLoggedAsOne(t *testing.T) {
	t.Parallel()
	h, log, secret := newLoggedEnv(t)
	_ = h.dial("POST", "/api/v1/bookings", secret, `{"items": [`, 100).Close()
	eventually(t, "the request is logged", func() bool { return log.has("msg=request", "path=/api/v1/bookings") })
	if !log.has("status=499", "path=/api/v1/bookings", "answer=400") {
		t.Errorf("%s", log.lines())
	}
	log.wantQuiet(t)
}

func TestAHangUpAtTheDeskIsLoggedAsOne(t *testing.T) {
	t.Parallel()
	h, log, secret := newLoggedEnv(t)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	path := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	// The service may see the end of the connection too late, and is then right to log
	// what it answered.
	eventually(t, "a hang-up is logged", func() bool {
		unlock := h.lockSlot(slot.ID)
		conn := h.dial("POST", path, secret, `{}`, 2)
		h.awaitLockWait()
		_ = conn.Close()
		unlock()
		answered := len(log.lines())
		eventually(t, "the request is logged", func() bool { return len(log.lines()) > answered || log.has("status=499", path) })
		return log.has("status=499", "path="+path)
	})
	log.wantQuiet(t)
	testkit.Sound(t, h.pool)
}

func TestAHangUpDuringTheAnswerIsLoggedAsOne(t *testing.T) {
	t.Parallel()
	h, log, secret := newLoggedEnv(t)
	organizer := testkit.User(t, h.pool, access.Organizer)
	for range 100 {
		testkit.Event(t, h.pool, func(e *db.Event) {
			// JSON escapes it: all events make 6 MB, more than the buffers of both sides.
			e.OrganizerID, e.Description = organizer.UserID, strings.Repeat("<", 10_000)
		})
	}
	conn := h.dial("GET", "/api/v1/events?limit=100&when=all", secret, "", 0)
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the answer has begun
		t.Fatal(err)
	}
	if err := conn.SetLinger(0); err != nil { // a reset, as by a process that is killed
		t.Fatal(err)
	}
	_ = conn.Close()
	eventually(t, "the request is logged", func() bool { return log.has("msg=request", "path=/api/v1/events") })
	if !log.has("status=499", "path=/api/v1/events", "answer=200") {
		t.Errorf("%s", log.lines())
	}
	log.wantQuiet(t)
}

// A client that has closed its sending side only, as some do after their one request,
// still reads.
func TestAHalfClosedClientGetsItsAnswer(t *testing.T) {
	t.Parallel()
	h, log, secret := newLoggedEnv(t)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	for path, body := range map[string]string{
		"GET /api/v1/events": "", "GET /livez": "", "POST /api/v1/slots/" + slot.ID.String() + "/bookings": `{}`,
	} {
		method, path, _ := strings.Cut(path, " ")
		unlock := func() {}
		if method == http.MethodPost {
			unlock = h.lockSlot(slot.ID)
		}
		conn := h.dial(method, path, secret, body, len(body))
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if method == http.MethodPost {
			h.awaitLockWait()
		}
		unlock()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode >= 300 {
			t.Errorf("%s: %d %s (%v)", path, answer.StatusCode, text, err)
		}
		_ = answer.Body.Close()
	}
	log.wantQuiet(t)
}
