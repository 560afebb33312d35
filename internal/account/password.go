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
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

// The cost of argon2id, as OWASP's Password Storage Cheat Sheet recommends.
const (
	hashMemory  = 19456 // KiB
	hashPasses  = 2
	hashThreads = 1
	saltSize    = 16
	hashSize    = 32
)

// dummyHash is checked when there is no user with an address, so that the response
// takes as long as for a wrong password. No password has this hash.
var dummyHash = phc(make([]byte, saltSize), make([]byte, hashSize))

// HashPassword returns the salted hash of a password in the PHC string format. It
// occupies a core for about 26 ms; requests use a hasher, which bounds how many run
// at once.
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

// matches reports whether a password has a stored hash. The hash names its own
// costs, so that those of HashPassword may change. A damaged hash is an error.
func matches(stored, password string) (bool, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false, errors.New("a stored password hash is not argon2id")
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

// hasher hashes and checks passwords, on all cores but one: each hash takes 19 MiB and a
// core, and many logins at once must not slow bookings down. A few of one address wait at
// once, so that a flood from there does not keep others from their turn.
type hasher struct {
	running chan struct{} // one element for each hash that is being computed
	timeout time.Duration // of waiting to begin

	mu sync.Mutex
	// asking counts the requests of each address that wait for a hash, or have one computed.
	asking map[string]int
}

const (
	// hashTimeout is how long a request waits until it may hash a password.
	hashTimeout = 2 * time.Second
	// maxAsking is how many requests of one address wait for a hash or have one computed.
	maxAsking = 8
)

func newHasher() *hasher {
	return &hasher{running: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)), timeout: hashTimeout, asking: map[string]int{}}
}

// hash hashes a new password, unless it is easy to guess for who knows these texts about
// the user. That is fault.ValidationFailed, for the password at the pointer.
func (h *hasher) hash(ctx context.Context, pointer, password string, about ...string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if err := checkGuessable(pointer, password, about); err != nil {
		return "", err
	}
	return HashPassword(password), nil
}

// matches reports whether one of the spellings of a password has a stored hash.
func (h *hasher) matches(ctx context.Context, stored string, spellings []string) (bool, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	for _, password := range spellings {
		if found, err := matches(stored, password); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// acquire waits until another hash may be computed, for h.timeout at most; then it
// is fault.Overloaded.
func (h *hasher) acquire(ctx context.Context) (release func(), err error) {
	limited, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	select {
	case h.running <- struct{}{}:
		return func() { <-h.running }, nil
	case <-limited.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, fault.Overloaded.New("More logins are waiting than can be served in time.").After(time.Second)
	}
}

// enter counts a request of an address that will ask for a hash, before it asks the
// database for anything. Of too many at once it is fault.Overloaded; where the address is
// not known, none is counted.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	address := access.AddressFrom(ctx)
	if address == "" {
		return func() {}, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asking[address] >= maxAsking {
		return nil, fault.Overloaded.Newf("From this address, %d passwords are being checked already.", maxAsking).After(time.Second)
	}
	h.asking[address]++
	return func() { h.leave(address) }, nil
}

func (h *hasher) leave(address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asking[address]--; h.asking[address] == 0 {
		delete(h.asking, address)
	}
}
