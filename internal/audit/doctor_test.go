package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/audit"
	"eventbooking/internal/seed"
	"eventbooking/internal/testkit"
)

// symptoms are ways to corrupt a healthy database, and the check that must see it.
var symptoms = map[string]struct{ check, sql string }{
	"a seat too many": {"seats taken as the bookings say",
		`UPDATE slots SET seats_taken = seats_taken + 1 WHERE id = (SELECT id FROM slots WHERE seats_taken < capacity LIMIT 1)`},
	"queue too long": {"waitlist as the bookings say",
		`UPDATE slots SET waitlist_length = waitlist_length + 1 WHERE id = (SELECT id FROM slots LIMIT 1)`},
	"ready miscounted": {"waitlist as the bookings say",
		`UPDATE slots SET waitlist_ready = waitlist_ready - 1 WHERE id = (SELECT id FROM slots WHERE waitlist_ready > 0 LIMIT 1)`},
	"oversold": {"no oversell",
		`UPDATE slots SET capacity = seats_taken - 1 WHERE id = (SELECT id FROM slots WHERE seats_taken > 1 LIMIT 1)`},
	"oversold, and counted wrongly": {"no oversell",
		`UPDATE bookings SET seats = seats + 1000 WHERE id = (SELECT id FROM bookings WHERE status = 'confirmed' LIMIT 1)`},
	"booked twice": {"one live booking per user and slot", copyOf(`status = 'confirmed'`)},
	"in two slots at once": {"no overlap", `
		UPDATE bookings b SET during = o.during
		FROM (SELECT id, user_id, during FROM bookings WHERE status = 'confirmed' ORDER BY id LIMIT 1) o
		WHERE b.user_id = o.user_id AND b.id <> o.id AND b.status = 'confirmed'`},
	"at another time": {"bookings at their slots' times",
		`UPDATE bookings SET during = tstzrange(lower(during), upper(during) + interval '1 minute') WHERE id = (SELECT id FROM bookings LIMIT 1)`},
	"of no slot": {"bookings at their slots' times",
		`DELETE FROM slots WHERE id = (SELECT slot_id FROM bookings LIMIT 1)`},
	"an event too long": {"events span their slots",
		`UPDATE events SET ends_at = ends_at + interval '1 minute' WHERE id = (SELECT id FROM events LIMIT 1)`},
	"an event that knows nothing of its slots": {"events span their slots",
		`UPDATE events SET starts_at = NULL, ends_at = NULL WHERE id = (SELECT id FROM events LIMIT 1)`},
	"a lost entry": {"versions without gaps",
		`DELETE FROM ledger WHERE (slot_id, version) IN (SELECT id, version - 1 FROM slots WHERE version > 3 LIMIT 1)`},
	"no ledger at all": {"versions without gaps",
		`DELETE FROM ledger WHERE slot_id = (SELECT id FROM slots WHERE version > 3 LIMIT 1)`},
	"a slot ahead of its ledger": {"versions without gaps",
		`UPDATE slots SET version = version + 1 WHERE id = (SELECT id FROM slots LIMIT 1)`},
	"a deleted slot with attendees": {"versions without gaps",
		`DELETE FROM slots WHERE id = (SELECT id FROM slots WHERE seats_taken > 0 LIMIT 1)`},
	"a wrong counter": {"counters follow from entry to entry",
		`UPDATE ledger SET seats_taken = seats_taken + 1 WHERE (slot_id, version) IN (SELECT id, version - 1 FROM slots WHERE version > 3 LIMIT 1)`},
	"a wrong queue": {"counters follow from entry to entry",
		`UPDATE ledger SET waitlist_length = waitlist_length + 1 WHERE (slot_id, version) IN (SELECT id, version - 1 FROM slots WHERE version > 3 LIMIT 1)`},
	"a capacity that nobody changed": {"counters follow from entry to entry",
		`UPDATE ledger SET capacity = capacity + 1 WHERE kind = 'confirmed' AND (slot_id, version) IN (SELECT id, version - 1 FROM slots WHERE version > 3)`},
	"a slot unlike its last entry": {"slots as their last entries say",
		`UPDATE slots SET capacity = capacity + 1 WHERE id = (SELECT id FROM slots LIMIT 1)`},
	"a booking unlike its last entry": {"bookings as their last entries say",
		`UPDATE bookings SET status = 'expired' WHERE id = (SELECT id FROM bookings WHERE status = 'cancelled' LIMIT 1)`},
	"a booking of somebody else": {"bookings as their last entries say",
		`UPDATE bookings SET user_id = (SELECT id FROM users WHERE email = 'admin@test.com') WHERE id = (SELECT id FROM bookings WHERE status = 'cancelled' LIMIT 1)`},
	"a booking behind its ledger": {"bookings as their last entries say",
		`UPDATE bookings SET version = version - 1 WHERE id = (SELECT id FROM bookings WHERE version > 2 LIMIT 1)`},
	"a booking without an entry": {"bookings as their last entries say", copyOf(`status = 'cancelled'`)},
	"an entry without a booking": {"bookings as their last entries say",
		`DELETE FROM bookings WHERE id = (SELECT id FROM bookings WHERE status = 'cancelled' LIMIT 1)`},
	"a life after the end": {"bookings live as they may",
		`UPDATE ledger SET status = 'cancelled' WHERE kind = 'waitlisted'`},
	"an offer from nowhere": {"bookings live as they may",
		`UPDATE ledger SET status = 'offered' WHERE (slot_id, version) IN (SELECT slot_id, version FROM ledger WHERE kind = 'confirmed' LIMIT 1)`},
	"a wrong position": {"queues as the ledger says",
		`UPDATE bookings SET queued_version = queued_version + 1000 WHERE id = (SELECT id FROM bookings WHERE status = 'waitlisted' LIMIT 1)`},
	"two at the same place": {"queues as the ledger says", `
		UPDATE bookings b SET queued_version = o.place
		FROM (SELECT slot_id, min(queued_version) AS place FROM bookings WHERE status = 'waitlisted' GROUP BY slot_id) o
		WHERE b.status = 'waitlisted' AND b.slot_id = o.slot_id`},
	"forgotten passes": {"queues as the ledger says",
		`UPDATE bookings SET passes = passes + 1 WHERE id = (SELECT id FROM bookings WHERE status = 'waitlisted' LIMIT 1)`},
	"blocked by nobody": {"queues as the ledger says",
		`UPDATE bookings SET blocked = 'capacity' WHERE id = (SELECT id FROM bookings WHERE status = 'waitlisted' AND blocked IS NULL LIMIT 1)`},
	// The promoted booking and one that waits behind it swap positions.
	"a jump": {"no queue jumping", `
		WITH pair AS (
			SELECT p.slot_id, p.version, w.booking_id, w.user_id
			FROM ledger p
			JOIN ledger q ON q.slot_id = p.slot_id AND q.booking_id = p.booking_id AND q.kind = 'waitlisted'
			JOIN ledger w ON w.slot_id = p.slot_id AND w.kind = 'waitlisted' AND w.version > q.version AND w.version < p.version
			WHERE p.kind = 'promoted' AND p.waitlist_length > 0
			  AND NOT EXISTS (SELECT FROM ledger o WHERE o.booking_id = w.booking_id AND o.slot_id = w.slot_id AND o.version > w.version)
			LIMIT 1)
		UPDATE ledger l SET booking_id = pair.booking_id, user_id = pair.user_id
		FROM pair WHERE l.slot_id = pair.slot_id AND l.version = pair.version`},
	"a newcomer ahead of the queue": {"no queue jumping",
		`UPDATE ledger SET version = version + 100000 WHERE kind = 'confirmed' AND slot_id IN (SELECT id FROM slots WHERE waitlist_ready > 0);
		 UPDATE ledger SET waitlist_length = 1 WHERE version > 100000`},
	"a pass that nobody noted": {"no queue jumping", `DELETE FROM ledger WHERE kind = 'passed'`},
	"a pass of one that would have fitted": {"no queue jumping",
		`UPDATE ledger SET seats = 1 WHERE booking_id IN (SELECT booking_id FROM ledger WHERE kind = 'passed')`},
	"an idle seat": {"nobody waits who could be served",
		`UPDATE slots SET capacity = capacity + 10 WHERE waitlist_ready > 0 AND starts_at > now()`},
	"a blocker that does not take seats": {"blocked waiters are hindered",
		`UPDATE bookings SET status = 'cancelled', updated_at = now() - interval '1 hour' WHERE id IN (SELECT blocked_by FROM bookings WHERE blocked = 'overlap')`},
	"a blocker at another time": {"blocked waiters are hindered", `
		UPDATE slots SET updated_at = now() - interval '1 hour';
		UPDATE bookings SET during = tstzrange(lower(during) - interval '1 year', upper(during) - interval '1 year')
		WHERE id IN (SELECT blocked_by FROM bookings WHERE blocked = 'overlap')`},
	"somebody else's blocker": {"blocked waiters are hindered",
		`UPDATE bookings SET user_id = (SELECT id FROM users WHERE email = 'admin@test.com') WHERE id IN (SELECT blocked_by FROM bookings WHERE blocked = 'overlap')`},
	"blocked by what it would give back": {"blocked waiters are hindered", `
		UPDATE slots SET updated_at = now() - interval '1 hour';
		UPDATE events SET updated_at = now() - interval '1 hour';
		UPDATE bookings SET updated_at = now() - interval '1 hour';
		UPDATE bookings SET replaces_booking_id = blocked_by WHERE blocked = 'overlap'`},
	"blocked by a capacity that is enough": {"blocked waiters are hindered", `
		UPDATE slots SET updated_at = now() - interval '1 hour';
		UPDATE bookings SET blocked = 'capacity', blocked_by = NULL WHERE blocked = 'overlap'`},
	"a cause that is not there": {"causes come before",
		`UPDATE ledger SET cause_version = 99999 WHERE (slot_id, version) IN (SELECT slot_id, version FROM ledger WHERE cause_version IS NOT NULL LIMIT 1)`},
	"a cause that came later": {"causes come before",
		`UPDATE ledger SET cause_version = version WHERE (slot_id, version) IN (SELECT slot_id, version FROM ledger WHERE cause_slot_id = slot_id LIMIT 1)`},
	"a promotion without a cause": {"promotions and answers have causes",
		`UPDATE ledger SET cause_slot_id = NULL, cause_version = NULL WHERE (slot_id, version) IN (SELECT slot_id, version FROM ledger WHERE kind = 'promoted' LIMIT 1)`},
	"a hold without an end": {"deadlines before the start",
		`UPDATE bookings SET expires_at = NULL WHERE status = 'held'`},
	"an offer that outlasts the start": {"deadlines before the start",
		`UPDATE bookings SET expires_at = lower(during) + interval '1 second' WHERE id = (SELECT id FROM bookings WHERE status = 'offered' LIMIT 1)`},
	"a hold that outlasts the start": {"deadlines before the start",
		`UPDATE bookings SET expires_at = lower(during) + interval '1 second' WHERE status = 'held'`},
	"too many seats held": {"held seats are bounded",
		`UPDATE bookings SET seats = 21 WHERE status = 'held'`},
	"a booking too large for its event": {"seats within the limits of the event", `
		UPDATE bookings SET seats = 11
		WHERE id = (SELECT id FROM bookings WHERE status = 'confirmed' AND moved_from IS NULL ORDER BY id LIMIT 1)`},
	"too many seats of an event for a user": {"seats within the limits of the event", `
		UPDATE bookings b SET seats = b.seats + 1
		FROM slots s JOIN events e ON e.id = s.event_id
		WHERE s.id = b.slot_id AND e.max_seats_per_user IS NOT NULL AND b.seats = 2`},
	"an edit of a booking that edits the slot": {"counters follow from entry to entry", `
		UPDATE ledger SET kind = 'edited', capacity = capacity + 1
		WHERE (slot_id, version) IN (SELECT slot_id, version FROM ledger WHERE kind = 'checked_in' LIMIT 1)`},
	"accepted without an offer": {"bookings live as they may",
		`UPDATE ledger SET kind = 'accepted' WHERE kind = 'promoted'`},
	"moved while it waits": {"bookings live as they may",
		`UPDATE ledger SET status = 'waitlisted' WHERE booking_id IN (SELECT booking_id FROM ledger WHERE kind = 'moved') AND kind = 'confirmed'`},
	"resized into another status": {"bookings live as they may",
		`UPDATE ledger SET status = 'offered' WHERE kind = 'resized'`},
	"an answer to nothing": {"promotions and answers have causes",
		`UPDATE ledger SET cause_version = cause_version - 1 WHERE kind = 'accepted'`},
	"a decline by itself": {"promotions and answers have causes",
		`UPDATE ledger SET cause_slot_id = NULL, cause_version = NULL WHERE kind = 'declined'`},
	"a hold confirmed out of the blue": {"promotions and answers have causes", `
		UPDATE ledger l SET cause_version = 1 FROM ledger h
		WHERE h.kind = 'held' AND l.booking_id = h.booking_id AND l.kind = 'confirmed'`},
	"seats from nowhere": {"seats as asked for", `
		UPDATE ledger SET seats = seats + 1
		WHERE (slot_id, version) IN (SELECT slot_id, version FROM ledger WHERE kind = 'checked_in' LIMIT 1)`},
	"more seats than waited for": {"seats as asked for",
		`UPDATE ledger SET seats = seats + 1 WHERE kind = 'promoted'`},
	"fewer seats than seats_min": {"seats as asked for", withFewer(`UPDATE bookings SET seats_min = 3 WHERE id IN (SELECT id FROM with_fewer)`)},
	"fewer seats than agreed to": {"seats as asked for", withFewer(`UPDATE bookings SET seats_min = NULL WHERE id IN (SELECT id FROM with_fewer)`)},
	"fewer seats than were free": {"seats as asked for", withFewer(`
		UPDATE ledger SET capacity = capacity + 1 WHERE kind = 'promoted' AND booking_id IN (SELECT id FROM with_fewer)`)},
	"a hold that grew": {"seats as asked for", `
		UPDATE ledger SET kind = 'resized', status = 'held', seats = seats + 1
		WHERE kind = 'expired' AND booking_id IN (SELECT booking_id FROM ledger WHERE kind = 'held')`},
	"a seats_min above the seats": {"seats as asked for",
		`UPDATE bookings SET seats_min = seats + 1 WHERE id = (SELECT id FROM bookings WHERE status = 'confirmed' LIMIT 1)`},
	"a replaced booking that stays": {"replacements", `
		UPDATE bookings SET replaced_by = (SELECT id FROM bookings WHERE status = 'confirmed' LIMIT 1)
		WHERE id = (SELECT id FROM bookings WHERE status = 'waitlisted' LIMIT 1)`},
	"replaced by nothing": {"replacements",
		`UPDATE bookings SET replaced_by = gen_random_uuid() WHERE replaced_by IS NOT NULL`},
	"replaced by somebody else": {"replacements", `
		UPDATE bookings SET user_id = (SELECT id FROM users WHERE email = 'admin@test.com')
		WHERE id IN (SELECT replaced_by FROM bookings)`},
	"replaced by another booking": {"replacements", `
		UPDATE bookings b SET replaced_by = o.id FROM bookings o
		WHERE b.replaced_by IS NOT NULL AND o.user_id = b.user_id AND o.id NOT IN (b.id, b.replaced_by)`},
	"moved from nowhere": {"moves",
		`UPDATE bookings SET moved_from = gen_random_uuid() WHERE moved_from IS NOT NULL`},
	"moved to nowhere": {"moves",
		`UPDATE bookings SET moved_from = NULL WHERE moved_from IS NOT NULL`},
	"moved to somebody else": {"moves", `
		UPDATE bookings SET user_id = (SELECT id FROM users WHERE email = 'admin@test.com') WHERE moved_from IS NOT NULL`},
	"moved, but not cancelled": {"moves", `
		UPDATE bookings SET status = 'confirmed' WHERE id IN (SELECT moved_from FROM bookings)`},
	"moved, but not by a move": {"moves",
		`UPDATE ledger SET kind = 'cancelled' WHERE kind = 'moved'`},
	"moved into another event": {"moves", `
		UPDATE slots SET event_id = (SELECT id FROM events WHERE title = 'Chamber concert')
		WHERE id IN (SELECT slot_id FROM bookings WHERE moved_from IS NOT NULL)`},
	"moved for no reason": {"moves", `
		UPDATE ledger SET cause_slot_id = NULL, cause_version = NULL
		WHERE kind = 'confirmed' AND booking_id IN (SELECT id FROM bookings WHERE moved_from IS NOT NULL)`},
	"checked in by nobody": {"check-ins",
		`UPDATE bookings SET checked_in_at = now() WHERE id = (SELECT id FROM bookings WHERE status = 'confirmed' AND checked_in_at IS NULL LIMIT 1)`},
	"checked in, then not": {"check-ins",
		`UPDATE bookings SET checked_in_at = NULL WHERE checked_in_at IS NOT NULL`},
	"checked in, and undone": {"check-ins", `
		UPDATE bookings b SET checked_in_at = l.at FROM ledger l
		WHERE l.kind = 'checked_in' AND l.booking_id = b.id AND b.id IN (SELECT booking_id FROM ledger WHERE kind = 'check_in_undone')`},
	"at the old position": {"queues as the ledger says", `
		UPDATE ledger SET kind = 'resized', seats = seats + 1 WHERE (slot_id, version) IN (
			SELECT p.slot_id, p.version FROM ledger p
			JOIN bookings b ON b.id = p.booking_id AND b.status = 'waitlisted' AND b.blocked IS NULL AND b.passes > 0
			WHERE p.kind = 'passed')`},
	"more seats past the queue": {"no queue jumping", `
		INSERT INTO ledger SELECT DISTINCT ON (slot_id) slot_id, s.version + 1, 'resized', booking_id, user_id, seats + 1, l.status, l.capacity, l.seats_taken, s.waitlist_length,
			NULL, actor, NULL, NULL, NULL, at
		FROM ledger l JOIN slots s ON s.id = l.slot_id AND s.waitlist_ready > 0 WHERE l.kind = 'confirmed'`},
	"an entry by nobody": {"actors in their roles",
		`UPDATE ledger SET actor_id = NULL WHERE kind = 'checked_in'`},
	"a system with a name": {"actors in their roles",
		`UPDATE ledger SET actor_id = gen_random_uuid() WHERE kind = 'promoted'`},
	"promoted by the organizer": {"actors in their roles",
		`UPDATE ledger SET actor = 'organizer', actor_id = gen_random_uuid() WHERE kind = 'promoted'`},
	"an attendee who acts for others": {"actors in their roles",
		`UPDATE ledger SET actor_id = gen_random_uuid() WHERE actor = 'attendee'`},
	"an organizer of another event": {"actors in their roles",
		`UPDATE ledger SET actor_id = gen_random_uuid() WHERE actor = 'organizer'`},
	"cancelled after the end": {"final bookings stay", `
		UPDATE slots s SET starts_at = l.at - interval '2 hours', ends_at = l.at - interval '1 hour'
		FROM ledger l WHERE l.slot_id = s.id AND l.kind = 'moved'`},
	"cancelled after the check-in": {"final bookings stay", `
		INSERT INTO ledger SELECT DISTINCT ON (slot_id) slot_id, version + 100000, 'cancelled', booking_id, user_id, seats, 'cancelled', capacity, seats_taken, waitlist_length,
			NULL, 'organizer', NULL, NULL, NULL, now()
		FROM ledger WHERE kind = 'checked_in';
		UPDATE slots SET starts_at = now() - interval '1 hour', ends_at = now() + interval '1 hour'`},
	"a refusal that was kept":          {"idempotency keys", storedAnswer(409, "0")},
	"an answer from the future":        {"idempotency keys", storedAnswer(201, "1 hour")},
	"an answer that was never deleted": {"idempotency keys", storedAnswer(201, "-3 days")},
	"an overdue hold": {"nothing overdue",
		`UPDATE bookings SET expires_at = now() - interval '1 hour' WHERE status = 'held'`},
	"waiting for the past": {"nothing overdue",
		`UPDATE bookings SET during = tstzrange(now() - interval '1 hour', now()) WHERE id = (SELECT id FROM bookings WHERE status = 'waitlisted' LIMIT 1)`},
	"a forgotten promotion": {"nothing left undone",
		`UPDATE slots SET promotion_due_at = now() - interval '1 hour' WHERE id = (SELECT id FROM slots LIMIT 1)`},
	"a cancelled event with attendees": {"nothing left undone", `
		UPDATE slots SET updated_at = now() - interval '1 hour';
		UPDATE events SET status = 'cancelled', cancelled_at = now(), updated_at = now() - interval '1 hour' WHERE title = 'Chamber concert'`},
	"an open slot of a cancelled event": {"nothing left undone", `
		UPDATE slots SET updated_at = now() - interval '1 hour', seats_taken = 0, waitlist_length = 0, status = 'open';
		UPDATE events SET status = 'cancelled', cancelled_at = now(), updated_at = now() - interval '1 hour' WHERE title = 'Chamber concert'`},
	"an attendee who was deleted": {"nothing left undone", `
		UPDATE users SET deleted_at = now() - interval '1 hour'
		WHERE id = (SELECT user_id FROM bookings WHERE status = 'confirmed' AND lower(during) > now() LIMIT 1)`},
	"a busy head that nobody blocks": {"no queue held up", `
		UPDATE slots SET capacity = seats_taken + 1, promotion_due_at = NULL WHERE waitlist_ready > 0;
		INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, created_at, updated_at)
		SELECT gen_random_uuid(), gen_random_uuid(), user_id, during, 1, 'confirmed', 1, now(), now() - interval '1 hour'
		FROM bookings WHERE status = 'waitlisted' AND blocked IS NULL`},
}

