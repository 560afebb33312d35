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

// Token lets its bearer in as its user, within its abilities. It can be listed
// and revoked; its secret was shown once and is stored nowhere.
type Token struct {
	ID         uuid.UUID
	Name       string
	Abilities  []string
	CreatedAt  time.Time
	LastUsedAt *time.Time
	ExpiresAt  *time.Time // nil is never
}

// NewToken is a token that was made just now.
type NewToken struct {
	Token
	Secret Secret
}

const (
	// tokenLifetime is how long a token works unless something else was asked for.
	tokenLifetime = 30 * 24 * time.Hour
	// maxLifetime bounds what may be asked for, beside never: a slip of a digit is noticed.
	maxLifetime = 366 * 24 * time.Hour
	// maxTokens is how many tokens a user has at most.
	maxTokens = 100
	// loginName is the name of a token that came with a login and was given none.
	loginName = "Login"
)

// Secret is what a bearer sends: a prefix by which scanners find it where it
// must not be, random characters, and their checksum, by which a mistyped one is
// refused without asking the database.
type Secret string

const (
	secretPrefix   = "evb_"
	secretRandom   = 40
	secretChecksum = 6
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewSecret makes a secret of 238 random bits.
func NewSecret() Secret {
	text := []byte(secretPrefix)
	// Bytes from 248 on are left out: the rest is a whole multiple of 62, so that
	// no character comes up more often than another.
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

// ParseSecret tells whether a text can be a secret of ours.
func ParseSecret(text string) (Secret, bool) {
	at := len(secretPrefix) + secretRandom
	if len(text) != at+secretChecksum || !strings.HasPrefix(text, secretPrefix) || text[at:] != checksum(text[:at]) ||
		strings.Trim(text[len(secretPrefix):], base62) != "" {
		return "", false
	}
	return Secret(text), true
}

// Hash is what is stored. The secret is random and long, so that a fast hash
// without salt gives nothing away and finds the row by an index.
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

// TokenWish is what a new token is to be like.
type TokenWish struct {
	Name         string
	Abilities    []string
	ExpiresAt    *time.Time // nil: as long as any token works
	NeverExpires bool
}

// everything is the token that a login asks for when it asks for nothing else.
func everything() TokenWish {
	return TokenWish{Name: loginName, Abilities: []string{access.AbilityAll}}
}

// expiry is when the token is to expire; nil is never.
func (w TokenWish) expiry(now time.Time) (*time.Time, error) {
	switch {
	case w.NeverExpires:
		return nil, nil
	case w.ExpiresAt == nil:
		usual := now.Add(tokenLifetime)
		return &usual, nil
	case !w.ExpiresAt.After(now):
		return nil, badExpiry("past", "must be in the future")
	case w.ExpiresAt.Sub(now) > maxLifetime:
		return nil, badExpiry("too_late", "must be within a year; null is never")
	}
	return w.ExpiresAt, nil
}

func badExpiry(code, detail string) error {
	f := fault.InvalidTimeRange.New("A token expires within a year, or never; see errors.")
	f.Fields = []fault.Field{{Pointer: "/expires_at", Code: code, Detail: detail}}
	return f
}

func tokenOf(row db.Token) Token {
	return Token{ID: row.ID, Name: row.Name, Abilities: row.Abilities,
		CreatedAt: row.CreatedAt.UTC(), LastUsedAt: view.UTC(row.LastUsedAt), ExpiresAt: view.UTC(row.ExpiresAt)}
}
