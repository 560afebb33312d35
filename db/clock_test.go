package db_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// clock_timestamp() is volatile: a comparison with it is evaluated for each row, and is no
// condition for an index. As a subquery it is read once.
func TestNothingIsComparedWithAVolatileClock(t *testing.T) {
	t.Parallel()
	volatile := regexp.MustCompile(`(?i)([<>]=?|BETWEEN|IS DISTINCT FROM)\s*\(*clock_timestamp\(\)|clock_timestamp\(\)[^,;)\n]*([<>]|BETWEEN)`)
	for sql, want := range map[string]bool{
		"a <= clock_timestamp()": true, "a > (clock_timestamp() - b)": true, "clock_timestamp() - a >= b": true,
		"a <= (SELECT clock_timestamp())": false, "SET a = clock_timestamp(), b = c": false, "a > now()": false,
	} {
		if volatile.MatchString(sql) != want {
			t.Errorf("%s: want %t", sql, want)
		}
	}
	files, err := filepath.Glob("*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range volatile.FindAllString(string(text), -1) {
			t.Errorf("%s: %q; compare with (SELECT clock_timestamp())", file, found)
		}
	}
}
