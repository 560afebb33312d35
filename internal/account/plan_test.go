//go:build unix

package account_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/page"
	"eventbooking/internal/testkit"
)

// A prepared statement would get one plan for all filters after a while: one that reads all
// users for an address that nobody has.
func TestUsersAreListedWithAPlanForTheirFilter(t *testing.T) {
	t.Parallel()
	h := newEnv(t, testkit.MaxConns(1))
	for range 10 {
		_, err := h.ListUsers(t.Context(), account.UserFilter{Email: to("nobody@test.com")}, page.Ask{})
		must(t, err)
	}
	var prepared int
	must(t, h.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%UserList%' AND statement NOT LIKE '%pg_prepared%'`).Scan(&prepared))
	if prepared != 0 {
		t.Error("the list is prepared")
	}
}

// Of many users, the few with a role or an address are found by an index, also where the
// few are the oldest.
func TestFewOfManyUsersAreFoundByAnIndex(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	testkit.Exec(t, h.pool, `
		INSERT INTO users (id, email, email_key, keyed_email, name, password_hash, role)
		SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, a, a, a, 'Some One', '',
		       CASE WHEN n % 5000 = 0 THEN 'admin' WHEN n < 500 THEN 'organizer' ELSE 'attendee' END
		FROM (SELECT n, n || '@test.com' AS a FROM generate_series(1, 10000) n) u`)
	testkit.Exec(t, h.pool, `ANALYZE users`)
	q, someone := db.New(), "77@test.com"
	for name, read := range map[string]func(db.DBTX) (int, error){
		"by role": func(tx db.DBTX) (int, error) {
			rows, err := q.UserList(t.Context(), tx, db.UserListParams{Before: uuid.Max, Role: to("admin"), Page: 21})
			return len(rows) - 1, err
		},
		"the oldest, by role": func(tx db.DBTX) (int, error) {
			rows, err := q.UserList(t.Context(), tx, db.UserListParams{Before: uuid.Max, Role: to("organizer"), Page: 1})
			return len(rows), err
		},
		"by address": func(tx db.DBTX) (int, error) {
			rows, err := q.UserList(t.Context(), tx, db.UserListParams{Before: uuid.Max, Email: &someone, EmailKey: &someone, Page: 21})
			return len(rows), err
		},
		"the last administrator": func(tx db.DBTX) (int, error) {
			n, err := q.AdminsCountOthers(t.Context(), tx, uuid.Max)
			return int(n) - 1, err
		},
	} {
		cost := &testkit.Explained{DBTX: h.pool}
		if n, err := read(cost); err != nil || n != 1 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if cost.Buffers > 20 {
			t.Errorf("%s reads %d pages:\n%s", name, cost.Buffers, cost.Plans)
		}
	}
}
