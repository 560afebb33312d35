//go:build unix

package server_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// hostileDefaults sets defaults of the database that the service must not depend on,
// and a trigger on every table that refuses writes in a transaction with these
// defaults. Excepted are single statements whose effect may be lost: when a token was
// last used, and the deletion of old idempotency keys.
const hostileDefaults = `
	DO $$ DECLARE bad text; name text; BEGIN
		FOREACH bad IN ARRAY ARRAY['default_transaction_isolation TO serializable', 'default_transaction_deferrable TO on',
			'synchronous_commit TO off', 'timezone TO ''Pacific/Chatham''', 'datestyle TO ''SQL, DMY''', 'bytea_output TO escape'] LOOP
			EXECUTE format('ALTER DATABASE %I SET %s', current_database(), bad);
		END LOOP;
		CREATE FUNCTION said() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
			IF current_setting('transaction_isolation') <> 'read committed' OR current_setting('synchronous_commit') <> 'on'
				OR current_setting('statement_timeout') = '0' THEN
				RAISE EXCEPTION '% of %: %, synchronous_commit %, statement_timeout %', TG_OP, TG_TABLE_NAME, current_setting('transaction_isolation'),
					current_setting('synchronous_commit'), current_setting('statement_timeout');
			END IF;
			RETURN NULL;
		END $f$;
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations' LOOP
			EXECUTE format('CREATE TRIGGER said BEFORE %s ON %I EXECUTE FUNCTION said()', CASE name
				WHEN 'tokens' THEN 'INSERT OR DELETE' WHEN 'idempotency_keys' THEN 'INSERT OR UPDATE' ELSE 'INSERT OR UPDATE OR DELETE' END, name);
		END LOOP;
	END $$`

// hostileEnv is the service on a database with hostileDefaults.
func hostileEnv(t *testing.T) *env {
	t.Helper()
	h := newEnv(t, func(c *server.Config) {
		c.DatabaseURL = testkit.DatabaseURL(t) // for the owner
		conn, err := pgx.Connect(t.Context(), c.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.Exec(t.Context(), hostileDefaults); err != nil {
			t.Fatal(err)
		}
		if testkit.Pooled() { // its sessions, this one too, keep the defaults that they began with
			_, _ = conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
		}
	})
	if _, err := h.pool.Exec(t.Context(), "UPDATE events SET title = title"); err == nil {
		t.Fatal("the triggers refuse nothing")
	}
	return h
}

// No transaction of any package may rely on the database's defaults.
func TestEveryTransactionSetsItsIsolationAndDurability(t *testing.T) {
	t.Parallel()
	h := hostileEnv(t)
	_, organizer := h.user(access.Organizer)
	_, ann := h.user(access.Attendee)
	var bob api.LoginResult
	h.Post("/api/v1/auth/register", api.UserCreate{Email: "bob@test.com", Name: "Bob", Password: "correct horse"}).Want(http.StatusCreated).Into(&bob)
	waiting := h.As(bob.Token)

	var event api.Event
	organizer.Post("/api/v1/events", `{"title": "Concert", "time_zone": "Europe/Berlin"}`).Want(http.StatusCreated).Into(&event)
	path := "/api/v1/events/" + event.ID.String()
	organizer.Patch(path, `{"location": "Hall"}`, anyVersion).Want(http.StatusOK)
	create := slotCreate()
	create.Capacity = 1
	var slot api.Slot
	organizer.Post(path+"/slots", create).Want(http.StatusCreated).Into(&slot)
	organizer.Post(path+"/publish", nil, testkit.Header("Idempotency-Key", "publish")).Want(http.StatusOK)

	var first, second api.Booking
	book := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	ann.Post(book, `{}`, testkit.Header("Idempotency-Key", "book")).Want(http.StatusCreated).Into(&first)
	waiting.Post(book, `{"if_full": "waitlist"}`).Want(http.StatusCreated).Into(&second)
	ann.Post("/api/v1/bookings/"+first.ID.String()+"/cancel", nil).Want(http.StatusOK)
	eventually(t, "the waiting booking is promoted", func() bool {
		waiting.Get("/api/v1/bookings/" + second.ID.String()).Want(http.StatusOK).Into(&second)
		return second.Status == api.BookingStatusConfirmed
	})
	organizer.Patch("/api/v1/slots/"+slot.ID.String(), `{"capacity": 5}`, anyVersion).Want(http.StatusOK)
	waiting.Patch("/api/v1/me", `{"name": "Robert"}`).Want(http.StatusOK)
	waiting.Put("/api/v1/me/password", `{"current_password": "correct horse", "new_password": "battery staple"}`).Want(http.StatusNoContent)
	waiting.Post("/api/v1/auth/logout", nil).Want(http.StatusNoContent)
	organizer.Post(path+"/cancel", `{"reason": "Rain."}`).Want(http.StatusOK)
	eventually(t, "the bookings are cancelled", func() bool {
		organizer.Get("/api/v1/slots/" + slot.ID.String()).Want(http.StatusOK).Into(&slot)
		return slot.SeatsTaken == 0
	})
}
