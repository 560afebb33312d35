package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// Registration is the input of Register.
type Registration struct{ Email, Name, Password string }

// Register creates an attendee and logs them in. A blank name, an invalid address or
// a password of the wrong length or that is easy to guess is fault.ValidationFailed, an address that is in use
// fault.EmailTaken; too many logins at once are fault.Overloaded.
func (s *Service) Register(ctx context.Context, r Registration) (Login, error) {
	user, err := s.newUser(ctx, r, access.Attendee)
	if err != nil {
		return Login{}, err
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (Login, error) {
		row, err := db.New().UserInsert(ctx, tx, user)
		if err != nil {
			return Login{}, errEmailTaken(err)
		}
		token, err := issueTokenTx(ctx, tx, row.ID, loginRequest(), nil)
		return Login{User: userOf(row), Token: token}, err
	})
}

// CreateAdmin creates an administrator, for whoever operates the service. The refusals
// are those of Register.
func (s *Service) CreateAdmin(ctx context.Context, r Registration) (User, error) {
	user, err := s.newUser(ctx, r, access.Admin)
	if err != nil {
		return User{}, err
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (User, error) {
		row, err := db.New().UserInsert(ctx, tx, user)
		return userOf(row), errEmailTaken(err)
	})
}

// newUser checks a registration and hashes its password.
func (s *Service) newUser(ctx context.Context, r Registration, role access.Role) (db.UserInsertParams, error) {
	var in input
	email, key := in.email("/email", r.Email)
	name, password := in.line("/name", r.Name), in.password("/password", r.Password)
	if err := in.err(); err != nil {
		return db.UserInsertParams{}, err
	}
	hash, err := s.hasher.hash(ctx, "/password", password, name, email)
	return db.UserInsertParams{ID: uuid.Must(uuid.NewV7()), Email: email, EmailKey: &key, Name: name, PasswordHash: &hash, Role: string(role)}, err
}
