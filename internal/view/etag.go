package view

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// ETag returns the strong ETag of a body (RFC 9110, section 8.8.3): a hash of it.
func ETag(body any) (string, error) {
	sum, err := digest(body)
	return `"` + sum + `"`, err
}

// RevisionETag returns an ETag that starts with a revision. CheckRevision compares
// only that.
func RevisionETag(revision int64, body any) (string, error) {
	sum, err := digest(body)
	return fmt.Sprintf(`"%d.%s"`, revision, sum), err
}

// BytesETag returns the strong ETag of an encoded body.
func BytesETag(body []byte) string { return `"` + hashOf(body) + `"` }

func digest(body any) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("ETag: %w", err)
	}
	return hashOf(text), nil
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%x", sum[:12])
}

// TaggedSlot converts a slot for the API, as it is at a time, and returns its ETag too:
// revision and version. Every booking changes the version, but CheckRevision does not
// compare it. That a slot is over changes the body and neither of them, so it is named.
func TaggedSlot(s seating.Slot, now time.Time) (body api.Slot, etag string) {
	over := ""
	if s.IsOver(now) {
		over = ".over"
	}
	return Slot(s, now), fmt.Sprintf(`"%d.%d%s"`, s.Revision, s.Version, over)
}

// Tags are the entity tags of an If-Match or If-None-Match header (RFC 9110,
// section 13.1).
type Tags struct {
	any  bool
	list []string
}

// ParseTags parses a header: * or a list of tags; several header lines must be joined
// by commas. What is neither has no tags, so it matches nothing.
func ParseTags(header string) Tags {
	header = strings.Trim(header, " \t")
	if header == "*" {
		return Tags{any: true}
	}
	var t Tags
	for rest := header; rest != ""; {
		tag := nextTag(rest)
		rest = strings.TrimLeft(rest[len(tag):], " \t")
		if rest != "" && rest[0] != ',' {
			return Tags{}
		}
		rest = strings.TrimLeft(rest, " \t,") // a list may have empty elements
		if tag != "" {
			t.list = append(t.list, tag)
		}
	}
	return t
}

// nextTag returns the tag at the start of a text, or "".
func nextTag(text string) string {
	opaque := strings.TrimPrefix(text, "W/")
	if !strings.HasPrefix(opaque, `"`) {
		return ""
	}
	end := strings.IndexFunc(opaque[1:], func(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f })
	if end < 0 || opaque[1+end] != '"' {
		return ""
	}
	return text[:len(text)-len(opaque)+end+2]
}

// Match says whether a tag is among them. Weak tags match nothing.
func (t Tags) Match(etag string) bool { return t.any || slices.Contains(t.list, etag) }

// MatchWeakly says whether a tag is among them; weak tags match like strong ones.
func (t Tags) MatchWeakly(etag string) bool {
	etag = strings.TrimPrefix(etag, "W/")
	return t.any || slices.ContainsFunc(t.list, func(tag string) bool { return strings.TrimPrefix(tag, "W/") == etag })
}

// Examples of tags, for the errors about If-Match.
const (
	EventTag   = `"3.5f0c6e1a9b7d2c48e1f3a6b0"`
	SlotTag    = `"3.17"`
	BookingTag = `"5f0c6e1a9b7d2c48e1f3a6b0"`
)

// IfMatch says which states of a resource an edit may be applied to.
type IfMatch struct {
	tags    Tags
	example string
}

// AnyState matches every state.
var AnyState = IfMatch{tags: Tags{any: true}}

// RequireIfMatch parses an If-Match header. If it was not sent, which is nil, the
// error is fault.VersionRequired. example is a tag of such a resource.
func RequireIfMatch(header *string, example string) (IfMatch, error) {
	if header == nil {
		return IfMatch{}, fault.VersionRequired.Newf("Send the ETag of what you edit in the If-Match header, such as %s.", example)
	}
	return IfMatch{ParseTags(*header), example}, nil
}

// OptionalIfMatch parses an If-Match header; nil is AnyState. example is a tag of such
// a resource.
func OptionalIfMatch(header *string, example string) IfMatch {
	if header == nil {
		return AnyState
	}
	return IfMatch{ParseTags(*header), example}
}

// IsAny says whether it matches every state.
func (m IfMatch) IsAny() bool { return m.tags.any }

// Check returns fault.VersionMismatch unless the current ETag matches.
func (m IfMatch) Check(current string) error {
	if m.tags.Match(current) {
		return nil
	}
	return m.errMismatch("state")
}

// CheckRevision returns fault.VersionMismatch unless a tag starts with the current
// revision. The rest of the tag may differ, because bookings change it.
func (m IfMatch) CheckRevision(current int64) error {
	revision := fmt.Sprintf(`"%d`, current)
	if m.tags.any || slices.ContainsFunc(m.tags.list, func(tag string) bool {
		return tag == revision+`"` || strings.HasPrefix(tag, revision+".")
	}) {
		return nil
	}
	return m.errMismatch(fmt.Sprintf("revision, %d", current))
}

func (m IfMatch) errMismatch(current string) error {
	return fault.VersionMismatch.Newf("If-Match does not match the current %s. Get the resource again and send its ETag, with the quotes, such as %s.",
		current, m.example)
}
