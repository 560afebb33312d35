package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
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
func textRuleOf(schema *openapi3.SchemaRef) textRule {
	if schema == nil {
		return nil
	}
	name, _ := schema.Value.Extensions["x-text"].(string)
	return textRules[name]
}

// cleanTexts applies the rules of x-text to the strings of a well-formed body, before
// it is validated: so lengths are counted in what is stored. It also refuses lone
// surrogates, which the decoder would replace by U+FFFD without a word. It returns what
// is wrong, which the validator's findings join.
func cleanTexts(body []byte, schema *openapi3.SchemaRef) (cleaned []byte, wrong []fault.Field, err error) {
	c := cleaning{decoder: json.NewDecoder(bytes.NewReader(body)), body: body}
	c.decoder.UseNumber()
	if err := c.value("", schema); err != nil {
		return nil, nil, fmt.Errorf("clean a body that was well-formed: %w", err)
	}
	c.cleaned.Write(body[c.copied:])
	return c.cleaned.Bytes(), c.wrong, nil
}

// cleaning copies a body, and replaces strings on the way.
type cleaning struct {
	decoder *json.Decoder
	body    []byte
	cleaned bytes.Buffer
	// copied is how much of the body is in cleaned, or replaced there.
	copied int
	wrong  []fault.Field
}

// value reads the value at a pointer, of a schema that may be nil.
func (c *cleaning) value(pointer string, schema *openapi3.SchemaRef) error {
	from := c.decoder.InputOffset()
	token, err := c.decoder.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		for i := 0; c.decoder.More(); i++ {
			if err := c.child(pointer, schema, t, i); err != nil {
				return err
			}
		}
		_, err = c.decoder.Token() // the closing bracket
		return err
	case string:
		return c.text(pointer, schema, t, from)
	}
	return nil
}

// child reads a member of an object, or the item of an array at an index.
func (c *cleaning) child(pointer string, schema *openapi3.SchemaRef, kind json.Delim, index int) error {
	var child *openapi3.SchemaRef
	if kind == '[' {
		if schema != nil {
			child = schema.Value.Items
		}
		return c.value(pointer+"/"+strconv.Itoa(index), child)
	}
	from := c.decoder.InputOffset()
	token, err := c.decoder.Token()
	if err != nil {
		return err
	}
	c.refuseSurrogates(pointer, from)
	name, _ := token.(string)
	if schema != nil {
		child = schema.Value.Properties[name]
	}
	return c.value(pointer+"/"+escape(name), child)
}

// text cleans a string, whose token was read from an offset.
func (c *cleaning) text(pointer string, schema *openapi3.SchemaRef, value string, from int64) error {
	rule := textRuleOf(schema)
	if c.refuseSurrogates(pointer, from) || rule == nil {
		return nil
	}
	clean, err := rule(value)
	if refusal := new(text.Refusal); errors.As(err, &refusal) {
		c.refuse(pointer, refusal.Code, refusal.Detail)
		return nil
	}
	if err != nil || clean == value {
		return err
	}
	quoted, err := json.Marshal(clean)
	if err != nil {
		return err
	}
	end := int(c.decoder.InputOffset())
	c.cleaned.Write(c.body[c.copied : end-len(c.token(from))])
	c.cleaned.Write(quoted)
	c.copied = end
	return nil
}

// token is the token that was read last, as it was written, given the offset before.
func (c *cleaning) token(from int64) []byte {
	return bytes.TrimLeft(c.body[from:c.decoder.InputOffset()], " \t\r\n:,")
}

// refuseSurrogates refuses a string that has half of a UTF-16 pair.
func (c *cleaning) refuseSurrogates(pointer string, from int64) bool {
	r, found := loneSurrogate(c.token(from))
	if found {
		c.refuse(pointer, "surrogate", fmt.Sprintf("must not contain the lone surrogate %U", r))
	}
	return found
}

func (c *cleaning) refuse(pointer, code, detail string) {
	if len(c.wrong) < maxFields {
		c.wrong = append(c.wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
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

// cleanQuery applies the rules of x-text to the parameters of a well-formed query.
func (o *operation) cleanQuery(u *url.URL) error {
	query, changed := u.Query(), false
	var wrong []fault.Field
	for _, parameter := range o.Parameters {
		rule := textRuleOf(parameter.Value.Schema)
		if parameter.Value.In != openapi3.ParameterInQuery || rule == nil {
			continue
		}
		for i, value := range query[parameter.Value.Name] {
			clean, err := rule(value)
			if refusal := new(text.Refusal); errors.As(err, &refusal) {
				wrong = append(wrong, fault.Field{Parameter: parameter.Value.Name, Code: refusal.Code, Detail: refusal.Detail})
			} else if err != nil {
				return err
			}
			query[parameter.Value.Name][i] = clean
			changed = changed || clean != value
		}
	}
	if len(wrong) > 0 {
		return errInvalidParameters(nil, wrong)
	}
	if changed {
		u.RawQuery = query.Encode()
	}
	return nil
}
