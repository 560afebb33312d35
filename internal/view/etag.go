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

// ParseTags parses a header; several header lines must be joined by commas. It
// ignores everything from the first thing on that is not a tag.
func ParseTags(header string) Tags {
	var t Tags
	for rest := header; ; {
		rest = strings.TrimLeft(rest, " \t,")
		if strings.HasPrefix(rest, "*") {
			return Tags{any: true}
		}
		weak := strings.HasPrefix(rest, "W/")
		tag := strings.TrimPrefix(rest, "W/")
		if !strings.HasPrefix(tag, `"`) {
			return t // the end, or not a tag
		}
		end := strings.IndexByte(tag[1:], '"')
		if end < 0 {
			return t
		}
		tag, rest = tag[:end+2], tag[end+2:]
		if weak {
			tag = "W/" + tag
		}
		t.list = append(t.list, tag)
	}
}

// Match says whether a tag is among them. Weak tags match nothing.
func (t Tags) Match(etag string) bool { return t.any || slices.Contains(t.list, etag) }

// MatchWeakly says whether a tag is among them; weak tags match like strong ones.
func (t Tags) MatchWeakly(etag string) bool {
	etag = strings.TrimPrefix(etag, "W/")
	return t.any || slices.ContainsFunc(t.list, func(tag string) bool { return strings.TrimPrefix(tag, "W/") == etag })
}

// IfMatch says which states of a resource an edit may be applied to.
type IfMatch struct{ tags Tags }

// AnyState matches every state.
var AnyState = IfMatch{Tags{any: true}}

// RequireIfMatch parses an If-Match header. If it was not sent, which is nil, the
// error is fault.VersionRequired.
func RequireIfMatch(header *string) (IfMatch, error) {
	if header == nil {
		return IfMatch{}, fault.VersionRequired.New("Send the ETag of what you edit in the If-Match header.")
	}
	return IfMatch{ParseTags(*header)}, nil
}

// OptionalIfMatch parses an If-Match header; nil is AnyState.
func OptionalIfMatch(header *string) IfMatch {
	if header == nil {
		return AnyState
	}
	return IfMatch{ParseTags(*header)}
}

// IsAny says whether it matches every state.
func (m IfMatch) IsAny() bool { return m.tags.any }

// Check returns fault.VersionMismatch unless the current ETag matches.
func (m IfMatch) Check(current string) error {
	if m.tags.Match(current) {
		return nil
	}
	return fault.VersionMismatch.New("If-Match does not match the current state. Get the resource again and send its ETag, with the quotes.")
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
	return fault.VersionMismatch.Newf("If-Match does not match the current revision, %d. Get the resource again and send its ETag, with the quotes.", current)
}
