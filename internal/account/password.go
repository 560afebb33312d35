package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"eventbooking/internal/fault"
)

// What one guess costs: argon2id as OWASP's password storage advice has it.
const (
	hashMemory  = 19456 // KiB
	hashPasses  = 2
	hashThreads = 1
	saltSize    = 16
	hashSize    = 32
)

// nobodysPassword is checked when there is no such user, so that the answer takes
// as long as that to a wrong password. No password has this hash.
var nobodysPassword = phc(make([]byte, saltSize), make([]byte, hashSize))

// HashPassword makes what is stored of a password, in the PHC string format. It
// takes a core for about 26 ms; requests go through passwords, which bounds that.
func HashPassword(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	return phc(salt, argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashThreads, hashSize))
}

func phc(salt, hash []byte) string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, hashMemory, hashPasses, hashThreads, text(salt), text(hash))
}

// matches tells whether a password has a stored hash, which says itself how it was made.
func matches(stored, password string) (bool, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false, errors.New("a stored password hash is none of argon2id")
	}
	var memory, passes uint32
	var threads uint8
	_, costErr := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads)
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	hash, hashErr := base64.RawStdEncoding.DecodeString(parts[5])
	// An empty hash would match every password.
	if errors.Join(costErr, saltErr, hashErr) != nil || passes < 1 || threads < 1 || len(hash) != hashSize {
		return false, errors.New("a stored password hash is damaged")
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, threads, hashSize)
	return subtle.ConstantTimeCompare(got, hash) == 1, nil
}

// passwords hashes and checks, as many at a time as there are cores: each takes
// 19 MiB and a core for itself, and a rush of logins must not stop the bookings.
type passwords struct {
	turns    chan struct{}
	patience time.Duration
}

// hashPatience is how long one waits for a turn.
const hashPatience = 2 * time.Second

func newPasswords() *passwords {
	return &passwords{turns: make(chan struct{}, runtime.GOMAXPROCS(0)), patience: hashPatience}
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.begin(ctx); err != nil {
		return "", err
	}
	defer p.end()
	return HashPassword(password), nil
}

func (p *passwords) matches(ctx context.Context, stored, password string) (bool, error) {
	if err := p.begin(ctx); err != nil {
		return false, err
	}
	defer p.end()
	return matches(stored, password)
}

// begin waits for a turn.
func (p *passwords) begin(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-limited.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return fault.Overloaded.New("More people log in than can be served in time.").After(time.Second)
	}
}

func (p *passwords) end() { <-p.turns }
