package server

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"eventbooking/gen/api"
)

// tagsOf are the tags whose operations each handler implements.
var tagsOf = map[reflect.Type][]string{
	reflect.TypeFor[*accounts]():  {"auth", "users", "me"},
	reflect.TypeFor[*events]():    {"events", "slots"},
	reflect.TypeFor[*bookings]():  {"bookings"},
	reflect.TypeFor[*waitlists](): {"waitlist"},
	reflect.TypeFor[*service]():   {"service"},
}

func TestHandlersHaveExactlyTheOperationsOfTheirTags(t *testing.T) {
	t.Parallel()
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	byTag := map[string][]string{}
	for id, o := range operations {
		if len(o.Tags) != 1 {
			t.Errorf("%s has the tags %v, want one", id, o.Tags)
		}
		byTag[o.Tags[0]] = append(byTag[o.Tags[0]], strings.ToLower(id))
	}
	for handler, tags := range tagsOf {
		var want, got []string
		for _, tag := range tags {
			want = append(want, byTag[tag]...)
			delete(byTag, tag)
		}
		for i := range handler.NumMethod() {
			got = append(got, strings.ToLower(handler.Method(i).Name))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%v, its tags %v have\n%v", handler, got, tags, want)
		}
	}
	for tag := range byTag {
		t.Errorf("no handler has the tag %s", tag)
	}
	if got, want := reflect.TypeFor[api.StrictServerInterface]().NumMethod(), len(operations); got != want {
		t.Errorf("the interface has %d operations, the contract %d", got, want)
	}
}
