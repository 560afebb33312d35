package account

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
)

func TestSecretsHaveTheirFormAndDiffer(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^evb_[0-9A-Za-z]{46}$`)
	seen, used := map[Secret]bool{}, map[rune]bool{}
	for range 500 {
		secret := NewSecret()
		if !form.MatchString(string(secret)) || seen[secret] {
			t.Fatalf("%s is malformed or not new", secret)
		}
		if parsed, ok := ParseSecret(string(secret)); !ok || parsed != secret {
			t.Fatalf("%s is refused", secret)
		}
		seen[secret] = true
		for _, c := range secret[len(secretPrefix):] {
			used[c] = true
		}
	}
	if len(used) != len(base62) {
		t.Errorf("only %d of %d characters are used", len(used), len(base62))
	}
}

// A CRC-32 notices every single wrong character and every swap of neighbours.
func TestMistypedSecretIsRefused(t *testing.T) {
	t.Parallel()
	secret := string(NewSecret())
	for i := range secret {
		for _, c := range base62 {
			typo := secret[:i] + string(c) + secret[i+1:]
			if _, ok := ParseSecret(typo); ok != (typo == secret) {
				t.Errorf("%s for %s is taken for a token", typo, secret)
			}
		}
		if i > 0 {
			swap := secret[:i-1] + secret[i:i+1] + secret[i-1:i] + secret[i+1:]
			if _, ok := ParseSecret(swap); ok != (swap == secret) {
				t.Errorf("%s for %s is taken for a token", swap, secret)
			}
		}
	}
	for _, text := range []string{"", "evb_", secret[:len(secret)-1], secret + "0", " " + secret, "Bearer " + secret,
		strings.Repeat("é", 25), strings.Repeat("0", 1<<16)} {
		if _, ok := ParseSecret(text); ok {
			t.Errorf("%.60q is taken for a token", text)
		}
	}
}

func TestChecksumIsCRC32InBase62(t *testing.T) {
	t.Parallel()
	// CRC-32's check value is 0xCBF43926  = 3·62⁵ + 45·62⁴ + 35·62³ + 27·62² + 22·62 + 14.
	if got := checksum("123456789"); got != "3jZRME" {
		t.Errorf("got %s", got)
	}
	if got := checksum(""); got != "000000" {
		t.Errorf("got %s, want all six digits", got)
	}
}

func TestExpiryIsThirtyDaysByDefaultAndAYearAtMost(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { t := now.Add(d); return &t }
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		request TokenRequest
		end     *time.Time // of the token that makes it
		want    *time.Time
		code    string
	}{
		"default":                               {request: TokenRequest{}, want: at(30 * day)},
		"never":                                 {request: TokenRequest{NeverExpires: true}},
		"soon":                                  {request: TokenRequest{ExpiresAt: at(time.Second)}, want: at(time.Second)},
		"a year":                                {request: TokenRequest{ExpiresAt: at(366 * day)}, want: at(366 * day)},
		"now":                                   {request: TokenRequest{ExpiresAt: at(0)}, code: "past"},
		"past":                                  {request: TokenRequest{ExpiresAt: at(-day)}, code: "past"},
		"default, of a token that ends later":   {request: TokenRequest{}, end: at(31 * day), want: at(30 * day)},
		"default, of a token that ends earlier": {request: TokenRequest{}, end: at(day), want: at(day)},
		"as long as its maker":                  {request: TokenRequest{ExpiresAt: at(day)}, end: at(day), want: at(day)},
		"longer than its maker":                 {request: TokenRequest{ExpiresAt: at(day + 1)}, end: at(day), code: "too_late"},
		"never, of a token that ends":           {request: TokenRequest{NeverExpires: true}, end: at(day), code: "too_late"},
		"ten years":                             {request: TokenRequest{ExpiresAt: at(3660 * day)}, code: "too_late"},
	} {
		got, err := c.request.expiry(now, c.end)
		if code := codeOf(t, err, "/expires_at"); code != c.code {
			t.Errorf("%s: %q, want %q", name, code, c.code)
		}
		if (got == nil) != (c.want == nil) || got != nil && !got.Equal(*c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The abilities that Go code names are those of the contract.
func TestAbilitiesAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	for ours, theirs := range map[string]api.Ability{
		access.AbilityAll: api.AbilityAll, access.AbilityMeRead: api.AbilityMeRead, access.AbilityMeWrite: api.AbilityMeWrite,
		access.AbilityBookingsRead: api.AbilityBookingsRead, access.AbilityBookingsWrite: api.AbilityBookingsWrite,
		access.AbilityEventsRead: api.AbilityEventsRead, access.AbilityEventsWrite: api.AbilityEventsWrite,
		access.AbilityUsersRead: api.AbilityUsersRead, access.AbilityUsersWrite: api.AbilityUsersWrite,
	} {
		if ours != string(theirs) {
			t.Errorf("%s is %s in the contract", ours, theirs)
		}
	}
}
