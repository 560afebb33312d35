package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are those whose word about the client's address is believed.
type Proxies struct {
	// Trusted are their networks; none means that the peer's address counts.
	Trusted []netip.Prefix
	// Header is where they say it: X-Forwarded-For or Forwarded (RFC 7239). Only one is
	// read: a proxy that sets the one passes the other on as the client wrote it.
	Header string
}

// maxHops bounds how many proxies are followed.
const maxHops = 16

// clientAddress returns the address of the client of a request: that of the peer, or, if
// that is a trusted proxy, the last one in the header that is not.
func (p Proxies) clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if !p.trusts(host) {
		return host
	}
	hops := p.hops(r.Header)
	for i := len(hops) - 1; i >= max(0, len(hops)-maxHops); i-- {
		address, err := netip.ParseAddr(hops[i])
		if err != nil {
			return host // what a proxy does not know, or would not tell
		}
		host = address.Unmap().WithZone("").String()
		if !p.trusts(host) {
			break
		}
	}
	return host
}

func (p Proxies) trusts(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(p.Trusted, func(n netip.Prefix) bool { return n.Contains(address.Unmap().WithZone("")) })
}

// hops are the addresses in the header, the client's first.
func (p Proxies) hops(header http.Header) []string {
	var hops []string
	for hop := range strings.SplitSeq(strings.Join(header.Values(p.Header), ","), ",") {
		if http.CanonicalHeaderKey(p.Header) == "Forwarded" {
			hop = forwardedFor(hop)
		}
		hops = append(hops, withoutPort(strings.TrimSpace(hop)))
	}
	return hops
}

// forwardedFor is the value of "for" in an element of Forwarded (RFC 7239, section 4).
func forwardedFor(element string) string {
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// withoutPort takes a port and the brackets of IPv6 off (RFC 7239, section 6).
func withoutPort(hop string) string {
	if host, _, err := net.SplitHostPort(hop); err == nil {
		return host
	}
	return strings.Trim(hop, "[]")
}
