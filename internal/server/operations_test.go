package server

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"eventbooking/gen/api"
)

// rooms are the tags whose operations each room is at home with.
var rooms = map[reflect.Type][]string{
	reflect.TypeFor[*accounts]():  {"auth", "users", "me"},
	reflect.TypeFor[*events]():    {"events", "slots"},
	reflect.TypeFor[*bookings]():  {"bookings"},
	reflect.TypeFor[*waitlists](): {"waitlist"},
	reflect.TypeFor[*service]():   {"service"},
}

// Every room has the operations of its tags and no other exported method.
func TestRoomsHaveTheirTagsOperations(t *testing.T) {
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
	for room, tags := range rooms {
		var want, got []string
		for _, tag := range tags {
			want = append(want, byTag[tag]...)
			delete(byTag, tag)
		}
		for i := range room.NumMethod() {
			got = append(got, strings.ToLower(room.Method(i).Name))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%v, its tags %v have\n%v", room, got, tags, want)
		}
	}
	for tag := range byTag {
		t.Errorf("the tag %s has no room", tag)
	}
	if got, want := reflect.TypeFor[api.StrictServerInterface]().NumMethod(), len(operations); got != want {
		t.Errorf("the interface has %d operations, the contract %d", got, want)
	}
}
