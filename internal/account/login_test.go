//go:build unix

package account_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
)

func TestRegisterCreatesAnAttendeeAndLogsIn(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	before := time.Now()
	login, err := h.Register(t.Context(), account.Registration{Email: " New@Comer.com ", Name: " New Comer ", Password: password})
	must(t, err)
	u := login.User
	if u.Email != "New@Comer.com" || u.Name != "New Comer" || u.Role != access.Attendee || u.CreatedAt.Location() != time.UTC {
		t.Errorf("%+v", u)
	}
	month := 30 * 24 * time.Hour
	if got := login.Token.ExpiresAt.Sub(before); got < month-time.Second || got > month+time.Minute {
		t.Errorf("the token works for %v", got)
	}
	caller := h.caller(t, login.Token.Secret)
	if !caller.IsKnown() || caller.UserID != u.ID || caller.TokenID != login.Token.ID || caller.Role != access.Attendee || !caller.Can("anything") {
		t.Errorf("%+v", caller)
	}
	if n := h.count(t, "SELECT count(*) FROM users WHERE password_hash LIKE '%' || $1 || '%'", password); n != 0 {
		t.Error("the password is stored in clear text")
	}
	if n := h.count(t, "SELECT count(*) FROM tokens WHERE hash = sha256($1::text::bytea)", string(login.Token.Secret)); n != 1 {
		t.Error("the token is not stored as its SHA-256")
	}
}

func TestRegisterCreatesOneUserPerAddress(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	var made, taken atomic.Int32
	together(6, func(i int) {
		email := []string{"one@test.com", "One@Test.com", " ONE@TEST.COM"}[i%3]
		var err error = fault.Overloaded
		for errors.Is(err, fault.Overloaded) { // on a busy machine, hashing may take long
			_, err = h.Register(t.Context(), account.Registration{Email: email, Name: "One", Password: password})
		}
		if err == nil {
			made.Add(1)
		} else {
			isFault(t, err, fault.EmailTaken)
			taken.Add(1)
		}
	})
	if made.Load() != 1 || taken.Load() != 5 || h.count(t, "SELECT count(*) FROM tokens") != 1 {
		t.Errorf("%d made, %d refused, %d tokens", made.Load(), taken.Load(), h.count(t, "SELECT count(*) FROM tokens"))
	}
}

func TestRegisterRefusesBlankNamesAndReservedAddresses(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, err := h.Register(t.Context(), account.Registration{Email: "a@test.com", Name: " \t ", Password: password})
	isWrong(t, err, fault.ValidationFailed, "/name")
	_, err = h.Register(t.Context(), account.Registration{Email: "deleted+1@invalid", Name: "A", Password: password})
	isWrong(t, err, fault.ValidationFailed, "/email")
	if n := h.count(t, "SELECT count(*) FROM users"); n != 0 {
		t.Errorf("%d users were made", n)
	}
}

func TestLogInReturnsATokenWithTheNameAndAbilitiesAskedFor(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	first, _ := h.join(t, "busy@test.com")
	login, err := h.LogIn(t.Context(), account.Credentials{Email: " BUSY@test.com", Password: password})
	must(t, err)
	if login.User != first.User || login.Token.ID == first.Token.ID || login.Token.Name != "Login" || !slices.Equal(login.Token.Abilities, []string{"*"}) {
		t.Errorf("%+v", login)
	}
	phone, err := h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password,
		TokenName: " Phone ", Abilities: []string{access.AbilityBookingsRead}})
	must(t, err)
	caller := h.caller(t, phone.Token.Secret)
	if phone.Token.Name != "Phone" || !caller.Can(access.AbilityBookingsRead) || caller.Can(access.AbilityBookingsWrite) {
		t.Errorf("%+v, %+v", phone, caller)
	}
	h.caller(t, first.Token.Secret) // earlier logins stay valid
}

// A wrong password and an unknown address get the same answer.
func TestLogInDoesNotRevealWhetherAnAddressExists(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "deleted@test.com")
	must(t, h.DeleteMe(t.Context(), caller, password))
	h.join(t, "busy@test.com")
	var details []string
	for _, c := range []account.Credentials{
		{Email: "busy@test.com", Password: password + " "},
		{Email: "busy@test.com", Password: ""},
		{Email: "nobody@test.com", Password: password},
		{Email: "nobody@test.com", Password: ""},
		{Email: "deleted@test.com", Password: password},
	} {
		_, err := h.LogIn(t.Context(), c)
		isFault(t, err, fault.InvalidCredentials)
		details = append(details, err.Error())
	}
	if len(slices.Compact(details)) != 1 {
		t.Errorf("the answers differ: %q", details)
	}
	_, err := h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password, TokenName: " \n"})
	isWrong(t, err, fault.ValidationFailed, "/token_name")
}

// A login that checked the old password must not get a token after the change, nor
// after the user was deleted.
func TestLogInFailsIfThePasswordChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		"UPDATE users SET password_hash = 'another'",
		"UPDATE users SET deleted_at = now(), password_hash = NULL",
	} {
		h := newEnv(t)
		login, _ := h.join(t, "busy@test.com")
		err := h.whileLocked(t, login.User.ID, change, func() error {
			_, err := h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password})
			return err
		})
		isFault(t, err, fault.InvalidCredentials)
		if n := h.count(t, "SELECT count(*) FROM tokens"); n != 1 {
			t.Errorf("%s: %d tokens, want the old one only", change, n)
		}
	}
}

// Earlier logins do not prevent new ones, and their number is bounded.
func TestLogInDeletesTheTokensThatExpireFirst(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	first, caller := h.join(t, "busy@test.com")
	script, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "Script", Abilities: []string{"*"}, NeverExpires: true, CurrentPassword: to(password)})
	must(t, err)
	h.exec(t, `INSERT INTO tokens (id, user_id, name, hash, abilities, expires_at)
		SELECT gen_random_uuid(), $1, 'Login', sha256(n::text::bytea), '{*}', clock_timestamp() + '29 days' + n * interval '1 second'
		FROM generate_series(1, 98) n`, caller.UserID)
	h.exec(t, "UPDATE tokens SET expires_at = clock_timestamp() - interval '1 hour' WHERE hash = sha256('50')")
	logIn := func() {
		_, err := h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password})
		must(t, err)
		if n := h.count(t, "SELECT count(*) FROM tokens"); n != 100 {
			t.Errorf("%d tokens, want 100", n)
		}
	}
	logIn()
	if h.count(t, "SELECT count(*) FROM tokens WHERE hash = sha256('50')") != 0 {
		t.Error("the expired token did not go first")
	}
	logIn()
	if h.count(t, "SELECT count(*) FROM tokens WHERE hash = sha256('1')") != 0 {
		t.Error("the token that expires first did not go next")
	}
	h.caller(t, first.Token.Secret)
	h.caller(t, script.Secret)
}

func TestLogOutRevokesOnlyItsToken(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, caller := h.join(t, "busy@test.com")
	other, err := h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password})
	must(t, err)
	must(t, h.LogOut(t.Context(), caller))
	must(t, h.LogOut(t.Context(), caller)) // a concurrent second request
	_, err = h.Authenticate(t.Context(), string(login.Token.Secret))
	isFault(t, err, fault.TokenInvalid)
	h.caller(t, other.Token.Secret)
}
