package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
	"eventbooking/internal/text"
)

// Registration is the input of Register.
type Registration struct{ Email, Name, Password string }

// Register creates an attendee and logs them in. A blank name or an invalid
// address is fault.ValidationFailed, an address that is in use fault.EmailTaken;
// too many logins at once are fault.Overloaded.
func (s *Service) Register(ctx context.Context, r Registration) (Login, error) {
	var in input
	email, key := in.email("/email", r.Email)
	name := in.line("/name", r.Name)
	if err := in.err(); err != nil {
		return Login{}, err
	}
	hash, err := s.hasher.hash(ctx, text.Password(r.Password))
	if err != nil {
		return Login{}, err
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (Login, error) {
		row, err := db.New().UserInsert(ctx, tx, db.UserInsertParams{
			ID: uuid.Must(uuid.NewV7()), Email: email, EmailKey: &key, Name: name, PasswordHash: &hash, Role: string(access.Attendee)})
		if err != nil {
			return Login{}, errEmailTaken(err)
		}
		token, err := issueTokenTx(ctx, tx, row.ID, loginRequest())
		return Login{User: userOf(row), Token: token}, err
	})
}
