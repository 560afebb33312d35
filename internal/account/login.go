package account

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// Credentials are by whom and how a login is asked for.
type Credentials struct {
	Email, Password string
	TokenName       string   // empty: one that says that it came with a login
	Abilities       []string // nil: all
}

// Login is a new token, and whose it is.
type Login struct {
	User  User
	Token NewToken
}

// LogIn makes a token for whoever knows a user's password. An unknown address and
// a wrong password get the same answer after the same work.
func (s *Service) LogIn(ctx context.Context, c Credentials) (Login, error) {
	wish := everything()
	if c.Abilities != nil {
		wish.Abilities = c.Abilities
	}
	var in input
	c.Email = in.email("/email", c.Email)
	if c.TokenName != "" {
		wish.Name = in.line("/token_name", c.TokenName)
	}
	if err := in.err(); err != nil {
		return Login{}, err
	}
	user, err := s.checkPassword(ctx, c.Email, c.Password)
	if err != nil {
		return Login{}, err
	}
	var login Login
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		// The password was checked before, because it takes long. It may have been
		// changed since, which revoked all tokens: this one must not slip past.
		now, err := db.New().UserLock(ctx, tx, user.ID)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && *now.PasswordHash != *user.PasswordHash {
			return wrongCredentials()
		}
		if err != nil {
			return err
		}
		login.User = userOf(now)
		login.Token, err = issueTx(ctx, tx, user.ID, wish)
		return err
	})
	return login, err
}

// checkPassword finds the user to whom address and password belong.
func (s *Service) checkPassword(ctx context.Context, email, password string) (db.User, error) {
	user, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return db.New().UserFindByEmail(ctx, conn, email)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		user = db.User{PasswordHash: &nobodysPassword}
	} else if err != nil {
		return db.User{}, err
	}
	right, err := s.passwords.matches(ctx, *user.PasswordHash, password)
	if err == nil && (!right || user.ID == uuid.Nil) {
		err = wrongCredentials()
	}
	return user, err
}

func wrongCredentials() error {
	return fault.InvalidCredentials.New("E-mail address and password do not belong together.")
}
