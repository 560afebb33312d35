// Package text has the rules for text that people type: one spelling for what looks the
// same, and nothing in it that cannot be seen. It is pure, and it is the only place
// that knows these rules: requests pass through it as the contract says (x-text), and
// so do commands.
//
// Twins (é in one character or in two) would otherwise be two names, and invisible
// characters would make two names of what everybody reads as one, or write text
// backwards. Joiners, variation selectors and tags are kept where they belong, in
// emoji and in the scripts that need them: ❤️, 👩‍👩‍👧 and می‌خواهم are text.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Refusal is the error of all functions here: why a text is refused.
type Refusal struct {
	// Code is for programs. Detail is a predicate, such as "must not contain U+200B".
	Code, Detail string
}

// Error returns the detail.
func (r *Refusal) Error() string { return r.Detail }

// Line returns one line of text, such as a name, in NFC. It refuses control characters,
// what is invisible or changes the direction of the text around it, and text without
// anything visible. The empty text is fine: the contract says what must not be empty.
func Line(s string) (string, error) { return clean(s, "") }

// Block returns text of several lines, such as a description, like Line. Line breaks
// are kept, as \n.
func Block(s string) (string, error) {
	return clean(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}

// clean returns the text in NFC, with none of the control characters but those allowed.
func clean(s, allowed string) (string, error) {
	if !utf8.ValidString(s) {
		return s, errEncoding()
	}
	s = norm.NFC.String(s)
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case strings.ContainsRune(allowed, r):
		case isRefused(r):
			return s, errCharacter(r)
		case isTag(r):
			n := flagTags(runes[:i], runes[i:])
			if n == 0 {
				return s, errCharacter(r)
			}
			i += n - 1
		case isJoiner(r) && !joins(runes[:i], r, runes[i+1:]), isSelector(r) && !selects(runes[:i], r):
			return s, errCharacter(r)
		}
	}
	if s != "" && !strings.ContainsFunc(s, isVisible) {
		return s, &Refusal{"blank", "must have a visible character"}
	}
	return s, nil
}

func errEncoding() *Refusal { return &Refusal{"characters", "must be UTF-8"} }

func errCharacter(r rune) *Refusal {
	return &Refusal{"characters", fmt.Sprintf("must not contain %U here", r)}
}

// refused are characters that have no place in text, besides control characters (Cc).
var refused = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x180E, Hi: 0x180E, Stride: 1}, // Mongolian vowel separator
		{Lo: 0x200B, Hi: 0x200B, Stride: 1}, // zero width space
		{Lo: 0x2028, Hi: 0x202E, Stride: 1}, // line and paragraph separator; bidi embeddings and overrides
		{Lo: 0x2060, Hi: 0x206F, Stride: 1}, // word joiner, invisible operators, bidi isolates, deprecated formats
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xFDD0, Hi: 0xFDEF, Stride: 1}, // noncharacters
		{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1}, // byte order mark
		{Lo: 0xFFA0, Hi: 0xFFA0, Stride: 1}, // halfwidth Hangul filler
		{Lo: 0xFFF0, Hi: 0xFFFB, Stride: 1}, // unassigned ignorables, interlinear annotations
		{Lo: 0xFFFE, Hi: 0xFFFF, Stride: 1}, // noncharacters
	},
	R32: []unicode.Range32{
		{Lo: 0x1D173, Hi: 0x1D17A, Stride: 1}, // musical formats
		{Lo: 0xE0000, Hi: 0xE001F, Stride: 1}, // language tags
		{Lo: 0xE0080, Hi: 0xE00FF, Stride: 1}, // unassigned ignorables
		{Lo: 0xE01F0, Hi: 0xE0FFF, Stride: 1}, // unassigned ignorables
	},
}

func isRefused(r rune) bool {
	const lastOfPlane = 0xFFFE // and 0xFFFF: noncharacters in each plane
	return unicode.Is(unicode.Cc, r) || unicode.Is(refused, r) || r&lastOfPlane == lastOfPlane
}

// invisible are characters that are fine beside visible ones, though not enough alone.
var invisible = []*unicode.RangeTable{
	unicode.C, unicode.Z, unicode.M, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point,
}

func isVisible(r rune) bool {
	const brailleBlank = 0x2800
	return r != brailleBlank && !unicode.In(r, invisible...)
}
