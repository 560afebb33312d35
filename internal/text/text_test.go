package text_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"eventbooking/internal/text"
)

// Kept texts stay as they are.
var kept = []string{
	"", "Anna", "Ünal Ößterreich", "李小龍", "Ὀδυσσεύς", "O’Brien-Smith, Jr. & Co. №5 — «ja»", "a\u00a0b", "soft\u00adhyphen",
	"❤️", "👩‍👩‍👧", "👩🏽‍🚀", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴‍☠️", "1️⃣ #️⃣ *️⃣", "‼️", "👁️‍🗨️", "🙂‍↔️", "🏃‍♀️‍➡️", "©️", "🇩🇪", "♥︎",
	"می\u200cخواهم", "خانه\u200cها", "ශ්\u200dරී ලංකා", "क्\u200dष", "ന്\u200d", "র\u200d্য", "葛\U000E0100城", "ᠠ\u180b", "א\u200eב", "שָׁלוֹם", "한글", "\u200fمرحبا", "+1",
}

func TestLineKeepsWhatIsText(t *testing.T) {
	t.Parallel()
	for _, s := range kept {
		want := norm.NFC.String(s)
		if got, err := text.Line(s); got != want || err != nil {
			t.Errorf("%q: %q, %v", s, got, err)
		}
		if got, err := text.Block(s); got != want || err != nil {
			t.Errorf("block %q: %q, %v", s, got, err)
		}
	}
}

func TestTextIsRefusedWithTheCharacter(t *testing.T) {
	t.Parallel()
	for s, character := range map[string]string{
		"a\x00b": "U+0000", "a\tb": "U+0009", "a\nb": "U+000A", "a\rb": "U+000D", "a\x7fb": "U+007F", "a\u0085b": "U+0085",
		"a\u200bb": "U+200B", "\ufeffa": "U+FEFF", "a\u2028b": "U+2028", "a\u2029b": "U+2029",
		"a\u202eb": "U+202E", "a\u202ab": "U+202A", "a\u202cb": "U+202C", "a\u2066b": "U+2066", "a\u2069b": "U+2069",
		"a\u2060b": "U+2060", "\u3164": "U+3164", "a\ufff9b": "U+FFF9", "a\ufffe": "U+FFFE", "a\U0001FFFF": "U+1FFFF",
		// Joiners, selectors and tags where they do nothing.
		"An\u200dna": "U+200D", "An\u200cna": "U+200C", "\u200dAnna": "U+200D", "Anna\u200d": "U+200D", "a\u200d😀": "U+200D",
		"😀\u200d": "U+200D", "😀\u200c😀": "U+200C", "می\u200c\u200cخواهم": "U+200C", "\u200d": "U+200D",
		"a\ufe0f": "U+FE0F", "\ufe0f": "U+FE0F", "❤\ufe0f\ufe0f": "U+FE0F", "a\U000E0100": "U+E0100",
		"a\U000E0067": "U+E0067", "🏴\U000E0067": "U+E0067", "🏴\U000E007F": "U+E007F", "😀\U000E0067\U000E007F": "U+E0067", "\U000E0001a": "U+E0001",
	} {
		_, err := text.Line(s)
		if refusal := new(text.Refusal); !errors.As(err, &refusal) || refusal.Code != "characters" || !strings.Contains(refusal.Detail, character+" ") {
			t.Errorf("%q: %v, want %s", s, err, character)
		}
	}
}

func TestTextMustBeUTF8(t *testing.T) {
	t.Parallel()
	for _, rule := range []func(string) (string, error){text.Line, text.Block, text.Email} {
		for _, s := range []string{"a\xff@b", "a\xed\xa0\x80@b"} {
			if _, err := rule(s); err == nil {
				t.Errorf("%q is accepted", s)
			}
		}
	}
}

func TestTextNeedsSomethingVisible(t *testing.T) {
	t.Parallel()
	for _, s := range []string{" ", "\u00a0\u2003", "\u00ad", "\u200e\u200f", "\u2800", "\u0301", "\u115f\u1160", "\u3000", "\u034f", "\u061c", "\u17b4"} {
		for _, rule := range []func(string) (string, error){text.Line, text.Block} {
			_, err := rule(s)
			if refusal := new(text.Refusal); !errors.As(err, &refusal) || refusal.Code != "blank" {
				t.Errorf("%q: %v", s, err)
			}
		}
	}
}

