package text

import "unicode"

const (
	nonJoiner      = 0x200C
	joiner         = 0x200D
	emojiStyle     = 0xFE0F
	leftRightArrow = 0x2194 // the one part of an emoji that is a mathematical symbol
	blackFlag      = 0x1F3F4
	endOfTags      = 0xE007F
)

func isJoiner(r rune) bool { return r == nonJoiner || r == joiner }

func isSelector(r rune) bool { return unicode.Is(unicode.Variation_Selector, r) }

func isTag(r rune) bool { return r >= 0xE0020 && r <= endOfTags }

// plain are the scripts in which joiners and variation selectors do nothing, so that
// they would only make twins.
var plain = []*unicode.RangeTable{
	unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Georgian, unicode.Common,
}

// isShaped says whether a character is of a script whose letters joiners and selectors
// can change.
func isShaped(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M) && !unicode.In(r, plain...)
}

// joins says whether a joiner may stand between the text before and after it: after a
// letter of a script that has use for it (Persian, Sinhala, …), or, the zero width
// joiner only, between two parts of an emoji.
func joins(before []rune, r rune, after []rune) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	if isShaped(last) && !isSelector(last) {
		return true
	}
	return r == joiner && len(after) > 0 && (isPictograph(after[0]) || after[0] == leftRightArrow) &&
		(last == emojiStyle || last == endOfTags || isPictograph(last) || isSkinTone(last))
}

// isPictograph says whether a character can be a part of an emoji.
func isPictograph(r rune) bool { return unicode.Is(unicode.So, r) }

func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// selects says whether a variation selector may follow the text before it: it selects
// the style of a symbol or a digit, or the shape of a letter that has several.
func selects(before []rune, r rune) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	switch {
	case isSelector(last):
		return false
	case unicode.In(last, unicode.S, unicode.N):
		return true
	case r == emojiStyle || r == emojiStyle-1:
		// The punctuation that has an emoji style.
		return last == '#' || last == '*' || last == '‼' || last == '⁉' || last == '〰' || isShaped(last)
	}
	return isShaped(last)
}

// flagTags returns how many tags make a flag, such as that of England, with the black
// flag before them; 0 if they make none.
func flagTags(before, tags []rune) int {
	if len(before) == 0 || before[len(before)-1] != blackFlag {
		return 0
	}
	for i, r := range tags {
		switch {
		case !isTag(r):
			return 0
		case r == endOfTags && i > 0:
			return i + 1
		case r == endOfTags:
			return 0
		}
	}
	return 0
}
