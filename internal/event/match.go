package event

import (
	"strconv"
	"strings"

	"eventbooking/internal/fault"
)

// Match is which state an edit is meant for, by an If-Match header: the revision
// in the ETag. What stands behind it changes with every booking, and does not
// stand in the way of an edit.
type Match struct {
	// Revision is the one that the editor saw; 0 is any.
	Revision int64
}

// ParseMatch reads an If-Match header; nil is one that was not sent.
func ParseMatch(header *string) (Match, error) {
	if header == nil {
		return Match{}, fault.VersionRequired.New("Send the ETag of what you edit as If-Match.")
	}
	text := strings.TrimSpace(*header)
	if text == "*" {
		return Match{}, nil
	}
	inner, quoted := strings.CutPrefix(text, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	number, _, _ := strings.Cut(inner, ".")
	revision, err := strconv.ParseInt(number, 10, 64)
	if !quoted || !closed || strings.Contains(inner, `"`) || err != nil || revision < 1 {
		return Match{}, fault.VersionMismatch.New("If-Match is not an ETag of this resource; it looks like \"3.17\", with its quotes.")
	}
	return Match{Revision: revision}, nil
}

// check compares with the present revision.
func (m Match) check(present int64) error {
	if m.Revision != 0 && m.Revision != present {
		return fault.VersionMismatch.Newf("It is at revision %d; the edit was of revision %d.", present, m.Revision)
	}
	return nil
}
