package server

import (
	"strings"
	"testing"
)

func TestQuotasAreChangesOfTheDefaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]func(*Quotas){
		"":                       func(*Quotas) {},
		DefaultQuotas().String(): func(*Quotas) {},
		"drafts=7,holds=off":     func(q *Quotas) { q.Drafts, q.Holds = 7, 0 },
		"keys=off,changes=3":     func(q *Quotas) { q.Keys, q.Changes = 0, 3 },
		"off":                    func(q *Quotas) { *q = Quotas{} },
	} {
		wanted := DefaultQuotas()
		want(&wanted)
		if got, err := ParseQuotas(text); err != nil || got != wanted {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, wrong := range []string{"draft=7", "drafts", "drafts=0", "drafts=-1", "drafts=1000001", "holds=2,", "on"} {
		if _, err := ParseQuotas(wrong); err == nil || !strings.Contains(err.Error(), "off") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
