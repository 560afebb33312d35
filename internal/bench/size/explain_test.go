//go:build unix

package size

import (
	"strings"
	"testing"
	"time"
)

const someLog = `00000 2026-11-27 08:33:39.681 UTC [1] db=large LOG:  duration: 12.500 ms  plan:
	Query Text: -- name: SlotGet :one
	SELECT 1
	Nested Loop  (cost=0.84..16.89 rows=1 width=200) (actual rows=1 loops=1)
	  Buffers: shared hit=7 read=2 dirtied=1
	  ->  Index Scan using slots_pkey on slots s  (cost=0.43..8.45 rows=1 width=176) (actual rows=1 loops=1)
	        Buffers: shared hit=3
42P01 2026-11-27 08:33:39.682 UTC [1] db=large ERROR:  relation "nothing" does not exist
00000 2026-11-27 08:33:39.683 UTC [2] db=small LOG:  duration: 0.100 ms  plan:
	Query Text: -- name: SlotGet :one
	SELECT 1
	Result  (cost=0.00..0.01 rows=1 width=4) (actual rows=1 loops=1)
00000 2026-11-27 08:33:39.684 UTC [1] db=large LOG:  duration: 1.000 ms  plan:
	Query Text: SELECT 1 -- of nobody
	Result  (cost=0.00..0.01 rows=1 width=4) (actual rows=1 loops=1)
00000 2026-11-27 08:33:39.685 UTC [1] db=large LOG:  duration: 0.500 ms  plan:
	Query Text: -- name: SlotGet :one
	SELECT 1
	Index Scan  (cost=0.00..0.01 rows=1 width=4) (actual rows=1 loops=1)
	  Buffers: shared read=4`

func TestParseFindsStatements(t *testing.T) {
	t.Parallel()
	all := parse([]byte(someLog))
	if len(all) != 3 {
		t.Fatalf("%d statements, want 3: %v", len(all), all)
	}
	first := all[0]
	if first.database != "large" || first.name != "SlotGet" || first.took != 12500*time.Microsecond || first.buffers != 9 {
		t.Errorf("the first one is %+v", first)
	}
	if !strings.HasPrefix(first.plan, "Nested Loop") || !strings.HasSuffix(first.plan, "shared hit=3") {
		t.Errorf("its plan is %q", first.plan)
	}
	costs := byName(all, "large")["SlotGet"]
	if ms, blocks := costs.perCall(); costs.calls != 2 || ms != 6.5 || blocks != 6.5 || costs.worst.buffers != 9 {
		t.Errorf("its runs in one database are %+v", costs)
	}
}

func TestLongPlansAreCut(t *testing.T) {
	t.Parallel()
	s := statement{name: "EventList", plan: strings.Repeat("Node\n", 100)}
	if text := s.String(); !strings.HasSuffix(text, "… and 41 lines more") || strings.Count(text, "\n") != maxPlan+1 {
		t.Errorf("%q", text)
	}
}

func TestGrownReads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		small, large timed
		grew         bool
	}{
		{timed{ms: 2}, timed{ms: 5.9}, false},
		{timed{ms: 2}, timed{ms: 6.1}, true},
		{timed{ms: 0.1}, timed{ms: 0.9}, false}, // within the noise
		{timed{ms: 15}, timed{ms: 21}, true},
		{timed{ms: 1}, timed{ms: 1, failure: "503 overloaded"}, true},
	} {
		if p := (pair{small: test.small, large: test.large}); p.grew() != test.grew {
			t.Errorf("%+v: %t, want %t", p, p.grew(), test.grew)
		}
	}
}
