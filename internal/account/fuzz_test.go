package account

import (
	"regexp"
	"strings"
	"testing"
)

// Accepted texts have the form of a secret, and no other character at any position
// leaves the checksum right.
func FuzzParseSecret(f *testing.F) {
	for range 3 {
		secret := string(NewSecret())
		f.Add(secret, uint8(10), byte('x'))
		f.Add(secret+"0", uint8(0), byte(0))
	}
	f.Add("", uint8(0), byte(0))
	strange := secretPrefix + strings.Repeat("0", secretRandom/2) + " " + strings.Repeat("0", secretRandom/2-1)
	f.Add(strange+checksum(strange), uint8(0), byte(0))
	form := regexp.MustCompile(`^evb_[0-9A-Za-z]{46}$`)
	f.Fuzz(func(t *testing.T, text string, at uint8, other byte) {
		secret, ok := ParseSecret(text)
		if !ok {
			if secret != "" {
				t.Errorf("%q is refused, and is %q", text, secret)
			}
			// With the right form and checksum it is accepted.
			random := []byte(secretPrefix)
			for i := range secretRandom {
				c := byte(i)
				if i < len(text) {
					c = text[i]
				}
				random = append(random, base62[int(c)%len(base62)])
			}
			text = string(random) + checksum(string(random))
			if secret, ok = ParseSecret(text); !ok {
				t.Fatalf("%q is refused", text)
			}
		}
		if string(secret) != text || !form.MatchString(text) {
			t.Errorf("%q is accepted as %q", text, secret)
		}
		typo := []byte(text)
		typo[int(at)%len(typo)] = other
		if _, ok := ParseSecret(string(typo)); ok != (string(typo) == text) {
			t.Errorf("%q for %q is accepted: %t", typo, text, ok)
		}
	})
}
