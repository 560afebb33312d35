// Package account has users and their tokens: registration, login, profile,
// passwords, roles, and the authentication of requests. What an authenticated
// caller may do, package access and the use cases decide.
package account

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/text"
)

// User is someone who can sign in.
type User struct {
	ID                   uuid.UUID
	Email, Name          string
	Role                 access.Role
	CreatedAt, UpdatedAt time.Time
}

// reservedDomain is the domain of deleted users' addresses. It can never exist (RFC
// 2606), and nobody may register with it: a taken address would prevent a deletion.
const reservedDomain = "@invalid"

// input collects what is wrong with a body, so that the error names all of it.
type input struct{ wrong []fault.Field }

// email trims an address, checks it and computes its key.
func (in *input) email(pointer, typed string) (email, key string) {
	email, err := text.Email(strings.TrimSpace(typed))
	if err == nil {
		key, err = text.EmailKey(email)
	}
	in.refuseText(pointer, err)
	if strings.HasSuffix(key, reservedDomain) {
		in.refuse(pointer, "format", "must not be in the reserved domain invalid")
	}
	return email, key
}

// line trims one line of text, and refuses it if it is blank.
func (in *input) line(pointer, typed string) string {
	line, err := text.Line(strings.TrimSpace(typed))
	if in.refuseText(pointer, err); line == "" {
		in.refuse(pointer, "blank", "must not be blank")
	}
	return line
}

// refuseText notes the error of a rule of package text, if it is one.
func (in *input) refuseText(pointer string, err error) {
	if refusal := new(text.Refusal); errors.As(err, &refusal) {
		in.refuse(pointer, refusal.Code, refusal.Detail)
	}
}

func (in *input) refuse(pointer, code, detail string) {
	in.wrong = append(in.wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
}

func (in *input) err() error {
	if len(in.wrong) == 0 {
		return nil
	}
	return fault.Invalid(in.wrong...)
}

func userOf(row db.User) User {
	return User{ID: row.ID, Email: row.Email, Name: row.Name, Role: access.Role(row.Role),
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC()}
}

// The unique indexes of addresses: of their keys, and the one of the previous version.
const (
	oneEmailKey = "users_one_email_key"
	oneEmail    = "users_one_email"
)

// errEmailTaken translates a violation of these, and returns other errors as they are.
func errEmailTaken(err error) error {
	if postgres.Violates(err, oneEmailKey) || postgres.Violates(err, oneEmail) {
		return fault.EmailTaken.New("Another user has this e-mail address.")
	}
	return err
}

// errCallerDeleted translates the absence of the caller's own row: the user was
// deleted after the request was authenticated. It returns other errors as they are.
func errCallerDeleted(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.TokenInvalid.New("The token's user was deleted.")
	}
	return err
}