// withFewer is a statement about the bookings that were promoted with fewer seats.
func withFewer(statement string) string {
	return `WITH with_fewer AS (
			SELECT p.booking_id AS id FROM ledger p
			JOIN ledger w ON w.booking_id = p.booking_id AND w.kind = 'waitlisted' AND w.seats > p.seats
			WHERE p.kind = 'promoted' AND NOT EXISTS (SELECT FROM ledger r WHERE r.booking_id = p.booking_id AND r.kind = 'resized'))
		` + statement
}

// copyOf copies a booking that meets a condition.
func copyOf(condition string) string {
	return `INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, created_at, updated_at)
		SELECT gen_random_uuid(), slot_id, user_id, during, seats, status, version, created_at, updated_at FROM bookings WHERE ` + condition + ` LIMIT 1`
}

func storedAnswer(status int, age string) string {
	return fmt.Sprintf(`INSERT INTO idempotency_keys (user_id, key, fingerprint, status, header, body, created_at)
		SELECT id, 'k', decode(repeat('00', 32), 'hex'), %d, '{}', '', now() + interval '%s' FROM users LIMIT 1`, status, age)
}

// The symptoms share one database, which is healed in between. Constraints and
// triggers, which would refuse them, are dropped.
func TestDoctorFindsEachSymptom(t *testing.T) {
	testkit.SkipIfShort(t, "it corrupts and heals a database a hundred times")
	t.Parallel()
	ctx := context.Background()
	pool := testkit.Database(t)
	if _, err := seed.Run(ctx, pool, seed.Options{Number: 7}); err != nil {
		t.Fatal(err)
	}
	if findings := diagnose(t, pool); len(findings) > 0 {
		t.Fatalf("a healthy database has %v", findings)
	}
	script(t, pool, disarm)
	for name, symptom := range symptoms {
		t.Run(name, func(t *testing.T) {
			script(t, pool, "SET session_replication_role = replica;"+symptom.sql)
			findings := diagnose(t, pool)
			script(t, pool, heal)
			if !slices.ContainsFunc(findings, func(f audit.Finding) bool { return f.Check == symptom.check }) {
				t.Errorf("%q found nothing; all findings: %v", symptom.check, findings)
			}
		})
	}
	if findings := diagnose(t, pool); len(findings) > 0 {
		t.Fatalf("the healed database has %v", findings)
	}
}

