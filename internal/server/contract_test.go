package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"eventbooking/gen/api"
	"eventbooking/internal/event"
	"eventbooking/internal/fault"
)

func TestOperationsHaveExamplesOfExactlyTheirProblems(t *testing.T) {
	t.Parallel()
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	for id, o := range operations {
		var listed, shown []string
		for _, code := range o.Extensions["x-problems"].([]any) {
			listed = append(listed, fmt.Sprintf("%d %s", fault.Lookup(code.(string)).Status, code))
		}
		for status, response := range o.Responses.Map() {
			content := response.Value.Content["application/problem+json"]
			if content == nil {
				continue
			}
			for _, example := range content.Examples {
				problem := example.Value.Value.(map[string]any)
				shown = append(shown, fmt.Sprintf("%s %s", status, problem["code"]))
				if !strings.Contains(*response.Value.Description, "`"+problem["code"].(string)+"`") {
					t.Errorf("%s: the description of %s does not name %s", id, status, problem["code"])
				}
			}
		}
		slices.Sort(listed)
		slices.Sort(shown)
		if shown = slices.Compact(shown); !slices.Equal(listed, shown) {
			t.Errorf("%s: x-problems has\n%s, the examples\n%s", id, strings.Join(listed, ", "), strings.Join(shown, ", "))
		}
	}
}

// Every description also says what repeating the operation does.
func TestDescriptionsSayWhoMayCall(t *testing.T) {
	t.Parallel()
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{"organizer": "organizers", "admin": "administrators"}
	for id, o := range operations {
		_, who, found := strings.Cut(o.Description, "\n**Access:** ")
		who, again, both := strings.Cut(strings.Join(strings.Fields(who), " "), " **Repeating it** ")
		if !found || !both || again == "" {
			t.Errorf("%s: the description does not end with who may call it and what repeating it does", id)
			continue
		}
		var want []string
		switch {
		case o.token == tokenIgnored:
			want = []string{"everybody, without a token."}
		case o.token == tokenOptional:
			want = []string{"everybody; a token is not needed."}
		case o.ability != "":
			want = []string{"with the ability `" + o.ability + "`."}
		}
		for _, role := range o.roles {
			want = append(want, words[role])
		}
		for _, words := range want {
			if !strings.Contains(who, words) {
				t.Errorf("%s: access is %q, which does not say %q", id, who, words)
			}
		}
		if o.acceptsKey != strings.Contains(again, "`Idempotency-Key`") {
			t.Errorf("%s: repeating it %q", id, again)
		}
	}
}

func TestLinksNameExistingOperationsAndParameters(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	for name, link := range spec.Components.Links {
		to := operations[link.Value.OperationID]
		if to == nil {
			t.Errorf("%s links to %q, which does not exist", name, link.Value.OperationID)
			continue
		}
		for parameter := range maps.Keys(link.Value.Parameters) {
			in, header, ok := strings.Cut(parameter, ".")
			if !ok {
				in, header = "path", parameter
			}
			if to.Parameters.GetByInAndName(in, header) == nil && to.route.PathItem.Parameters.GetByInAndName(in, header) == nil {
				t.Errorf("%s gives %s a parameter %s, which it does not have", name, link.Value.OperationID, parameter)
			}
		}
	}
}

// The defaults of an event's settings are in Go; the contract documents them.
func TestContractHasTheDefaultSettingsOfEvents(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]any{}
	for name, property := range spec.Components.Schemas["EventCreate"].Value.Properties {
		if property.Value.Default != nil {
			documented[name] = property.Value.Default
		}
	}
	d := event.Defaults
	want := map[string]any{
		"description": d.Description, "location": d.Location,
		"cancellation_closes_minutes": float64(d.CancellationClosesMinutes), "waitlist_mode": string(d.WaitlistMode),
		"offer_minutes": float64(d.OfferMinutes), "fit": string(d.Fit), "max_passes": float64(d.MaxPasses),
		"hold_minutes": float64(d.HoldMinutes), "walk_ins": d.WalkIns,
	}
	if !maps.Equal(documented, want) {
		t.Errorf("openapi.yaml has the defaults\n%v, event.Defaults\n%v", documented, want)
	}
	// The validator would take a default for null too, and null is any number here.
	perBooking := spec.Components.Schemas["EventCreate"].Value.Properties["max_seats_per_booking"].Value
	if want := fmt.Sprintf("%d if omitted", *d.MaxSeatsPerBooking); !strings.Contains(perBooking.Description, want) || !perBooking.Nullable {
		t.Errorf("max_seats_per_booking is %q, want %q", perBooking.Description, want)
	}
	if d.MaxSeatsPerUser != nil || d.WaitlistLimit != nil || d.BookingOpensAt != nil || d.BookingClosesAt != nil {
		t.Errorf("%+v: nullable settings that are omitted are null", d)
	}
}
