//go:build unix

package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// nginxConfig has one proxy that clients talk to and that asks the service, and one that
// asks the first one: %[1]s and %[2]s are their ports, %[3]s is the service's address.
const nginxConfig = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events {}
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	map $remote_addr $for { ~^[0-9.]+$ "for=$remote_addr"; default "for=\"[$remote_addr]:$remote_port\""; }
	proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
	proxy_set_header Forwarded "$http_forwarded, $for;host=\"$http_host\"";
	proxy_bind 127.0.0.1;
	server { listen 127.0.0.1:%[1]s; listen [::1]:%[1]s; location / { proxy_pass http://%[3]s; } }
	server { listen 127.0.0.1:%[2]s; location / { proxy_pass http://127.0.0.1:%[1]s; } }
}`

// startNginx starts nginx in front of a service and returns the addresses of both proxies.
// Where nginx is not installed, the test is skipped.
func startNginx(t *testing.T, service string) (near, far string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed: apt-get install nginx")
	}
	near, far = freePort(t), freePort(t)
	dir := t.TempDir()
	config := fmt.Sprintf(nginxConfig, near, far, strings.TrimPrefix(service, "http://"))
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	nginx := exec.CommandContext(t.Context(), program, "-p", dir, "-c", "nginx.conf")
	nginx.Stderr = t.Output()
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nginx.Wait() }) // killed when the test's context ends
	testkit.Await(t, "nginx listens", func() error {
		conn, err := net.Dial("tcp", "127.0.0.1:"+far)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	return near, far
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

var loggedIP = regexp.MustCompile(`path=/api/v1/events .* ip=(\S+)`)

// addresses waits for those of so many requests for events, returns and forgets them.
func (l *logged) addresses(t *testing.T, n int) (all []string) {
	t.Helper()
	eventually(t, "the requests are logged", func() bool {
		lines := loggedIP.FindAllStringSubmatch(l.String(), -1)
		if len(lines) < n {
			return false
		}
		for _, line := range lines {
			all = append(all, line[1])
		}
		l.Reset() // no more come: nobody asks meanwhile
		return true
	})
	return all
}

// askFrom sends a request for events from an address of this machine.
func askFrom(t *testing.T, address, to string, header http.Header) (status int) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0))}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+to+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Header = header.Clone(); r.Header == nil {
		r.Header = http.Header{}
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// Behind real proxies, the log and the limits go by the client's address, whatever the
// client says: each client may ask three times.
func TestBehindNginxTheClientsAddressCounts(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			const quota = 3
			log := &logged{}
			h := newEnv(t, limited("anonymous=3/24h"), func(c *server.Config) {
				c.Log = slog.New(slog.NewTextHandler(log, nil))
				c.Proxies = server.Proxies{Header: header, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
			})
			near, far := startNginx(t, h.Base())
			for name, c := range map[string]struct {
				address, to string
				spoofed     func(i int) http.Header
			}{
				"nothing spoofed": {"127.0.0.2", "127.0.0.1:" + near, func(int) http.Header { return nil }},
				"two proxies":     {"127.0.0.3", "127.0.0.1:" + far, func(int) http.Header { return nil }},
				"another address": {"127.0.0.4", "127.0.0.1:" + near, func(i int) http.Header {
					return http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i)}, "Forwarded": {fmt.Sprintf("for=203.0.113.%d", i)}}
				}},
				"the proxy's address": {"127.0.0.5", "127.0.0.1:" + far, func(i int) http.Header {
					return http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d, 127.0.0.1", i)}, "Forwarded": {fmt.Sprintf("for=203.0.113.%d,for=127.0.0.1", i)}}
				}},
				"an open quote": {"127.0.0.6", "127.0.0.1:" + near, func(i int) http.Header {
					return http.Header{"X-Forwarded-For": {fmt.Sprintf(`"203.0.113.%d`, i)}, "Forwarded": {fmt.Sprintf(`for="203.0.113.%d`, i)}}
				}},
				"a Host like a header": {"127.0.0.7", "127.0.0.1:" + near, func(i int) http.Header {
					return http.Header{"Host": {fmt.Sprintf("x,for=203.0.113.%d", i)}}
				}},
				"several lines": {"127.0.0.8", "127.0.0.1:" + near, func(i int) http.Header {
					return http.Header{"X-Forwarded-For": {"203.0.113.1", fmt.Sprintf("203.0.113.%d", i)}, "Forwarded": {"for=203.0.113.1", fmt.Sprintf("for=203.0.113.%d", i)}}
				}},
				"IPv6": {"::1", "[::1]:" + near, func(i int) http.Header { return http.Header{"X-Forwarded-For": {fmt.Sprintf("2001:db8::%d", i)}} }},
			} {
				for i := range quota + 1 {
					want := http.StatusOK
					if i == quota {
						want = http.StatusTooManyRequests
					}
					if got := askFrom(t, c.address, c.to, c.spoofed(i+1)); got != want {
						t.Errorf("%s: request %d: %d, want %d", name, i+1, got, want)
					}
				}
				for _, logged := range log.addresses(t, quota+1) {
					if logged != c.address {
						t.Errorf("%s: %s is logged, want %s", name, logged, c.address)
					}
				}
			}
			// Past the proxies, who is no proxy says nothing.
			service := strings.TrimPrefix(h.Base(), "http://")
			for i := range quota + 1 {
				status := askFrom(t, "127.0.0.9", service, http.Header{header: {fmt.Sprintf("for=203.0.113.%d", i)}})
				if isLimited := status == http.StatusTooManyRequests; isLimited != (i == quota) {
					t.Errorf("past the proxies: request %d: %d", i+1, status)
				}
			}
			for _, logged := range log.addresses(t, quota+1) {
				if logged != "127.0.0.9" {
					t.Errorf("past the proxies: %s is logged", logged)
				}
			}
		})
	}
}
