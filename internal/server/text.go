package server

import (
	"errors"
	"strconv"
	"unicode/utf16"

	"github.com/getkin/kin-openapi/openapi3"
	"golang.org/x/text/unicode/norm"

	"eventbooking/internal/fault"
	"eventbooking/internal/text"
)

// textRule returns a text as it is to be understood and stored, or a *text.Refusal.
type textRule func(string) (string, error)

// textRules are the values of x-text in the contract. Every string that a request
// brings has one, unless it has a list of values, or the format of an id or a time.
var textRules = map[string]textRule{
	"line":  text.Line,
	"block": text.Block,
	"email": text.Email,
	// A new password, as it is hashed. It has the length that the contract asks for.
	"password": func(s string) (string, error) { return text.Password(s), nil },
	// What is searched for.
	"search": func(s string) (string, error) { return norm.NFC.String(s), nil },
	// What is compared with something stored, in more than one spelling.
	"typed": func(s string) (string, error) { return s, nil },
}

// textRuleOf returns the rule for a string of a schema; nil: there is none.
func textRuleOf(schema *openapi3.Schema) textRule {
	name, _ := schema.Extensions["x-text"].(string)
	return textRules[name]
}

// cleanText returns a string of a request in the one form that is validated, decoded and
// stored, or what is wrong with it. Its schema is nil where the contract has none.
func cleanText(schema *openapi3.Schema, value string) (clean string, wrong fault.Field) {
	if schema == nil {
		return value, wrong
	}
	if isTime(schema) {
		return canonicalTime(value), wrong
	}
	rule := textRuleOf(schema)
	if rule == nil {
		return value, wrong
	}
	clean, err := rule(value)
	if refusal := new(text.Refusal); errors.As(err, &refusal) {
		return "", fault.Field{Code: refusal.Code, Detail: refusal.Detail}
	}
	return clean, wrong
}

// loneSurrogate finds an escaped surrogate in a JSON string that is not half of a pair.
func loneSurrogate(quoted []byte) (rune, bool) {
	for i := 0; i+1 < len(quoted); i++ {
		if quoted[i] != '\\' {
			continue
		}
		first := escapedUnit(quoted[i:])
		switch {
		case first == 0:
			i++ // another escape, of two characters
		case !utf16.IsSurrogate(first):
			i += unitSize - 1
		case utf16.DecodeRune(first, escapedUnit(quoted[min(i+unitSize, len(quoted)):])) == '\uFFFD':
			return first, true
		default:
			i += 2*unitSize - 1
		}
	}
	return 0, false
}

// unitSize is the length of \uXXXX.
const unitSize = 6

// escapedUnit is the UTF-16 unit at the start of a text that is escaped as \uXXXX; 0:
// there is none.
func escapedUnit(quoted []byte) rune {
	if len(quoted) < unitSize || quoted[0] != '\\' || quoted[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(quoted[2:unitSize]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}
