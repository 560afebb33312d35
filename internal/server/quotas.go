package server

import (
	"fmt"
	"maps"
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

// maxUserQuota bounds a quota that is set.
const maxUserQuota = 1_000_000

// named are the quotas by their names in QUOTAS.
func (q *Quotas) named() map[string]*int {
	return map[string]*int{"holds": &q.Holds, "changes": &q.Changes, "drafts": &q.Drafts, "keys": &q.Keys}
}

// String is the quotas as ParseQuotas reads them.
func (q Quotas) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(q.named())) {
		parts = append(parts, fmt.Sprintf("%s=%d", name, *q.named()[name]))
	}
	return strings.Join(parts, ",")
}

// ParseQuotas reads QUOTAS: "off", or changes of the defaults, such as
// "drafts=5000,holds=off". The error says what is wrong and what would be right.
func ParseQuotas(text string) (Quotas, error) {
	if text == "off" {
		return Quotas{}, nil
	}
	q := DefaultQuotas()
	named := q.named()
	err := readChanges(text, "quota", slices.Sorted(maps.Keys(named)), func(name, value string) error {
		n, err := strconv.Atoi(value)
		if value != "off" && (err != nil || n < 1 || n > maxUserQuota) {
			return fmt.Errorf("%q is not a quota: give a number from 1 to %d, or off", value, maxUserQuota)
		}
		*named[name] = n
		return nil
	})
	if err != nil {
		return Quotas{}, err
	}
	return q, nil
}