// disarm drops what refuses corruption, and keeps a copy of the healthy rows.
const disarm = `
	DO $$ DECLARE statement text; BEGIN
		FOR statement IN
			SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
			WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'c', 'x') ORDER BY contype <> 'f'
		LOOP EXECUTE statement; END LOOP;
	END $$;
	DROP INDEX bookings_one_live, bookings_queue;
	CREATE SCHEMA healthy;
	CREATE TABLE healthy.users AS SELECT * FROM users;
	CREATE TABLE healthy.events AS SELECT * FROM events;
	CREATE TABLE healthy.slots AS SELECT * FROM slots;
	CREATE TABLE healthy.bookings AS SELECT * FROM bookings;
	CREATE TABLE healthy.ledger AS SELECT * FROM ledger;`

// heal restores the healthy rows. Generated columns cannot be written.
const heal = `
	SET session_replication_role = replica;
	DELETE FROM idempotency_keys;
	UPDATE users u SET deleted_at = h.deleted_at FROM healthy.users h WHERE h.id = u.id;
	UPDATE events e SET (status, cancelled_at, updated_at, starts_at, ends_at)
		= (h.status, h.cancelled_at, h.updated_at, h.starts_at, h.ends_at) FROM healthy.events h WHERE h.id = e.id;
	DELETE FROM slots;
	INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, status, revision, version, seats_taken,
			waitlist_length, waitlist_ready, freed_version, promotion_due_at, cancelled_at, created_at, updated_at)
		SELECT id, event_id, starts_at, ends_at, capacity, status, revision, version, seats_taken,
			waitlist_length, waitlist_ready, freed_version, promotion_due_at, cancelled_at, created_at, updated_at FROM healthy.slots;
	DELETE FROM bookings;
	INSERT INTO bookings SELECT * FROM healthy.bookings;
	DELETE FROM ledger;
	INSERT INTO ledger SELECT * FROM healthy.ledger;`

