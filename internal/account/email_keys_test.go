//go:build unix

package account_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

// twins are spellings of one mailbox.
var twins = map[string][]string{
	"upper case, in any locale":      {"Üx@test.com", "üx@test.com", "ÜX@TEST.COM"},
	"composed and decomposed":        {"zo\u00eb@test.com", "zoe\u0308@test.com"},
	"a domain and its punycode":      {"anna@bücher.example", "anna@xn--bcher-kva.example", "Anna@BÜCHER.example"},
	"full-width and ordinary":        {"ａｎｎａ@wide.com", "anna@wide.com"},
	"a decomposed domain":            {"otto@bu\u0308cher.example", "otto@b\u00fccher.example"},
	"other alphabets in upper case":  {"ΩΜΈΓΑ@test.com", "ωμέγα@test.com"},
	"the dot of an ideographic page": {"li@例え。example", "li@例え.example"},
}

func TestTwinsOfAnAddressAreOneUser(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for name, spellings := range twins {
		login, _ := h.join(t, spellings[0])
		if login.User.Email != norm.NFC.String(spellings[0]) {
			t.Errorf("%s: %q is kept as %q", name, spellings[0], login.User.Email)
		}
		_, other := h.join(t, uuid.NewString()+"@test.com")
		for _, twin := range spellings {
			_, err := h.Register(t.Context(), account.Registration{Email: twin, Name: "Twin", Password: password})
			isFault(t, err, fault.EmailTaken)
			_, err = h.UpdateMe(t.Context(), other, account.Profile{Email: &twin, CurrentPassword: to(password)})
			isFault(t, err, fault.EmailTaken)
			again, err := h.LogIn(t.Context(), account.Credentials{Email: twin, Password: password})
			if err != nil || again.User.ID != login.User.ID {
				t.Errorf("%s: a login as %q: %v, %v", name, twin, again.User.ID, err)
			}
		}
	}
}

// The previous version makes and changes users without their keys.
func TestUsersOfThePreviousVersionLogIn(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, _ := h.join(t, "first@test.com")
	h.exec(t, "UPDATE users SET email = 'Second@test.com' WHERE id = $1", login.User.ID)
	logsIn := func(email string, wants bool) {
		t.Helper()
		if _, err := h.LogIn(t.Context(), account.Credentials{Email: email, Password: password}); (err == nil) != wants {
			t.Errorf("a login as %s: %v", email, err)
		}
	}
	logsIn("second@test.com", true)
	logsIn("first@test.com", false)
	h.join(t, "first@test.com") // the address is free
	if keyless, err := account.FillEmailKeys(t.Context(), h.pool); err != nil || len(keyless) > 0 {
		t.Errorf("%v, %v", keyless, err)
	}
	if n := h.count(t, "SELECT count(*) FROM users WHERE email_key = 'second@test.com' AND keyed_email = 'Second@test.com'"); n != 1 {
		t.Error("the changed address has no key")
	}
	logsIn("SECOND@test.com", true)
}

// Of old users with one key, the older keeps it; both log in with their own spelling.
func TestTheOlderOfTwinsKeepsTheKey(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	older, _ := h.join(t, "Zo\u00eb@test.com")
	younger, _ := h.join(t, "other@test.com")
	odd, _ := h.join(t, "odd@test.com")
	h.exec(t, "UPDATE users SET email = $2 WHERE id = $1", younger.User.ID, "Zoe\u0308@test.com")
	h.exec(t, "UPDATE users SET email = $2 WHERE id = $1", odd.User.ID, "o\u200bdd@test.com")
	h.exec(t, "UPDATE users SET email_key = NULL, keyed_email = NULL")
	want := []account.Keyless{{UserID: younger.User.ID, Holder: older.User.ID}, {UserID: odd.User.ID}}
	for range 2 { // it can be repeated
		keyless, err := account.FillEmailKeys(t.Context(), h.pool)
		slices.SortFunc(keyless, func(a, b account.Keyless) int { return slices.Compare(a.UserID[:], b.UserID[:]) })
		if err != nil || !slices.Equal(keyless, want) {
			t.Errorf("%v, %v", keyless, err)
		}
	}
	for email, id := range map[string]uuid.UUID{"Zo\u00eb@test.com": older.User.ID, "zo\u00eb@test.com": older.User.ID, "Zoe\u0308@test.com": younger.User.ID, "o\u200bdd@test.com": odd.User.ID} {
		login, err := h.LogIn(t.Context(), account.Credentials{Email: email, Password: password})
		if err != nil || login.User.ID != id {
			t.Errorf("a login as %+q: %v, %v", email, login.User.ID, err)
		}
	}
}

