//go:build unix

package account_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/testkit"
)

func TestCreateTokenCannotExtendAbilities(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	at := time.Now().Add(time.Hour).Truncate(time.Microsecond)
	token, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: " Phone ",
		Abilities: []string{access.AbilityMeWrite, access.AbilityBookingsRead}, ExpiresAt: &at})
	must(t, err)
	if token.Name != "Phone" || !token.ExpiresAt.Equal(at) || token.LastUsedAt != nil {
		t.Errorf("%+v", token)
	}
	phone := h.caller(t, token.Secret)
	if phone.UserID != caller.UserID || !phone.Can(access.AbilityMeWrite) || phone.Can(access.AbilityMeRead) {
		t.Errorf("%+v", phone)
	}

	// A token can be created with the abilities of the caller's token, and no others.
	_, err = h.CreateToken(t.Context(), phone, account.TokenRequest{Name: "Less", Abilities: []string{access.AbilityBookingsRead}})
	must(t, err)
	for _, more := range []string{access.AbilityAll, access.AbilityBookingsWrite} {
		_, err = h.CreateToken(t.Context(), phone, account.TokenRequest{Name: "More", Abilities: []string{access.AbilityMeWrite, more}})
		isFault(t, err, fault.AbilityMissing)
	}
	past := time.Now().Add(-time.Second)
	_, err = h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "Past", Abilities: []string{"*"}, ExpiresAt: &past})
	isWrong(t, err, fault.InvalidTimeRange, "/expires_at")
	_, err = h.CreateToken(t.Context(), caller, account.TokenRequest{Name: " ", Abilities: []string{"*"}})
	isWrong(t, err, fault.ValidationFailed, "/name")
	if n := h.count(t, "SELECT count(*) FROM tokens"); n != 3 {
		t.Errorf("%d tokens, want 3", n)
	}
}

// Also when they are created concurrently.
func TestCreateTokenAllowsAHundredTokens(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	h.exec(t, `INSERT INTO tokens (id, user_id, name, hash, abilities, expires_at)
		SELECT gen_random_uuid(), $1, 'Script', sha256(n::text::bytea), '{*}', CASE WHEN n > 10 THEN NULL ELSE now() - interval '1 day' END
		FROM generate_series(1, 106) n`, caller.UserID) // 96 work, and the one of the registration
	var made atomic.Int32
	together(6, func(int) {
		_, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "Script", Abilities: []string{"*"}, NeverExpires: true, CurrentPassword: to(password)})
		if err == nil {
			made.Add(1)
		} else {
			isFault(t, err, fault.ValidationFailed)
		}
	})
	if n := h.count(t, "SELECT count(*) FROM tokens WHERE expires_at IS NULL OR expires_at > now()"); made.Load() != 3 || n != 100 {
		t.Errorf("%d made, %d work", made.Load(), n)
	}
	if _, err := h.Me(t.Context(), caller); err != nil {
		t.Error(err)
	}
}

func TestCreateTokenFailsIfItsTokenWasRevokedMeanwhile(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	err := h.whileLocked(t, caller.UserID, "DELETE FROM tokens", func() error {
		_, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "Other", Abilities: []string{"*"}})
		return err
	})
	isFault(t, err, fault.TokenInvalid)
	if h.count(t, "SELECT count(*) FROM tokens") != 0 {
		t.Error("a token was created")
	}
}

func TestDeleteTokenRevokesOnlyOnesOwn(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, caller := h.join(t, "busy@test.com")
	_, other := h.join(t, "other@test.com")
	isFault(t, h.DeleteToken(t.Context(), other, login.Token.ID), fault.NotFound)
	h.caller(t, login.Token.Secret)
	must(t, h.DeleteToken(t.Context(), caller, login.Token.ID))
	isFault(t, h.DeleteToken(t.Context(), caller, login.Token.ID), fault.NotFound)
	_, err := h.Authenticate(t.Context(), string(login.Token.Secret))
	isFault(t, err, fault.TokenInvalid)
}

func TestListTokensPagesThroughTheCallersTokens(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, other := h.join(t, "other@test.com")
	login, caller := h.join(t, "busy@test.com")
	want := []uuid.UUID{login.Token.ID}
	for range 4 {
		token, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "Script", Abilities: []string{"*"}, NeverExpires: true, CurrentPassword: to(password)})
		must(t, err)
		want = append([]uuid.UUID{token.ID}, want...)
	}
	var got []uuid.UUID
	var cursor *string
	for {
		tokens, err := h.ListTokens(t.Context(), caller, page.Ask{Limit: to(2), Cursor: cursor})
		must(t, err)
		for _, token := range tokens.Items {
			got = append(got, token.ID)
		}
		if !tokens.HasMore() {
			break
		}
		cursor = &tokens.Next
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	_, err := h.ListTokens(t.Context(), other, page.Ask{Cursor: cursor})
	isFault(t, err, fault.CursorMismatch)
	_, err = h.ListTokens(t.Context(), caller, page.Ask{Cursor: to("nonsense")})
	isFault(t, err, fault.InvalidCursor)
	if nobodys, err := h.ListTokens(t.Context(), testkit.Caller(testkit.ID(), access.Attendee), page.Ask{}); err != nil || len(nobodys.Items) != 0 {
		t.Errorf("%+v, %v", nobodys, err)
	}
}