// diagnose runs the doctor, with pages that are so small that the rows of the sample data
// are on many of them.
func diagnose(t *testing.T, pool *pgxpool.Pool) []audit.Finding {
	t.Helper()
	var last audit.Progress
	findings, err := audit.DoctorInPages(context.Background(), pool, func(p audit.Progress) {
		switch {
		case p.Page == 0 && (p.Number != last.Number+1 || last.Page != last.Pages),
			p.Page > 0 && (p.Number != last.Number || p.Check != last.Check || p.Page != last.Page+1 || p.Page > p.Pages):
			t.Errorf("after %+v came %+v", last, p)
		}
		last = p
	}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if last.Number != last.Checks || last.Page != last.Pages || last.Pages < 2 {
		t.Errorf("the last progress was %+v", last)
	}
	return findings
}

// script runs statements in one session.
func script(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	conn, err := pool.Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(context.Background(), sql+"; RESET session_replication_role"); err != nil {
		t.Fatal(err)
	}
}

func TestEveryCheckHasASymptom(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, s := range symptoms {
		tried[s.check] = true
	}
	_, err := audit.Doctor(context.Background(), testkit.Database(t), func(p audit.Progress) {
		if p.Page == 0 && !tried[p.Check] {
			t.Errorf("no symptom is for %q", p.Check)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDoctorReportsAtMostAPageOfEachCheck(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pool := testkit.Database(t)
	if _, err := seed.Run(ctx, pool, seed.Options{Number: 8}); err != nil {
		t.Fatal(err)
	}
	script(t, pool, "SET session_replication_role = replica; UPDATE ledger SET cause_slot_id = slot_id, cause_version = version")
	findings := diagnose(t, pool)
	count := 0
	for _, f := range findings {
		if f.Check == "causes come before" {
			count++
			if text := f.String(); !strings.Contains(text, f.SlotID.String()) || !strings.Contains(text, "came later") {
				t.Errorf("the finding reads %q", text)
			}
		}
	}
	if count != 20 {
		t.Errorf("%d findings of one check, want 20", count)
	}
}

func TestDoctorFailsIfItCannotCheck(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := audit.Doctor(ctx, testkit.Database(t), nil); err == nil {
		t.Error("no error")
	}
	pool := testkit.Database(t)
	script(t, pool, "ALTER TABLE bookings RENAME TO elsewhere")
	if _, err := audit.Doctor(context.Background(), pool, nil); err == nil || !strings.Contains(err.Error(), "no oversell") {
		t.Errorf("got %v, want the check that failed", err)
	}
}
