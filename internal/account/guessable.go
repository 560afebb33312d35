package account

import (
	"strings"
	"sync"
	"unicode"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/matching"

	"eventbooking/internal/fault"
)

const (
	// minEntropy is how hard a new password must be to guess, in bits. With the delays after
	// wrong ones, an address makes about a hundred guesses a day: ten million are out of reach
	// for a thousand of them.
	minEntropy = 24
	// maxLookedAt is how many characters of a password are looked at: the time grows with
	// their square.
	maxLookedAt = 64
	// maxOwnWords is how many words about the user are looked for.
	maxOwnWords = 30
)

// unleet undoes the usual replacements of letters. The library can do that, too, but takes
// seconds for some passwords.
var unleet = strings.NewReplacer("4", "a", "@", "a", "3", "e", "1", "i", "!", "i", "0", "o", "5", "s", "$", "s", "7", "t")

// prepare loads the library's lists, which it does by itself at the first use, but not
// safely for several at once.
var prepare = sync.OnceFunc(func() { zxcvbn.PasswordStrength("", nil) })

// checkGuessable refuses a new password that is tried first: a common one, a pattern, or
// one made of what is known about the user, such as their name and address. It takes about
// as long as a hash.
func checkGuessable(pointer, password string, about []string) error {
	prepare()
	if runes := []rune(password); len(runes) > maxLookedAt {
		password = string(runes[:maxLookedAt])
	}
	words := ownWords(about)
	for _, spelling := range []string{password, unleet.Replace(password)} {
		if zxcvbn.PasswordStrength(spelling, words, matching.FilterL33tMatcher).Entropy < minEntropy {
			return fault.Invalid(fault.Field{Pointer: pointer, Code: "guessable",
				Detail: "is one of the first that would be guessed; take a few words that do not belong together, and not your name or address"})
		}
	}
	return nil
}

// ownWords are the words of texts about a user, the texts themselves first, then without
// what separates their words.
func ownWords(about []string) []string {
	isSeparator := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	words := append([]string{}, about...)
	for _, text := range about {
		parts := strings.FieldsFunc(text, isSeparator)
		words = append(words, strings.Join(parts, ""))
		words = append(words, parts...)
	}
	return words[:min(len(words), maxOwnWords)]
}
