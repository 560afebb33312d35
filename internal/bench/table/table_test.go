package table

import "testing"

func TestTablesAreMarkdown(t *testing.T) {
	got := Markdown([]string{"", "µs"}, [][]string{{"a slot", "7"}, {"b", "1000"}})
	want := "|        | µs   |\n|--------|------|\n| a slot | 7    |\n| b      | 1000 |\n"
	if got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}
