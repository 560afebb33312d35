package account

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/text"
)

// Credentials are the input of a login.
type Credentials struct {
	Email, Password string
	TokenName       string   // of the new token; empty means loginName
	Abilities       []string // of the new token; nil means all
}

// Login is a new token and its user.
type Login struct {
	User  User
	Token NewToken
}

// LogIn makes a token for a user by e-mail address and password. An unknown
// address and a wrong password both are fault.InvalidCredentials, after the same
// work. A blank token name is fault.ValidationFailed; too many wrong passwords before are
// fault.LoginThrottled, too many logins at once fault.Overloaded.
func (s *Service) LogIn(ctx context.Context, c Credentials) (Login, error) {
	request := loginRequest()
	if c.Abilities != nil {
		request.Abilities = c.Abilities
	}
	var in input
	if c.TokenName != "" {
		request.Name = in.line("/token_name", c.TokenName)
	}
	if err := in.err(); err != nil {
		return Login{}, err
	}
	user, err := s.checkPassword(ctx, c.Email, c.Password)
	if err != nil {
		return Login{}, err
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (Login, error) {
		// Checking the password takes long, so it is done before the lock. If the
		// password was changed since, which revoked all tokens, it makes no new one.
		now, err := db.New().UserLock(ctx, tx, user.ID)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && *now.PasswordHash != *user.PasswordHash {
			return Login{}, errWrongCredentials()
		}
		if err != nil {
			return Login{}, err
		}
		token, err := issueTokenTx(ctx, tx, user.ID, request, nil)
		return Login{User: userOf(now), Token: token}, err
	})
}

// checkPassword returns the user with this address and password. An address that
// nobody could register now is looked up all the same: earlier users may have it.
func (s *Service) checkPassword(ctx context.Context, email, password string) (db.User, error) {
	leave, err := s.hasher.enter(ctx)
	if err != nil {
		return db.User{}, err
	}
	defer leave()
	user, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return FindByEmail(ctx, conn, email)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		user = db.User{PasswordHash: &dummyHash}
	} else if err != nil {
		return db.User{}, err
	}
	matches, err := s.guess(ctx, email, *user.PasswordHash, password)
	if err == nil && (!matches || user.ID == uuid.Nil) {
		err = errWrongCredentials()
	}
	return user, err
}

// guess says whether a password has a hash. email says whose delays count, also where
// nobody has that address. No connection is held while it hashes.
func (s *Service) guess(ctx context.Context, email, hash, password string) (bool, error) {
	g, err := s.throttle.begin(ctx, email)
	if err != nil {
		return false, err
	}
	matches, err := s.hasher.matches(ctx, hash, text.PasswordSpellings(password))
	switch {
	case err != nil:
		s.throttle.settle(ctx, g, (*attempt).giveBack)
	case matches:
		s.throttle.settle(ctx, g, (*attempt).succeed)
	}
	return matches, err
}

// HasPassword says whether there is a user with this address and password.
func (s *Service) HasPassword(ctx context.Context, email, password string) (bool, error) {
	_, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) { return FindByEmail(ctx, conn, email) })
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil // without hashing the password
	}
	if err == nil {
		_, err = s.checkPassword(ctx, email, password)
	}
	if errors.Is(err, fault.InvalidCredentials) {
		return false, nil
	}
	return err == nil, err
}

// FindByEmail reads the user of an e-mail address; nobody's is pgx.ErrNoRows.
func FindByEmail(ctx context.Context, conn db.DBTX, email string) (db.User, error) {
	email = strings.TrimSpace(email)
	return db.New().UserFindByEmail(ctx, conn, db.UserFindByEmailParams{Email: email, EmailKey: KeyOf(email)})
}

// KeyOf is the key of an address, or nil if it has none and can have been registered
// only with an earlier version.
func KeyOf(email string) *string {
	key, err := text.EmailKey(email)
	if err != nil {
		return nil
	}
	return &key
}

func errWrongCredentials() error {
	return fault.InvalidCredentials.New("The e-mail address and the password do not match.")
}
