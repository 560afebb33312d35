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

// maxHops bounds how many proxies are followed, and maxPairs what each may say.
const (
	maxHops  = 16
	maxPairs = 16
)

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
	for i := len(hops) - 1; i >= 0; i-- {
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

// hops are the addresses in the header, the client's first, maxHops at most.
func (p Proxies) hops(header http.Header) []string {
	hops := splitLast(strings.Join(header.Values(p.Header), ","), ',', maxHops)
	for i, hop := range hops {
		if http.CanonicalHeaderKey(p.Header) == "Forwarded" {
			hop = forwardedFor(hop)
		}
		hops[i] = withoutPort(strings.TrimSpace(hop))
	}
	return hops
}

// splitLast returns the last parts of a text between separators that are in no quoted
// string. It reads from the end: what the proxies wrote is there, and a quote that the
// client did not close before it ends nothing of theirs.
func splitLast(text string, separator byte, most int) (parts []string) {
	isQuoted, end := false, len(text)
	for i := end - 1; i >= 0 && len(parts) < most-1; i-- {
		switch {
		case text[i] == '"' && !isEscaped(text[:i]):
			isQuoted = !isQuoted
		case text[i] == separator && !isQuoted:
			parts, end = append(parts, text[i+1:end]), i
		}
	}
	parts = append(parts, text[:end])
	slices.Reverse(parts)
	return parts
}

// isEscaped says whether what follows a text in a quoted string is escaped by a backslash.
func isEscaped(before string) bool {
	return (len(before)-len(strings.TrimRight(before, `\`)))%2 == 1
}

// forwardedFor is the value of "for" in an element of Forwarded (RFC 7239, section 4).
func forwardedFor(element string) string {
	for _, pair := range splitLast(element, ';', maxPairs) {
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
