package account

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/view"
)

// Token is a personal access token: whoever sends its secret acts as its user, within
// its abilities. The secret is shown once and not stored.
type Token struct {
	ID         uuid.UUID
	Name       string
	Abilities  []string
	CreatedAt  time.Time
	LastUsedAt *time.Time
	ExpiresAt  *time.Time // nil means never
}

// NewToken is a token with its secret, as it is shown once.
type NewToken struct {
	Token
	Secret Secret
}

const (
	// tokenLifetime is how long a token is valid by default.
	tokenLifetime = 30 * 24 * time.Hour
	// maxLifetime bounds the expiry that a request may name, so that typing errors
	// are noticed. Never is allowed.
	maxLifetime = 366 * 24 * time.Hour
	// maxTokens bounds the tokens of a user.
	maxTokens = 100
	// loginName is the default name of a token made by a login.
	loginName = "Login"
)

// Secret is the text that callers send as a bearer token: a prefix by which secret
// scanners find leaked tokens, random characters, and a checksum by which mistyped
// ones are refused without asking the database.
type Secret string

const (
	secretPrefix   = "evb_"
	secretRandom   = 40
	secretChecksum = 6
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewSecret returns a secret of 238 random bits.
func NewSecret() Secret {
	text := []byte(secretPrefix)
	// Bytes from 248 on are discarded: 248 is a multiple of 62, so that no character
	// is more frequent than another.
	const fair = 256 - 256%len(base62)
	draw := make([]byte, secretRandom)
	for len(text) < len(secretPrefix)+secretRandom {
		_, _ = rand.Read(draw) // never fails
		for _, b := range draw {
			if int(b) < fair && len(text) < len(secretPrefix)+secretRandom {
				text = append(text, base62[int(b)%len(base62)])
			}
		}
	}
	return Secret(text) + Secret(checksum(string(text)))
}

// ParseSecret returns the text as a secret, and whether it has the form and the
// checksum of one.
func ParseSecret(text string) (Secret, bool) {
	at := len(secretPrefix) + secretRandom
	if len(text) != at+secretChecksum || !strings.HasPrefix(text, secretPrefix) || text[at:] != checksum(text[:at]) ||
		strings.Trim(text[len(secretPrefix):], base62) != "" {
		return "", false
	}
	return Secret(text), true
}

// Hash returns the SHA-256 that is stored. The secret is long and random, so a fast
// hash without salt is safe, and the row can be found by an index.
func (s Secret) Hash() []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// checksum is the CRC-32 of a text in base 62.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	digits := make([]byte, secretChecksum)
	for i := range slices.Backward(digits) {
		digits[i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(digits)
}

// TokenRequest describes a token that is to be made.
type TokenRequest struct {
	Name         string
	Abilities    []string
	ExpiresAt    *time.Time // nil means the default lifetime
	NeverExpires bool
	// CurrentPassword makes a token that does not die with the one of the request.
	CurrentPassword *string
}

// loginRequest returns the token that a login makes by default.
func loginRequest() TokenRequest {
	return TokenRequest{Name: loginName, Abilities: []string{access.AbilityAll}}
}

// expiry returns when the token expires; nil means never. end is when its parent does, if
// it has one that does: then no later.
func (r TokenRequest) expiry(now time.Time, end *time.Time) (*time.Time, error) {
	outlives := end != nil && (r.NeverExpires || r.ExpiresAt != nil && r.ExpiresAt.After(*end))
	switch {
	case r.ExpiresAt != nil && !r.ExpiresAt.After(now):
		return nil, errInvalidExpiry("past", "must be in the future")
	case r.ExpiresAt != nil && r.ExpiresAt.Sub(now) > maxLifetime:
		return nil, errInvalidExpiry("too_late", "must be within a year, or null for never")
	case outlives:
		return nil, errInvalidExpiry("too_late", "must not be after "+end.UTC().Format(time.RFC3339)+
			", when the token of this request expires, unless current_password is sent, too")
	case r.NeverExpires:
		return nil, nil
	case r.ExpiresAt != nil:
		return r.ExpiresAt, nil
	case end != nil && end.Sub(now) < tokenLifetime:
		return end, nil
	}
	return new(now.Add(tokenLifetime)), nil
}

func errInvalidExpiry(code, detail string) error {
	f := fault.InvalidTimeRange.New("A token cannot expire at this time; see errors.")
	f.Fields = []fault.Field{{Pointer: "/expires_at", Code: code, Detail: detail}}
	return f
}

func tokenOf(row db.Token) Token {
	return Token{ID: row.ID, Name: row.Name, Abilities: row.Abilities,
		CreatedAt: row.CreatedAt.UTC(), LastUsedAt: view.UTC(row.LastUsedAt), ExpiresAt: view.UTC(row.ExpiresAt)}
}
