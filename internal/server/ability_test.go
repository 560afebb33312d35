package server_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
)

var (
	paragraph = regexp.MustCompile("(?m)^- `([a-z*]+(?::[a-z]+)?)`: ")
	quoted    = regexp.MustCompile("`([a-z]+[A-Z][A-Za-z]*)`")
)

// alsoPublic are operations that anybody may use, and that show more with an ability.
var alsoPublic = []string{"listEvents", "getEvent", "listSlots", "getSlot"}

// The text of each ability names exactly the operations that require it, so that
// nobody hands out a token that can do more than they read.
func TestEachAbilityIsDescribedByItsOperations(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{access.AbilityAll: nil, access.AbilityEventsRead: slices.Clone(alsoPublic)}
	for _, item := range spec.Paths.Map() {
		for _, o := range item.Operations() {
			if ability, required := o.Extensions["x-ability"]; required {
				want[fmt.Sprint(ability)] = append(want[fmt.Sprint(ability)], o.OperationID)
			}
		}
	}
	ability := spec.Components.Schemas["Ability"].Value
	described := map[string]bool{}
	text, _, _ := strings.Cut(ability.Description, "\n\nMore values")
	starts := paragraph.FindAllStringSubmatchIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		name, named := text[at[2]:at[3]], []string(nil)
		for _, found := range quoted.FindAllStringSubmatch(text[at[1]:end], -1) {
			named = append(named, found[1])
		}
		described[name] = true
		if slices.Sort(named); !slices.Equal(named, slices.Sorted(slices.Values(want[name]))) {
			t.Errorf("the text of %s names %v, and the operations that require it are %v", name, named, want[name])
		}
	}
	if got := slices.Sorted(maps.Keys(described)); len(got) != len(ability.Enum) {
		t.Errorf("only %v are described", got)
	}
}
