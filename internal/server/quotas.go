package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"eventbooking/internal/seating"
)

// Quotas bound what one user keeps from others or from the disk; 0 is no bound.
type Quotas struct {
	seating.Quotas
	// Drafts is how many drafts an organizer may have, Keys how many idempotency keys a
	// user may use within a day.
	Drafts, Keys int
}

// DefaultQuotas are those that README.md gives the reasons for.
func DefaultQuotas() Quotas {
	return Quotas{Quotas: seating.Quotas{Holds: 2, Changes: 200}, Drafts: 500, Keys: 10_000}
}

// maxOfQuota bounds a quota that is set.
const maxOfQuota = 1_000_000

// named are the quotas by their names in QUOTAS.
func (q *Quotas) named() map[string]*int {
	return map[string]*int{"holds": &q.Holds, "changes": &q.Changes, "drafts": &q.Drafts, "keys": &q.Keys}
}

var quotaNames = []string{"changes", "drafts", "holds", "keys"}

// String is the quotas as ParseQuotas reads them.
func (q Quotas) String() string {
	var parts []string
	for _, name := range quotaNames {
		parts = append(parts, fmt.Sprintf("%s=%d", name, *q.named()[name]))
	}
	return strings.Join(parts, ",")
}

// ParseQuotas reads QUOTAS: "off", or changes of the defaults, such as
// "drafts=5000,holds=off". The error says what is wrong and what would be right.
func ParseQuotas(text string) (Quotas, error) {
	q := DefaultQuotas()
	switch text {
	case "":
		return q, nil
	case "off":
		return Quotas{}, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if !slices.Contains(quotaNames, name) {
			return Quotas{}, fmt.Errorf("there is no quota %q; there are %s, and off for all", name, strings.Join(quotaNames, ", "))
		}
		n, err := strconv.Atoi(value)
		if value != "off" && (err != nil || n < 1 || n > maxOfQuota) {
			return Quotas{}, fmt.Errorf("%s: %q is not a quota: give a number from 1 to %d, or off", name, value, maxOfQuota)
		}
		*q.named()[name] = n
	}
	return q, nil
}
