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
	"testing"
	"time"

	"eventbooking"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// notOurs are what net/http answers itself, by the request.
var notOurs = map[string]struct {
	request string
	status  int
}{
	"no request line":     {"hello\r\n\r\n", 400},
	"no Host":             {"GET /livez HTTP/1.1\r\n\r\n", 400},
	"two Hosts":           {"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
	"malformed header":    {"GET /livez HTTP/1.1\r\nHost: a\r\nA name: b\r\n\r\n", 400},
	"malformed path":      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"two lengths":         {"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
	"unknown expectation": {"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: the-unexpected\r\n\r\n{}", 417},
	"large headers":       {"GET /livez HTTP/1.1\r\nHost: a\r\nX-Large: " + strings.Repeat("x", 32<<10) + "\r\n\r\n", 431},
	"transfer encoding":   {"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
	"HTTP version":        {"GET /livez HTTP/3.0\r\nHost: a\r\n\r\n", 505},
}

func TestWhatIsNoHTTPIsRefusedAsTheContractSays(t *testing.T) {
	t.Parallel()
	// The limits are those of the service's own HTTP server, so that of newEnv does not do.
	app, at := startServing(t, server.Config{
		DatabaseURL: testkit.DatabaseURL(t), MaxConns: 4, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	address := at.String()
	for name, c := range notOurs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := raw(t, address, c.request)
			if a.Status != c.status || a.Header.Get("X-Request-Id") != "" || bytes.HasPrefix(a.Body, []byte("{")) || a.Header.Get("Connection") != "close" {
				t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
			}
			if !strings.Contains(string(eventbooking.Spec), fmt.Sprintf("(%d)", c.status)) {
				t.Errorf("the contract does not name %d", c.status)
			}
		})
	}
	if a := raw(t, address, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); a.Status != http.StatusOK || len(a.Body) > 0 {
		t.Errorf("OPTIONS *: %d %s", a.Status, a.Body)
	}
}

// raw sends bytes, and returns the answer.
func raw(t *testing.T, address, request string) testkit.Answer {
	t.Helper()
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	go func() { _, _ = io.WriteString(connection, request) }() // the service may stop reading
	_ = connection.SetReadDeadline(time.Now().Add(30 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body) // it may be cut off by a reset
	if response.Close {                  // the header is taken out
		response.Header.Set("Connection", "close")
	}
	return testkit.Answer{Status: response.StatusCode, Header: response.Header, Body: body}
}
