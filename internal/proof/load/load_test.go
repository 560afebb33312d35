//go:build unix

package load

import (
	"strings"
	"testing"
)

// Each way in which an answer under a key and the database can disagree is found,
// and nothing else.
func TestLostAndUnaccountedKeysAreFound(t *testing.T) {
	t.Parallel()
	type told = map[string]bool
	for name, c := range map[string]struct {
		told, stored map[string]bool
		want         string
	}{
		"alike":               {told{"a": true, "b": true}, told{"a": true, "b": true}, ""},
		"a refusal":           {told{"a": false}, told{}, ""},
		"a refusal is kept":   {told{"a": false}, told{"a": true}, "unaccounted: the key a"},
		"lost answer":         {told{"a": true}, told{}, "lost: the answer to the key a"},
		"effect of a refusal": {told{"a": true}, told{"a": true, "b": true}, "unaccounted: the key b"},
	} {
		found := compareKeys(c.told, c.stored)
		if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || !strings.HasPrefix(found[0], c.want)) {
			t.Errorf("%s: found %q, want %q", name, found, c.want)
		}
	}
}
