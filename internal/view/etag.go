package view

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// ETag names the state that a body shows: a strong tag (RFC 9110, section 8.8.3).
func ETag(body any) (string, error) {
	sum, err := digest(body)
	return `"` + sum + `"`, err
}

// RevisionETag is an ETag with the revision in front, which alone an edit compares.
func RevisionETag(revision int64, body any) (string, error) {
	sum, err := digest(body)
	return fmt.Sprintf(`"%d.%s"`, revision, sum), err
}

func digest(body any) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("ETag: %w", err)
	}
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%x", sum[:12]), nil
}

// TaggedSlot is a slot as the API shows it, with its ETag: the revision in front,
// and the version, which changes with every booking and does not stop an edit.
func TaggedSlot(s seating.Slot) (body api.Slot, etag string) {
	return Slot(s), fmt.Sprintf(`"%d.%d"`, s.Revision, s.Version)
}

// Tags are the entity tags of an If-Match or If-None-Match header (RFC 9110,
// section 13.1).
type Tags struct {
	any  bool
	list []string
}

// ParseTags reads a header; several header lines are joined by commas. What is
// no list of tags ends the list.
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
			return t // no tag, or nothing more
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

// Match says whether a tag is among them, strongly: a weak one equals none.
func (t Tags) Match(etag string) bool { return t.any || slices.Contains(t.list, etag) }

// MatchWeakly says whether a tag is among them, whether it is weak or not.
func (t Tags) MatchWeakly(etag string) bool {
	etag = strings.TrimPrefix(etag, "W/")
	return t.any || slices.ContainsFunc(t.list, func(tag string) bool { return strings.TrimPrefix(tag, "W/") == etag })
}

// IfMatch is which states an edit is meant for.
type IfMatch struct{ tags Tags }

// AnyState is the IfMatch of who does not care.
var AnyState = IfMatch{Tags{any: true}}

// RequireIfMatch reads an If-Match header that must have been sent: nil is
// fault.VersionRequired.
func RequireIfMatch(header *string) (IfMatch, error) {
	if header == nil {
		return IfMatch{}, fault.VersionRequired.New("Send the ETag of what you edit as If-Match.")
	}
	return IfMatch{ParseTags(*header)}, nil
}

// OptionalIfMatch reads an If-Match header; nil is AnyState.
func OptionalIfMatch(header *string) IfMatch {
	if header == nil {
		return AnyState
	}
	return IfMatch{ParseTags(*header)}
}

// IsAny says whether it matches every state.
func (m IfMatch) IsAny() bool { return m.tags.any }

// Check refuses with fault.VersionMismatch where the present ETag is not meant.
func (m IfMatch) Check(present string) error {
	if m.tags.Match(present) {
		return nil
	}
	return fault.VersionMismatch.New("If-Match does not name the present state. Get the resource again, and send its ETag with the quotes.")
}

// CheckRevision is Check for tags with a revision in front: what stands behind it
// changes with every booking, and does not stop an edit.
func (m IfMatch) CheckRevision(present int64) error {
	revision := fmt.Sprintf(`"%d`, present)
	if m.tags.any || slices.ContainsFunc(m.tags.list, func(tag string) bool {
		return tag == revision+`"` || strings.HasPrefix(tag, revision+".")
	}) {
		return nil
	}
	return fault.VersionMismatch.Newf("If-Match does not name the present revision, %d. Get the resource again, and send its ETag with the quotes.", present)
}
