package eventbooking_test

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// Without a rule of its own a package may import anything, and the linter says
// nothing.
func TestEveryPackageHasAnImportRule(t *testing.T) {
	t.Parallel()
	settings, err := os.ReadFile(".golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("internal")
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "tools" && e.Name() != "clients" { // no Go packages
			packages = append(packages, e.Name())
		}
	}
	var ruled []string
	for _, match := range regexp.MustCompile(`files: \["\*\*/internal/(\w+)/\*\*"`).FindAllSubmatch(settings, -1) {
		ruled = append(ruled, string(match[1]))
	}
	for _, name := range packages {
		if !slices.Contains(ruled, name) {
			t.Errorf("internal/%s has no depguard rule in .golangci.yml", name)
		}
	}
	for _, name := range ruled {
		if !slices.Contains(packages, name) {
			t.Errorf(".golangci.yml has a rule for internal/%s, which does not exist", name)
		}
	}
}
