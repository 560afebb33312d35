package server

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"eventbooking/internal/fault"
)

// canonicalQuery returns a request's query in the one form that the validator and the
// generated code read alike: the items of a list joined by commas, texts as cleanText has
// them. It drops, and says what is wrong with, what these would accept or read
// differently.
func (o *operation) canonicalQuery(u *url.URL) (canonical string, wrong []fault.Field, err error) {
	if strings.Count(u.RawQuery, "&") >= o.values+maxFields {
		return "", nil, fault.InvalidParameters.New("The query has far more parameters than this operation accepts.")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", nil, fault.InvalidParameters.New("The query is malformed: separate parameters by &, and percent-encode names and values.")
	}
	for name, values := range query {
		value, problem := canonicalValue(o.query[name], values)
		if problem.Code == "" {
			query.Set(name, value)
			continue
		}
		problem.Parameter = name
		wrong = append(wrong, problem)
		query.Del(name)
	}
	slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Parameter, b.Parameter) })
	return query.Encode(), wrong, nil
}

// Numbers and truth values in a query are written as in JSON: strconv, which reads
// them, also knows +5, 05, 1, t and TRUE.
var (
	integerForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	booleanForm = regexp.MustCompile(`^(true|false)$`)
)

// canonicalValue returns the value of a parameter with its schema, which is nil if the
// operation has no such parameter, or what is wrong with it.
func canonicalValue(s *openapi3.Schema, values []string) (value string, wrong fault.Field) {
	if s == nil {
		return "", fault.Field{Code: "unknown_parameter", Detail: "is not a parameter of this operation"}
	}
	item, most := itemsOf(s)
	value = strings.Join(values, ",")
	switch {
	case slices.Contains(values, ""):
		return "", fault.Field{Code: "empty", Detail: "must not be empty"}
	case item == nil && len(values) > 1:
		return "", fault.Field{Code: "repeated", Detail: "must be given once"}
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return "", fault.Field{Code: "encoding", Detail: "must be UTF-8 without the character U+0000"}
	case item != nil && strings.Count(value, ",") >= most:
		return "", fault.Field{Code: "maxItems", Detail: maxItems(most)}
	case isTooLong(s, value):
		return "", fault.Field{Code: "maxLength", Detail: maxLength(s)}
	case s.Type.Is(openapi3.TypeInteger) && !integerForm.MatchString(value):
		return "", fault.Field{Code: "type", Detail: "must be " + wordFor(openapi3.TypeInteger)}
	case s.Type.Is(openapi3.TypeBoolean) && !booleanForm.MatchString(value):
		return "", fault.Field{Code: "type", Detail: "must be " + wordFor(openapi3.TypeBoolean)}
	}
	return cleanText(s, value)
}
