package server

import (
	"fmt"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"eventbooking/internal/fault"
)

// What a request may have at most follows from its schemas. It is checked before the
// validator runs, because that goes on below an array that is too long, and its cost
// grows with everything that it finds wrong.

// valuesOf returns how many JSON values a body of a schema has at most: itself, its
// members and items, and theirs. Arrays without maxItems are an error, and so are
// objects that accept any member: they would have no bound.
func valuesOf(s *openapi3.Schema) (int, error) {
	values := 1
	for _, property := range s.Properties {
		n, err := valuesOf(property.Value)
		if err != nil {
			return 0, err
		}
		values += n
	}
	switch {
	case s.Type.Is(openapi3.TypeObject) && (s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has):
		return 0, fmt.Errorf("an object without additionalProperties: false (%s)", s.Description)
	case s.Type.Is(openapi3.TypeArray) && s.MaxItems == nil:
		return 0, fmt.Errorf("an array without maxItems (%s)", s.Description)
	case s.Type.Is(openapi3.TypeArray):
		n, err := valuesOf(s.Items.Value)
		return values + n*int(*s.MaxItems), err
	}
	return values, nil
}

// property returns the schema of a member, or nil.
func property(s *openapi3.Schema, name string) *openapi3.Schema {
	if s == nil || s.Properties[name] == nil {
		return nil
	}
	return s.Properties[name].Value
}

// itemsOf returns the schema of an array's items and how many there may be, or nil.
func itemsOf(s *openapi3.Schema) (item *openapi3.Schema, most int) {
	if s == nil || s.Items == nil {
		return nil, 0
	}
	return s.Items.Value, int(*s.MaxItems)
}

// isTooLong says whether a text is longer than its schema allows by its bytes alone.
// The validator counts characters, but only after it has looked at all of it, which
// costs much for some formats.
func isTooLong(s *openapi3.Schema, text string) bool {
	return s != nil && s.MaxLength != nil && len(text) > utf8.UTFMax*int(*s.MaxLength)
}

func maxLength(s *openapi3.Schema) string {
	return "must have at most " + fault.Count(int(*s.MaxLength), "character")
}

func maxItems(most int) string { return "must have at most " + fault.Count(most, "item") }
