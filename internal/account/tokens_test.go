//go:build unix

package account_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

func TestCreateToken(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	at := time.Now().Add(time.Hour).Truncate(time.Microsecond)
	token, err := h.CreateToken(t.Context(), caller, account.TokenWish{Name: " Phone ",
		Abilities: []string{access.AbilityMeWrite, access.AbilityBookingsRead}, ExpiresAt: &at})
	must(t, err)
	if token.Name != "Phone" || !token.ExpiresAt.Equal(at) || token.LastUsedAt != nil {
		t.Errorf("%+v", token)
	}
	phone := h.caller(t, token.Secret)
	if phone.UserID != caller.UserID || !phone.Can(access.AbilityMeWrite) || phone.Can(access.AbilityMeRead) {
		t.Errorf("%+v", phone)
	}

	// It can hand out what it has, and nothing else.
	_, err = h.CreateToken(t.Context(), phone, account.TokenWish{Name: "Less", Abilities: []string{access.AbilityBookingsRead}})
	must(t, err)
	for _, more := range []string{access.AbilityAll, access.AbilityBookingsWrite} {
		_, err = h.CreateToken(t.Context(), phone, account.TokenWish{Name: "More", Abilities: []string{access.AbilityMeWrite, more}})
		isFault(t, err, fault.AbilityMissing)
	}
	past := time.Now().Add(-time.Second)
	_, err = h.CreateToken(t.Context(), caller, account.TokenWish{Name: "Past", Abilities: []string{"*"}, ExpiresAt: &past})
	isWrong(t, err, fault.InvalidTimeRange, "/expires_at")
	_, err = h.CreateToken(t.Context(), caller, account.TokenWish{Name: " ", Abilities: []string{"*"}})
	isWrong(t, err, fault.ValidationFailed, "/name")
	if n := h.count(t, "SELECT count(*) FROM tokens"); n != 3 {
		t.Errorf("%d tokens, want 3", n)
	}
}

// A hundred, also when they are asked for at the same moment.
func TestCreateTokenIsBounded(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	h.exec(t, `INSERT INTO tokens (id, user_id, name, hash, abilities, expires_at)
		SELECT gen_random_uuid(), $1, 'Script', sha256(n::text::bytea), '{*}', CASE WHEN n > 10 THEN NULL ELSE now() - interval '1 day' END
		FROM generate_series(1, 106) n`, caller.UserID) // 96 work, and the one of the registration
	var made atomic.Int32
	together(6, func(int) {
		_, err := h.CreateToken(t.Context(), caller, account.TokenWish{Name: "Script", Abilities: []string{"*"}, NeverExpires: true})
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

// What was revoked while its request was on the way makes no heir.
func TestRevokedTokenMakesNoOther(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	err := h.whileLocked(t, caller.UserID, "DELETE FROM tokens", func() error {
		_, err := h.CreateToken(t.Context(), caller, account.TokenWish{Name: "Heir", Abilities: []string{"*"}})
		return err
	})
	isFault(t, err, fault.TokenInvalid)
	if h.count(t, "SELECT count(*) FROM tokens") != 0 {
		t.Error("the heir is there")
	}
}

func TestDeleteToken(t *testing.T) {
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

func TestListTokens(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, other := h.join(t, "other@test.com")
	login, caller := h.join(t, "busy@test.com")
	want := []uuid.UUID{login.Token.ID}
	for range 4 {
		token, err := h.CreateToken(t.Context(), caller, account.TokenWish{Name: "Script", Abilities: []string{"*"}, NeverExpires: true})
		must(t, err)
		want = append([]uuid.UUID{token.ID}, want...)
	}
	var got []uuid.UUID
	var cursor *string
	for {
		tokens, err := h.ListTokens(t.Context(), caller, to(2), cursor)
		must(t, err)
		for _, token := range tokens.Tokens {
			got = append(got, token.ID)
		}
		if tokens.More != (tokens.Next != "") {
			t.Errorf("%+v", tokens)
		}
		if !tokens.More {
			break
		}
		cursor = &tokens.Next
	}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %v, want %v", i, got[i], want[i])
		}
	}
	_, err := h.ListTokens(t.Context(), other, nil, cursor)
	isFault(t, err, fault.CursorMismatch)
	_, err = h.ListTokens(t.Context(), caller, nil, to("nonsense"))
	isFault(t, err, fault.InvalidCursor)
	if nobodys, err := h.ListTokens(t.Context(), testkit.Caller(testkit.ID(), access.Attendee), nil, nil); err != nil || len(nobodys.Tokens) != 0 {
		t.Errorf("%+v, %v", nobodys, err)
	}
}