// A token that was made with another one dies with it, and what that made, too.
func TestATokenDiesWithTheOneThatMadeIt(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, caller := h.join(t, "busy@test.com")
	create := func(by access.Caller, r account.TokenRequest) account.NewToken {
		t.Helper()
		r.Name, r.Abilities = "Script", []string{"*"}
		token, err := h.CreateToken(t.Context(), by, r)
		must(t, err)
		return token
	}
	child := create(caller, account.TokenRequest{})
	grandchild := create(h.caller(t, child.Secret), account.TokenRequest{})
	free := create(caller, account.TokenRequest{NeverExpires: true, CurrentPassword: to(password)})
	if !child.ExpiresAt.Equal(*login.Token.ExpiresAt) || !grandchild.ExpiresAt.Equal(*login.Token.ExpiresAt) || free.ExpiresAt != nil {
		t.Errorf("they end at %v, %v and %v", child.ExpiresAt, grandchild.ExpiresAt, free.ExpiresAt)
	}
	later := login.Token.ExpiresAt.Add(time.Second)
	for name, r := range map[string]account.TokenRequest{"never": {NeverExpires: true}, "later": {ExpiresAt: &later}} {
		r.Name, r.Abilities = name, []string{"*"}
		_, err := h.CreateToken(t.Context(), caller, r)
		isWrong(t, err, fault.InvalidTimeRange, "/expires_at")
	}
	_, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "T", Abilities: []string{"*"}, CurrentPassword: to("guess")})
	isWrong(t, err, fault.ValidationFailed, "/current_password")

	must(t, h.LogOut(t.Context(), caller))
	for _, secret := range []account.Secret{login.Token.Secret, child.Secret, grandchild.Secret} {
		_, err := h.Authenticate(t.Context(), string(secret))
		isFault(t, err, fault.TokenInvalid)
	}
	h.caller(t, free.Secret)
}

// The token of a change of the password stays, whatever made it.
func TestAChangeOfThePasswordKeepsItsTokenAlive(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	child, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "Phone", Abilities: []string{"*"}})
	must(t, err)
	must(t, h.ChangePassword(t.Context(), h.caller(t, child.Secret), password, "battery staple"))
	h.caller(t, child.Secret)
	if n := h.count(t, "SELECT count(*) FROM tokens"); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

// A token that is revoked while it makes another one leaves none behind.
func TestATokenIsNotMadeWhileItsMakerIsRevoked(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, _ := h.join(t, "busy@test.com")
	for range 20 {
		again, err := h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password})
		must(t, err)
		caller := h.caller(t, again.Token.Secret)
		together(4, func(i int) {
			if i == 0 {
				must(t, h.LogOut(t.Context(), caller))
			} else if _, err := h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "T", Abilities: []string{"*"}}); err != nil {
				isFault(t, err, fault.TokenInvalid)
			}
		})
	}
	if n := h.count(t, "SELECT count(*) FROM tokens WHERE id <> $1", login.Token.ID); n != 0 {
		t.Errorf("%d tokens are left", n)
	}
}

// Of two requests with a password, the one that comes after its change is refused.
func TestAnotherPasswordMeanwhileConfirmsNothing(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*env, access.Caller) error{
		"deletion": func(h *env, c access.Caller) error { return h.DeleteMe(t.Context(), c, password) },
		"profile": func(h *env, c access.Caller) error {
			_, err := h.UpdateMe(t.Context(), c, account.Profile{Email: to("new@test.com"), CurrentPassword: to(password)})
			return err
		},
		"token": func(h *env, c access.Caller) error {
			_, err := h.CreateToken(t.Context(), c, account.TokenRequest{Name: "T", Abilities: []string{"*"}, CurrentPassword: to(password)})
			return err
		},
	} {
		h := newEnv(t)
		_, caller := h.join(t, "busy@test.com")
		err := h.whileLocked(t, caller.UserID, "UPDATE users SET password_hash = 'another'", func() error { return do(h, caller) })
		t.Log(name)
		isWrong(t, err, fault.ValidationFailed, "/current_password")
	}
}
