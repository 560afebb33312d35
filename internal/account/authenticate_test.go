//go:build unix

package account_test

import (
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

func TestAuthenticateRefusesUnknownExpiredAndDeletedUsersTokens(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, caller := h.join(t, "busy@test.com")
	for _, bearer := range []string{"", "evb_", "x" + string(login.Token.Secret), string(account.NewSecret())} {
		got, err := h.Authenticate(t.Context(), bearer)
		isFault(t, err, fault.TokenInvalid)
		if got.IsKnown() {
			t.Errorf("%q is %+v", bearer, got)
		}
	}
	h.exec(t, "UPDATE tokens SET expires_at = clock_timestamp(), last_used_at = NULL")
	_, err := h.Authenticate(t.Context(), string(login.Token.Secret))
	isFault(t, err, fault.TokenExpired)
	if h.count(t, "SELECT count(last_used_at) FROM tokens") != 0 {
		t.Error("an expired token was used")
	}
	// Another process has deleted the user, but not yet the tokens.
	h.exec(t, "UPDATE tokens SET expires_at = NULL")
	h.exec(t, "UPDATE users SET deleted_at = now() WHERE id = $1", caller.UserID)
	_, err = h.Authenticate(t.Context(), string(login.Token.Secret))
	isFault(t, err, fault.TokenInvalid)
}

// A mistyped token costs the database nothing.
func TestAuthenticateRefusesMistypedTokensWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	h.pool.Close()
	_, err := h.Authenticate(t.Context(), string(account.NewSecret())[:49]+"-")
	isFault(t, err, fault.TokenInvalid)
	_, err = h.Authenticate(t.Context(), string(account.NewSecret()))
	isFault(t, err, fault.DatabaseUnavailable)
}

func TestAuthenticateReturnsTheCurrentRole(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, _ := h.join(t, "busy@test.com")
	h.exec(t, "UPDATE users SET role = 'organizer'")
	if caller := h.caller(t, login.Token.Secret); caller.Role != access.Organizer {
		t.Errorf("%+v", caller)
	}
}

func TestAuthenticateUpdatesLastUsedOnceAMinute(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, _ := h.join(t, "busy@test.com")
	lastUsed := func() (at time.Time) {
		must(t, h.pool.QueryRow(t.Context(), "SELECT last_used_at FROM tokens").Scan(&at))
		return at
	}
	first := lastUsed() // join has used it
	h.caller(t, login.Token.Secret)
	if !lastUsed().Equal(first) {
		t.Error("the second use within a minute was written")
	}
	h.exec(t, "UPDATE tokens SET last_used_at = last_used_at - interval '61 seconds'")
	h.caller(t, login.Token.Secret)
	if lastUsed().Before(first) {
		t.Error("the use a minute later was not written")
	}
}

// Neither a lock on the token's row nor a read-only database prevents authentication.
func TestAuthenticateWorksIfLastUsedCannotBeWritten(t *testing.T) {
	testkit.SkipIfPooled(t, "it needs sessions that begin with other defaults")
	t.Parallel()
	h := newEnv(t)
	login, _ := h.join(t, "busy@test.com")
	h.exec(t, "UPDATE tokens SET last_used_at = NULL")
	tx, err := h.pool.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM tokens FOR UPDATE")
	must(t, err)
	h.caller(t, login.Token.Secret)
	must(t, tx.Rollback(t.Context()))

	h.exec(t, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only TO on', current_database()); END $$`)
	readOnly := account.New(testkit.Connect(t, h.pool.Config().ConnString()), account.Options{})
	caller, err := readOnly.Authenticate(t.Context(), string(login.Token.Secret))
	if err != nil || !caller.IsKnown() {
		t.Errorf("%+v, %v", caller, err)
	}
	if h.count(t, "SELECT count(last_used_at) FROM tokens") != 0 {
		t.Error("the use was written, so the database was not read-only")
	}
}

func TestOnlyOrganizersAndAdministratorsManageEvents(t *testing.T) {
	t.Parallel()
	if access.Nobody.IsKnown() || access.Nobody.Can(access.AbilityMeRead) || access.CallerFrom(t.Context()).IsKnown() {
		t.Error("an anonymous caller is known or has an ability")
	}
	for role, want := range map[access.Role][2]bool{
		access.Attendee: {false, false}, access.Organizer: {true, false}, access.Admin: {true, true},
	} {
		c := testkit.Caller(testkit.ID(), role)
		if got := access.CallerFrom(access.WithCaller(t.Context(), c)); got.UserID != c.UserID {
			t.Errorf("%+v", got)
		}
		if got := [2]bool{c.Manages(c.UserID), c.Manages(testkit.ID())}; got != want {
			t.Errorf("%s manages own and others' things: %v, want %v", role, got, want)
		}
	}
}
