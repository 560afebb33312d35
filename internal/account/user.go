// Package account knows who there is and who is asking: users with their roles,
// and the tokens by which they come. What a caller may do with somebody else's
// things, the rooms that own them decide; access.Caller tells them who it is.
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

// reservedDomain is where deleted users' addresses are. It can never exist (RFC
// 2606), and nobody registers with it: a taken address would stop a deletion.
const reservedDomain = "@invalid"

// input gathers what is wrong with a body, so that its sender learns of
// everything at once.
type input struct{ wrong []fault.Field }

// email trims an address. Its form was checked against the spec, before it was trimmed.
func (in *input) email(pointer, text string) string {
	wrong := len(in.wrong)
	text = in.line(pointer, text)
	switch at := strings.LastIndexByte(text, '@'); {
	case len(in.wrong) > wrong:
	case at < 1 || at == len(text)-1:
		in.refuse(pointer, "format", "must be an e-mail address")
	case strings.EqualFold(text[at:], reservedDomain):
		in.refuse(pointer, "format", "must be an address of yours; the domain invalid is reserved")
	}
	return text
}

// line trims one line of text, and refuses what nobody could read or PostgreSQL
// could not store.
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

// oneEmail is the index that keeps addresses apart, whatever their case.
const oneEmail = "users_one_email"

// emailTaken is what a refusal of the database means to whoever wrote an address.
func emailTaken(err error) error {
	if postgres.Violates(err, oneEmail) {
		return fault.EmailTaken.New("Another user has this e-mail address.")
	}
	return err
}

// gone is what it means when the caller's own row is not there: the user was
// deleted after the request was let in.
func gone(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.TokenInvalid.New("This user was deleted.")
	}
	return err
}
