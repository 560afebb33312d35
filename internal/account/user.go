// Package account has users and their tokens: registration, login, profile,
// passwords, roles, and the authentication of requests. What an authenticated
// caller may do, package access and the use cases decide.
package account

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
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

// email trims an address and checks it. The contract's check of its form was made
// before it was trimmed.
func (in *input) email(pointer, text string) string {
	wrong := len(in.wrong)
	text = in.line(pointer, text)
	switch at := strings.LastIndexByte(text, '@'); {
	case len(in.wrong) > wrong:
	case at < 1 || at == len(text)-1:
		in.refuse(pointer, "format", "must be an e-mail address")
	case strings.EqualFold(text[at:], reservedDomain):
		in.refuse(pointer, "format", "must not be in the reserved domain invalid")
	}
	return text
}

// line trims one line of text, and refuses blank text and what PostgreSQL cannot
// store.
func (in *input) line(pointer, text string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		in.refuse(pointer, "blank", "must not be blank")
	case !isLine(text):
		in.refuse(pointer, "characters", "must be one line of text, without control characters")
	}
	return text
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

func isLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

func userOf(row db.User) User {
	return User{ID: row.ID, Email: row.Email, Name: row.Name, Role: access.Role(row.Role),
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC()}
}

// oneEmail is the unique index of addresses, which ignores case.
const oneEmail = "users_one_email"

// errEmailTaken translates a violation of oneEmail, and returns other errors as they
// are.
func errEmailTaken(err error) error {
	if postgres.Violates(err, oneEmail) {
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