func TestTwinsGetOneSpelling(t *testing.T) {
	t.Parallel()
	for _, rule := range []func(string) (string, error){text.Line, text.Block, text.Email} {
		const composed, decomposed = "Zo\u00eb\u1eb9@x.de", "Zoe\u0308e\u0323@x.de"
		a, err := rule(composed)
		b, err2 := rule(decomposed)
		if a != composed || b != composed || err != nil || err2 != nil {
			t.Errorf("%+q, %+q; %v, %v", a, b, err, err2)
		}
	}
}

func TestBlockKeepsLineBreaks(t *testing.T) {
	t.Parallel()
	if got, err := text.Block("One\r\n\r\nTwo\nThree"); got != "One\n\nTwo\nThree" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, s := range []string{"One\rTwo", "One\n\x0bTwo", "One\tTwo", "One\u2028Two"} {
		if _, err := text.Block(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestOneMailboxHasOneKey(t *testing.T) {
	t.Parallel()
	for key, spellings := range map[string][]string{
		"üx@xn--bcher-kva.example": {"Üx@bücher.example", "üX@BÜCHER.Example", "u\u0308x@bu\u0308cher.example", "üx@xn--bcher-kva.example", "ÜX@XN--BCHER-KVA.EXAMPLE", "üx@bücher。example"},
		"a.b+c@test.com":           {"A.B+C@Test.COM", "a.b+c@test.com", "ａ.b+c@ｔｅｓｔ.com"},
		"a_{|}~!#$%&'*/=?^`@x-y.z": {"a_{|}~!#$%&'*/=?^`@X-Y.z"},
	} {
		for _, s := range spellings {
			if got, err := text.EmailKey(s); got != key || err != nil {
				t.Errorf("%q has the key %q, %v; want %q", s, got, err, key)
			}
		}
	}
}

func TestAddressesThatNobodyCanTellApartAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"anna\u200b@test.com", "an\u202ena@test.com", "\u2066anna@test.com", "\u3164@test.com", "\u00ad@test.com", "anna\u200d@test.com",
		"anna@te\u200bst.com", "anna@test\ufeff.com", "anna\u200e@test.com", "an na@test.com", "an\u00a0na@test.com", "anna\ufe0f@test.com",
		"anna@", "@test.com", "anna", "anna@te st.com", "anna@-test.com", "anna@test..com", "anna@[127.0.0.1]", "❤️@test.com",
		"anna@" + strings.Repeat("a", 64) + ".com",
	} {
		if _, err := text.Email(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestPasswordsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	for _, twins := range [][2]string{
		{"p\u00e4sswort", "pa\u0308sswort"}, {"a\u00a0b c d e f", "a b c d e f"}, {"❤️e\u0301e\u0301e\u0301", "❤️\u00e9\u00e9\u00e9"}, {"👩‍👩‍👧 family", "👩‍👩‍👧 family"},
	} {
		if a, b := text.Password(twins[0]), text.Password(twins[1]); a != b {
			t.Errorf("%+q and %+q", a, b)
		}
	}
	if text.Password("Case") == text.Password("case") {
		t.Error("passwords ignore case")
	}
	if got := text.PasswordSpellings("pa\u0308ss"); !slices.Equal(got, []string{"p\u00e4ss", "pa\u0308ss"}) {
		t.Errorf("%+q", got)
	}
	if got := text.PasswordSpellings("plain"); !slices.Equal(got, []string{"plain"}) {
		t.Errorf("%+q", got)
	}
}

// What is accepted is accepted again, unchanged.
func FuzzText(f *testing.F) {
	for _, s := range kept {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, rule := range []func(string) (string, error){text.Line, text.Block, text.Email} {
			once, err := rule(s)
			if err != nil {
				continue
			}
			if twice, err := rule(once); twice != once || err != nil {
				t.Errorf("%q became %q, and that %q: %v", s, once, twice, err)
			}
		}
	})
}
