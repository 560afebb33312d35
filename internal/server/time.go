package server

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// timeForm is the form of RFC 3339, section 5.6, without leap seconds, which neither
// Go nor PostgreSQL can represent. time.Parse alone also accepts hours of one digit,
// fractions after a comma, and offsets such as +24:00 and +01:60, with which a time
// cannot be encoded again.
var timeForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// maxTime bounds the text of a time, in bytes: fractions may have any length.
const maxTime = 64

// parseTime parses a time of a request: RFC 3339, in the years 1 to 9999 in UTC, which
// Go, PostgreSQL and JSON can represent. The result is in UTC, in microseconds, as the
// database stores it.
func parseTime(text string) (time.Time, error) {
	if len(text) > maxTime || !timeForm.MatchString(text) {
		return time.Time{}, errors.New("not an RFC 3339 time")
	}
	t, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	t = t.UTC().Truncate(time.Microsecond)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errors.New("no such time")
	}
	return t, nil
}

// canonicalTime writes an accepted time as every decoder reads it, and leaves other
// texts alone.
func canonicalTime(text string) string {
	if t, err := parseTime(text); err == nil {
		return t.Format(time.RFC3339Nano)
	}
	return text
}

func isTime(s *openapi3.Schema) bool { return s.Format == "date-time" }
