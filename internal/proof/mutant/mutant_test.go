//go:build unix

package mutant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/labtest"
)

// Every edit has its place in the source as it is today.
func TestMutantsApply(t *testing.T) {
	t.Parallel()
	root, err := lab.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mutate(root, All); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range All {
		if names[m.Name] || len(m.SeenBy) == 0 || len(m.Edits) == 0 || m.Mistake == "" {
			t.Errorf("%s is twice, or not whole", m.Name)
		}
		names[m.Name] = true
	}
}

func TestMutantsCompile(t *testing.T) {
	t.Parallel()
	if _, err := build(t.Context(), labtest.Open(t)); err != nil {
		t.Fatal(err)
	}
}

const slotSource = `package slots

// Take takes seats.
func (s *Slot) Take(n int, k Kind) (ok bool) {
	free := s.Capacity - s.Taken
	if n > free && k != Forced { return false }
	s.Taken += n
	s.log(k, n)
	s.sum = (n + 1) * (n + 2)
	b := s.queue[n]
	ok = s.note(b)
	return ok
}
`

// edit applies an edit to a package of one file.
func edit(t *testing.T, source string, edits ...Edit) (string, error) {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "slots"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "slots", "slot.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range edits {
		edits[i].Package = "slots"
	}
	files, err := mutate(root, []Mutant{{Name: "it", Edits: edits}})
	return string(files["slots/slot.go"]), err
}

func TestEditsSurviveRenamesAndReformats(t *testing.T) {
	t.Parallel()
	renamed := strings.NewReplacer("free", "left", "n int", "seats int", "n >", "seats >", "+= n", "+= seats", "(n +", "(seats +", "[n]", "[seats]", " n)", " seats)",
		"s *Slot", "slot *Slot", "s.", "slot.", "k Kind", "kind Kind", "k !=", "kind !=", "(k,", "(kind,", "{ return false }", "{\n\n\t\treturn false // full\n\t}").Replace(slotSource)
	for name, c := range map[string]struct {
		edit        Edit
		want, after string
	}{
		"start":     {Edit{Func: "Slot.Take", At: Start, New: `if mutated("it") { ${Slot}.Taken = 0 }`}, "s.Taken = 0", "slot.Taken = 0"},
		"operator":  {Edit{Func: "Slot.Take", At: Operator("-", "Capacity"), New: `$x + $y`}, "free := s.Capacity + s.Taken", "left := slot.Capacity + slot.Taken"},
		"changing":  {Edit{Func: "Slot.Take", At: Changing("+=", "Taken"), New: `if ${Kind} != "" { $0 }`}, "if k != \"\" {\n\t\ts.Taken += n", "if kind != \"\" {\n\t\tslot.Taken += seats"},
		"calling":   {Edit{Func: "Slot.Take", At: Calling("log"), New: `$recv.log($1, $2+1)`}, "s.log(k, n+1)", "slot.log(kind, seats+1)"},
		"assigning": {Edit{Func: "Slot.Take", At: Calling("note", "b"), New: "$0\n$left1 = !$left1"}, "ok = !ok", "ok = !ok"},
		"indexing":  {Edit{Func: "Slot.Take", At: Indexing("queue"), New: `$x[$y+1]`}, "b := s.queue[n+1]", "b := slot.queue[seats+1]"},
	} {
		if got, err := edit(t, slotSource, c.edit); err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		if got, err := edit(t, renamed, c.edit); err != nil || !strings.Contains(got, c.after) {
			t.Errorf("%s, renamed: %v\n%s", name, err, got)
		}
	}
}

func TestAnEditWithoutExactlyOnePlaceIsAnError(t *testing.T) {
	t.Parallel()
	once := Edit{Func: "Slot.Take", At: Calling("log"), New: "$0"}
	for want, edits := range map[string][]Edit{
		"0 functions Slot.Give":       {{Func: "Slot.Give", At: Start}},
		"0 times":                     {{Func: "Slot.Take", At: Calling("sell")}},
		"2 times":                     {{Func: "Slot.Take", At: Operator("+", "n")}},
		"has no $3":                   {{Func: "Slot.Take", At: Calling("log"), New: "$3"}},
		"has no ${User}":              {{Func: "Slot.Take", At: Start, New: "${User}"}},
		"another edit is at the same": {once, once},
		"with its mistakes":           {{Func: "Slot.Take", At: Start, New: "if {"}},
	} {
		if _, err := edit(t, slotSource, edits...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want: %s", err, want)
		}
	}
	if _, err := mutate(t.TempDir(), []Mutant{{Edits: []Edit{{Package: "gone"}}}}); err == nil || !strings.Contains(err.Error(), "no package gone") {
		t.Errorf("%v", err)
	}
}