// Keys are filled in pages, while others register.
func TestKeysAreFilledInPages(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	const users = 1203
	for i := range users {
		if i%401 == 0 { // twins, in different pages
			h.exec(t, "INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, 'Twin', '')", testkit.ID(), []string{"\u00e9@x.de", "e\u0301@x.de", "e\u0301@xn--x-0ga.de"}[i/401%3])
		}
	}
	h.exec(t, `INSERT INTO users (id, email, name, password_hash) SELECT gen_random_uuid(), 'user' || n || '@Old.com', 'Old', '' FROM generate_series(1, $1) n`, users)
	for i := range 3 {
		go func() {
			_, _ = h.Register(t.Context(), account.Registration{Email: fmt.Sprintf("user%d@old.com", i+1), Name: "New", Password: password})
		}()
	}
	keyless, err := account.FillEmailKeys(t.Context(), h.pool)
	if err != nil || len(keyless) != 1 {
		t.Errorf("%v, %v", keyless, err)
	}
	if n := h.count(t, "SELECT count(*) FROM users WHERE email_key LIKE 'user%@old.com'"); n != users {
		t.Errorf("%d of %d users have a key", n, users)
	}
}

func TestPasswordsAreRecognisedHoweverTheyAreTyped(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for i, c := range []struct{ set, typed string }{
		{"p\u00e4sswort", "pa\u0308sswort"}, {"pa\u0308sswort", "p\u00e4sswort"}, {"one\u00a0two three", "one two three"},
		{"❤️❤️❤️❤️", "❤️❤️❤️❤️"}, {"👩‍👩‍👧 and e\u0301", "👩‍👩‍👧 and \u00e9"}, {"tab\tand more", "tab\tand more"},
	} {
		email := fmt.Sprintf("user%d@test.com", i)
		login, err := h.Register(t.Context(), account.Registration{Email: email, Name: "A", Password: c.set})
		must(t, err)
		_, err = h.LogIn(t.Context(), account.Credentials{Email: email, Password: c.typed})
		must(t, err)
		must(t, h.ChangePassword(t.Context(), h.caller(t, login.Token.Secret), c.typed, c.typed))
		_, err = h.LogIn(t.Context(), account.Credentials{Email: email, Password: c.set})
		must(t, err)
		// A hash of earlier versions is of what was typed.
		h.exec(t, "UPDATE users SET password_hash = $2 WHERE id = $1", login.User.ID, account.HashPassword("old pa\u0308ss"))
		_, err = h.LogIn(t.Context(), account.Credentials{Email: email, Password: "old pa\u0308ss"})
		must(t, err)
	}
}

// A login reads the indexes of addresses only.
func TestUsersAreFoundByIndexes(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	h.exec(t, `INSERT INTO users (id, email, email_key, keyed_email, name, password_hash)
		SELECT gen_random_uuid(), e, e, CASE WHEN n % 100 > 0 THEN e END, 'Some One', ''
		FROM (SELECT n, 'user' || n || '@test.com' AS e FROM generate_series(1, 20000) n) made`)
	h.exec(t, "ANALYZE users")
	explain := planOf{h.pool, &strings.Builder{}}
	for _, email := range []string{"user7@test.com", "user100@test.com"} {
		if user, err := account.FindByEmail(t.Context(), h.pool, email); err != nil || user.Email != email {
			t.Errorf("%s: %+v, %v", email, user, err)
		}
		_, _ = account.FindByEmail(t.Context(), explain, email)
	}
	if plan := explain.String(); strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "users_one_email_key") {
		t.Error(plan)
	}
}

// planOf explains a query instead of running it.
type planOf struct {
	db.DBTX
	*strings.Builder
}

func (p planOf) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := p.Query(ctx, "EXPLAIN "+sql, args...)
	if err != nil {
		p.WriteString(err.Error())
		return rows
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	fmt.Fprintln(p, strings.Join(lines, "\n"), err)
	return rows
}
