package server

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestTheClientsAddressIsTheLastOneThatNoTrustedProxyHas(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for name, c := range map[string]struct {
		peer, header, value, want string
		proxies                   []netip.Prefix
	}{
		"nobody is trusted":                  {"192.0.2.1:99", "X-Forwarded-For", "198.51.100.7", "192.0.2.1", nil},
		"the peer is not trusted":            {"192.0.2.1:99", "X-Forwarded-For", "198.51.100.7", "192.0.2.1", trusted},
		"one proxy":                          {"10.0.0.1:99", "X-Forwarded-For", "198.51.100.7", "198.51.100.7", trusted},
		"a client's own line before":         {"10.0.0.1:99", "X-Forwarded-For", "203.0.113.9, 198.51.100.7", "198.51.100.7", trusted},
		"two proxies":                        {"10.0.0.1:99", "X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7", trusted},
		"only proxies":                       {"10.0.0.1:99", "X-Forwarded-For", "10.1.1.1, 10.2.2.2", "10.1.1.1", trusted},
		"no header":                          {"10.0.0.1:99", "X-Forwarded-For", "", "10.0.0.1", trusted},
		"rubbish":                            {"10.0.0.1:99", "X-Forwarded-For", "unknown", "10.0.0.1", trusted},
		"IPv6":                               {"[2001:db8::1]:99", "X-Forwarded-For", "2001:470::5", "2001:470::5", trusted},
		"mapped IPv4":                        {"[::ffff:10.0.0.1]:99", "X-Forwarded-For", "::ffff:198.51.100.7", "198.51.100.7", trusted},
		"the other header":                   {"10.0.0.1:99", "Forwarded", "198.51.100.7", "10.0.0.1", trusted},
		"Forwarded":                          {"10.0.0.1:99", "Forwarded", `for=203.0.113.9;proto=https, For="[2001:470::5]:4711";by=x`, "2001:470::5", trusted},
		"Forwarded, a Host with a comma":     {"10.0.0.1:99", "Forwarded", `for=198.51.100.7;host="x,for=203.0.113.9"`, "198.51.100.7", trusted},
		"Forwarded, a Host with a semicolon": {"10.0.0.1:99", "Forwarded", `host="x;for=203.0.113.9";for=198.51.100.7`, "198.51.100.7", trusted},
		"Forwarded, an escaped quote":        {"10.0.0.1:99", "Forwarded", `host="x\",for=203.0.113.9";for=198.51.100.7`, "198.51.100.7", trusted},
		"Forwarded, a quote left open":       {"10.0.0.1:99", "Forwarded", `for="203.0.113.9, for=198.51.100.7`, "198.51.100.7", trusted},
		"Forwarded, two proxies":             {"10.0.0.1:99", "Forwarded", `for=203.0.113.9, for=198.51.100.7;by=10.9.9.9, for=10.9.9.9`, "198.51.100.7", trusted},
		"IPv6 with a port":                   {"10.0.0.1:99", "X-Forwarded-For", "[2001:470::5]:4711", "2001:470::5", trusted},
		"IPv6 in brackets":                   {"10.0.0.1:99", "X-Forwarded-For", "[2001:470::5]", "2001:470::5", trusted},
		"rubbish before the proxy's word":    {"10.0.0.1:99", "X-Forwarded-For", "'; DROP TABLE users, 198.51.100.7", "198.51.100.7", trusted},
		"more hops than are followed":        {"10.0.0.1:99", "X-Forwarded-For", "203.0.113.9" + strings.Repeat(", 10.1.1.1", 20), "10.1.1.1", trusted},
		"Forwarded, hidden":                  {"10.0.0.1:99", "Forwarded", `for=_secret`, "10.0.0.1", trusted},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.value != "" {
			r.Header.Set(c.header, c.value)
		}
		if got := (Proxies{Trusted: c.proxies, Header: c.header}).clientAddress(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestAnIPv6CustomerIsOneAddress(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "",
	} {
		if got := addressKey(ip); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}

// Several lines are one (RFC 9110, section 5.3).
func TestLinesOfAHeaderAreJoined(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for header, lines := range map[string][]string{
		"X-Forwarded-For": {"203.0.113.9", "198.51.100.7", "10.9.9.9"},
		"Forwarded":       {"for=203.0.113.9", `for="198.51.100.7:80"`, "for=10.9.9.9"},
	} {
		r := &http.Request{RemoteAddr: "10.0.0.1:99", Header: http.Header{header: lines}}
		if got := (Proxies{Trusted: trusted, Header: header}).clientAddress(r); got != "198.51.100.7" {
			t.Errorf("%s: %s", header, got)
		}
	}
}
