package server

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestTheClientsAddressIsTheLastOneThatNoTrustedProxyHas(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for name, c := range map[string]struct {
		peer, header, value, want string
		proxies                   []netip.Prefix
	}{
		"nobody is trusted":          {"192.0.2.1:99", "X-Forwarded-For", "198.51.100.7", "192.0.2.1", nil},
		"the peer is not trusted":    {"192.0.2.1:99", "X-Forwarded-For", "198.51.100.7", "192.0.2.1", trusted},
		"one proxy":                  {"10.0.0.1:99", "X-Forwarded-For", "198.51.100.7", "198.51.100.7", trusted},
		"a client's own line before": {"10.0.0.1:99", "X-Forwarded-For", "203.0.113.9, 198.51.100.7", "198.51.100.7", trusted},
		"two proxies":                {"10.0.0.1:99", "X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7", trusted},
		"only proxies":               {"10.0.0.1:99", "X-Forwarded-For", "10.1.1.1, 10.2.2.2", "10.1.1.1", trusted},
		"no header":                  {"10.0.0.1:99", "X-Forwarded-For", "", "10.0.0.1", trusted},
		"rubbish":                    {"10.0.0.1:99", "X-Forwarded-For", "unknown", "10.0.0.1", trusted},
		"IPv6":                       {"[2001:db8::1]:99", "X-Forwarded-For", "2001:470::5", "2001:470::5", trusted},
		"mapped IPv4":                {"[::ffff:10.0.0.1]:99", "X-Forwarded-For", "::ffff:198.51.100.7", "198.51.100.7", trusted},
		"the other header":           {"10.0.0.1:99", "Forwarded", "198.51.100.7", "10.0.0.1", trusted},
		"Forwarded":                  {"10.0.0.1:99", "Forwarded", `for=203.0.113.9;proto=https, For="[2001:470::5]:4711";by=x`, "2001:470::5", trusted},
		"Forwarded, hidden":          {"10.0.0.1:99", "Forwarded", `for=_secret`, "10.0.0.1", trusted},
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
