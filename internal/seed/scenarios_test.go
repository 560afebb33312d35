package seed_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/seed"
	"eventbooking/internal/testkit"
)

// fixture is a seeded database with the steps of a scenario.
type fixture struct {
	t     *testing.T
	pool  *pgxpool.Pool
	desk  *desk.Desk
	steps []seed.Step
}

// newFixture seeds a database, on which the doctor runs after the test. With -short
// only two scenarios are tested.
func newFixture(t *testing.T, scenario string) *fixture {
	t.Helper()
	if scenario != seed.FullSlot && scenario != seed.BusyUser {
		testkit.SkipIfShort(t, "it seeds a database for each scenario")
	}
	pool := testkit.Database(t)
	report := run(t, pool, seed.Options{Number: 11})
	s := &fixture{t, pool, testkit.Desk(t, pool), report.Scenario(scenario).Steps}
	t.Cleanup(func() { testkit.Sound(t, pool) })
	return s
}

// book books seats of a step's slot for the step's user.
func (s *fixture) book(step seed.Step, seats int, ifFull seating.IfFull) (seating.Booking, error) {
	s.t.Helper()
	outcome, err := s.desk.Do(context.Background(), desk.Submission{Command: seating.Book{
		BookingID: testkit.ID(), SlotID: idIn(step), UserID: s.user(step.Email), Seats: seats, IfFull: ifFull,
		By: seating.Actor{Role: seating.ActorAttendee, ID: s.user(step.Email)},
	}})
	return outcome.Result.Booking, err
}

// cancel cancels a step's booking and promotes in its slot.
func (s *fixture) cancel(step seed.Step) {
	s.t.Helper()
	b := s.booking(step)
	s.do(seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}})
	s.do(seating.Promote{SlotID: b.SlotID})
}

func (s *fixture) do(c seating.Command) seating.Result {
	s.t.Helper()
	outcome, err := s.desk.Do(context.Background(), desk.Submission{Command: c})
	if err != nil {
		s.t.Fatal(err)
	}
	return outcome.Result
}

func (s *fixture) user(email string) (id uuid.UUID) {
	s.t.Helper()
	if err := s.pool.QueryRow(context.Background(), "SELECT id FROM users WHERE email = $1", email).Scan(&id); err != nil {
		s.t.Fatal(email, err)
	}
	return id
}

func (s *fixture) booking(step seed.Step) db.Booking { return s.bookings("id = $1", idIn(step))[0] }

func (s *fixture) bookings(condition string, args ...any) []db.Booking {
	return rows[db.Booking](s, "SELECT * FROM bookings WHERE "+condition+" ORDER BY id", args...)
}

// first returns the head of a slot's queue.
func (s *fixture) first(slotID uuid.UUID) db.Booking {
	const head = "(slot_id, queued_version) = (SELECT slot_id, min(queued_version) FROM bookings WHERE slot_id = $1 AND status = 'waitlisted' GROUP BY slot_id)"
	return s.bookings(head, slotID)[0]
}

func (s *fixture) slots(condition string, args ...any) []db.Slot {
	return rows[db.Slot](s, "SELECT * FROM slots WHERE "+condition+" ORDER BY starts_at, id", args...)
}

func (s *fixture) ledger(condition string, args ...any) []db.Ledger {
	return rows[db.Ledger](s, "SELECT * FROM ledger WHERE "+condition+" ORDER BY slot_id, version", args...)
}

// status returns the status of a step's booking, which must be the step's user's.
func (s *fixture) status(step seed.Step) string {
	s.t.Helper()
	b := s.booking(step)
	if b.UserID != s.user(step.Email) {
		s.t.Errorf("booking %s does not belong to %s", b.ID, step.Email)
	}
	return b.Status
}

func (s *fixture) expect(what string, got, want any) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func rows[T any](s *fixture, sql string, args ...any) []T {
	s.t.Helper()
	found, err := s.pool.Query(context.Background(), sql, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	list, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	if err != nil || len(list) == 0 {
		s.t.Fatalf("%s %v: %d rows, %v", sql, args, len(list), err)
	}
	return list
}

func TestFullSlotScenarioFillsOneEveningAndItsWaitlist(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.FullSlot)
	slot := s.slots("id = $1", idIn(s.steps[0]))[0]
	s.expect("capacity", slot.Capacity, int32(50))
	s.expect("seats taken", slot.SeatsTaken, int32(50))
	s.expect("waitlist", slot.WaitlistLength, int32(4))
	s.expect("version", slot.Version, int64(57))
	busy := s.bookings("slot_id = $1 AND user_id = $2", slot.ID, s.user("busy@test.com"))[0]
	s.expect("ahead of busy", len(s.bookings("slot_id = $1 AND queued_version < $2 AND status = 'waitlisted'", slot.ID, *busy.QueuedVersion)), 2)

	_, err := s.book(s.steps[0], 1, seating.Reject)
	s.expect("reject is slot_full", errors.Is(err, fault.SlotFull), true)
	waits, err := s.book(s.steps[1], 1, seating.Wait)
	s.expect("error", err, nil)
	s.expect("wait", waits.Status, seating.Waitlisted)
	s.cancel(s.steps[2])
	s.expect("first in the queue", s.status(s.steps[3]), "confirmed")
	evening, err := s.book(s.steps[4], 1, seating.Reject)
	s.expect("error", err, nil)
	s.expect("the second evening", evening.Status, seating.Confirmed)
	s.expect("its seats", s.slots("id = $1", idIn(s.steps[4]))[0].SeatsTaken, int32(13))
}

func TestMixedAvailabilityScenarioHasASlotOfEachKind(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.MixedAvailability)
	var free, waiting []int32
	var statuses []string
	for _, slot := range s.slots("event_id = $1", idIn(s.steps[0])) {
		free, waiting = append(free, slot.Capacity-slot.SeatsTaken), append(waiting, slot.WaitlistLength)
		statuses = append(statuses, slot.Status)
	}
	if !slices.Equal(free, []int32{8, 4, 1, 0, 5, 8}) || !slices.Equal(waiting, []int32{0, 0, 0, 3, 0, 0}) {
		t.Errorf("free seats %v, waiting %v", free, waiting)
	}
	if !slices.Equal(statuses, []string{"open", "open", "open", "open", "closed", "cancelled"}) {
		t.Errorf("statuses %v", statuses)
	}
	_, err := s.book(s.steps[1], 2, seating.Reject)
	s.expect("two seats of one", errors.Is(err, fault.SlotFull), true)
	_, err = s.book(s.steps[2], 1, seating.Reject)
	s.expect("a closed slot", errors.Is(err, fault.BookingClosed), true)
}

func TestCancellationChainScenarioLinksThreePromotions(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.CancellationChain)
	slotID := idIn(s.steps[2])
	ledger := s.ledger("slot_id = $1", slotID)
	links := 0
	for i, e := range ledger {
		if e.Kind != "promoted" {
			continue
		}
		links++
		cause := ledger[*e.CauseVersion-1]
		s.expect("the cause", cause.Kind, "cancelled")
		s.expect("the cause is just before", cause.Version, ledger[i-1].Version)
		if next := i + 1; next < len(ledger) {
			s.expect("whoever was promoted cancels next", *ledger[next].BookingID, *e.BookingID)
		}
	}
	s.expect("links", links, 3)
	s.expect("the last promoted", s.status(s.steps[0]), "confirmed")
	first := s.first(slotID)
	s.cancel(s.steps[3])
	s.expect("the next link", s.bookings("id = $1", first.ID)[0].Status, "confirmed")
}

func TestBusyUserScenarioHasABookingInEveryStatus(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.BusyUser)
	seen := map[string]bool{}
	for _, b := range s.bookings("user_id = $1", s.user("busy@test.com")) {
		seen[b.Status] = true
		if b.During.Upper.Time.Before(time.Now()) {
			seen["past "+b.Status] = true
		}
		if b.ExpiresAt != nil && time.Until(*b.ExpiresAt) < 23*time.Hour {
			t.Errorf("the %s booking ends at %s, too soon to be seen", b.Status, b.ExpiresAt)
		}
	}
	for _, status := range []string{"waitlisted", "held", "offered", "confirmed", "cancelled", "expired",
		"past confirmed", "past cancelled", "past expired"} {
		if !seen[status] {
			t.Errorf("no %s booking", status)
		}
	}
	for _, step := range s.steps[1:] {
		s.expect("the report says", step.Shows[:len(s.status(step))], s.status(step))
	}
}

func TestOverlappingTimesScenarioBlocksAWaitingBooking(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.OverlappingTimes)
	_, err := s.book(s.steps[0], 1, seating.Reject)
	s.expect("booking_overlap", errors.Is(err, fault.BookingOverlap), true)
	named := fault.Of(err).Members.BookingIDs
	if !slices.Equal(named, []uuid.UUID{idIn(s.steps[1])}) {
		t.Errorf("named %v, want %s", named, idIn(s.steps[1]))
	}
	blocked, next := s.booking(s.steps[2]), s.booking(s.steps[3])
	s.expect("the blocked one waits", blocked.Status, "waitlisted")
	s.expect("because of an overlap", *blocked.Blocked, "overlap")
	s.expect("the next one", next.Status, "confirmed")
	s.expect("stood behind", *next.QueuedVersion > *blocked.QueuedVersion, true)

	// When the blocker is cancelled, the blocked booking is ready at its old position.
	blocker := s.bookings("id = $1", *blocked.BlockedBy)[0]
	s.do(seating.Cancel{SlotID: blocker.SlotID, BookingID: blocker.ID, UserID: blocker.UserID, By: seating.System("test")})
	s.do(seating.Promote{SlotID: blocked.SlotID})
	s.expect("unblocked", s.booking(s.steps[2]).Blocked == nil, true)
}

func TestKeepAndUpgradeScenarioReplacesTheKeptBooking(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.KeepAndUpgrade)
	upgraded, next, waiting := s.booking(s.steps[0]), s.booking(s.steps[1]), s.booking(s.steps[2])
	s.expect("upgraded", upgraded.Status, "confirmed")
	s.expect("given back", s.bookings("id = $1", *upgraded.ReplacesBookingID)[0].Status, "cancelled")
	s.expect("next", next.Status, "confirmed")
	promotion := s.ledger("booking_id = $1 AND kind = 'promoted'", next.ID)[0]
	freed := s.ledger("slot_id = $1 AND version = $2", *promotion.CauseSlotID, *promotion.CauseVersion)[0]
	s.expect("its cause", *freed.BookingID, *upgraded.ReplacesBookingID)
	s.expect("and the cause of that, in the other slot", *freed.CauseSlotID, upgraded.SlotID)

	s.expect("the other waits", waiting.Status, "waitlisted")
	kept := *waiting.ReplacesBookingID
	s.expect("and keeps", s.bookings("id = $1", kept)[0].Status, "confirmed")
	b := s.booking(s.steps[3])
	s.do(seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.System("test")})
	s.do(seating.Promote{SlotID: b.SlotID, Also: []uuid.UUID{s.bookings("id = $1", kept)[0].SlotID}})
	s.expect("upgraded too", s.booking(s.steps[2]).Status, "confirmed")
	s.expect("given back too", s.bookings("id = $1", kept)[0].Status, "cancelled")
	s.do(seating.Promote{SlotID: s.bookings("id = $1", kept)[0].SlotID})
}

func TestOffersScenarioHasOffersThatAreOpenExpiredDeclinedAndAccepted(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.Offers)
	s.expect("open", s.status(s.steps[0]), "offered")
	s.expect("late", s.status(s.steps[1]), "expired")
	s.expect("next", s.status(s.steps[2]), "offered")
	offer := s.ledger("booking_id = $1 AND kind = 'offered'", idIn(s.steps[2]))[0]
	s.expect("because of", *s.ledger("slot_id = $1 AND version = $2", *offer.CauseSlotID, *offer.CauseVersion)[0].BookingID, idIn(s.steps[1]))
	declining := s.booking(s.steps[3])
	first := s.first(declining.SlotID)
	s.do(seating.Decline{SlotID: declining.SlotID, BookingID: declining.ID, UserID: declining.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: declining.UserID}})
	s.do(seating.Promote{SlotID: declining.SlotID})
	s.expect("asked next", s.bookings("id = $1", first.ID)[0].Status, "offered")
	s.confirm(s.steps[4], seating.Offered)
	s.expect("accepts", s.status(s.steps[4]), "confirmed")
	s.expect("said no", s.status(s.steps[5]), "cancelled")
	s.expect("said yes", s.status(s.steps[6]), "confirmed")
	decline := s.ledger("booking_id = $1 AND kind = 'declined'", idIn(s.steps[5]))[0]
	next := s.ledger("booking_id = $1 AND kind = 'offered'", idIn(s.steps[6]))[0]
	s.expect("asked because of the no", *next.CauseVersion, decline.Version)
}

// confirm confirms a hold or accepts an offer for a step's user.
func (s *fixture) confirm(step seed.Step, from seating.Status) {
	s.t.Helper()
	b := s.booking(step)
	s.do(seating.Confirm{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: from, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}})
}

func TestUpgradeChainScenarioLinksThreeUpgrades(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.UpgradeChain)
	// From the last one's promotion to the first cancellation: three upgrades, each of two entries.
	e := s.ledger("booking_id = $1 AND kind = 'promoted'", idIn(s.steps[1]))[0]
	var kinds []string
	for e.CauseSlotID != nil {
		e = s.ledger("slot_id = $1 AND version = $2", *e.CauseSlotID, *e.CauseVersion)[0]
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"cancelled", "promoted", "cancelled", "promoted", "cancelled", "promoted", "cancelled"}; !slices.Equal(kinds, want) {
		t.Errorf("the causes are %v, want %v", kinds, want)
	}
	s.expect("in the box", s.status(s.steps[0]), "confirmed")
	s.expect("replaced", s.bookings("id = $1", *s.booking(s.steps[2]).ReplacedBy)[0].Status, "confirmed")
	s.expect("on the balcony", s.bookings("id = $1", idsIn(s.steps[3])[1])[0].Status, "confirmed")
}

func TestHoldsScenarioHasHoldsThatAreOpenExpiredAndConfirmed(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.Holds)
	s.expect("open", s.status(s.steps[0]), "held")
	s.confirm(s.steps[0], seating.Held)
	s.expect("confirmed", s.status(s.steps[0]), "confirmed")
	s.expect("lapsed", s.status(s.steps[1]), "expired")
	life := s.ledger("booking_id = $1", idIn(s.steps[1]))
	s.expect("after an hour", life[1].At.Sub(life[0].At), time.Hour)
	s.expect("kept", s.status(s.steps[2]), "confirmed")
	s.expect("was held", s.ledger("booking_id = $1", idIn(s.steps[2]))[0].Kind, "held")
	visitor := s.user(s.steps[3].Email)
	r := s.do(seating.Hold{Book: seating.Book{BookingID: testkit.ID(), SlotID: idIn(s.steps[3]), UserID: visitor, Seats: 1, By: seating.Actor{Role: seating.ActorAttendee, ID: visitor}}})
	s.expect("for an hour", r.Booking.ExpiresAt.Sub(r.Booking.CreatedAt), time.Hour)
}

func TestFewerSeatsScenarioPromotesWithFewerSeats(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.FewerSeats)
	b := s.booking(s.steps[0])
	life := s.ledger("booking_id = $1", b.ID)
	s.expect("asked for", life[0].Seats, int32(4))
	s.expect("got", b.Seats, int32(2))
	s.expect("by", life[1].Kind, "promoted")
	s.expect("full", s.slots("id = $1", b.SlotID)[0].SeatsTaken, int32(6))
	waits, err := s.book(s.steps[1], 3, seating.Wait)
	s.expect("error", err, nil)
	s.expect("waits", waits.Status, seating.Waitlisted)
}

func TestMovedBookingScenarioPromotesToTheFreedSeat(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.MovedBooking)
	moved, old := s.booking(s.steps[0]), s.booking(s.steps[1])
	s.expect("new", moved.Status, "confirmed")
	s.expect("made from", *moved.MovedFrom, old.ID)
	s.expect("old", old.Status, "cancelled")
	promotion := s.ledger("booking_id = $1 AND kind = 'promoted'", idIn(s.steps[2]))[0]
	s.expect("because of the move", s.ledger("slot_id = $1 AND version = $2", *promotion.CauseSlotID, *promotion.CauseVersion)[0].Kind, "moved")
	b := s.booking(s.steps[3])
	r := s.do(seating.Move{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, ToSlotID: idsIn(s.steps[3])[1], NewID: testkit.ID(),
		By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}})
	s.expect("moved too", r.Booking.Status, seating.Confirmed)
}

func TestSeveralSlotsScenarioBooksAllOrNone(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.SeveralSlots)
	one := s.booking(s.steps[0])
	s.expect("at once", len(s.bookings("user_id = $1 AND created_at = $2", one.UserID, one.CreatedAt)), 3)
	bundle := func(step seed.Step) error {
		var c seating.Bundle
		for _, id := range idsIn(step) {
			c.Items = append(c.Items, seating.Book{BookingID: testkit.ID(), SlotID: id, UserID: s.user(step.Email), Seats: 1,
				By: seating.Actor{Role: seating.ActorAttendee, ID: s.user(step.Email)}})
		}
		_, err := s.desk.Do(context.Background(), desk.Submission{Command: c})
		return err
	}
	s.expect("one is full", errors.Is(bundle(s.steps[1]), fault.SlotFull), true)
	s.expect("both", bundle(s.steps[2]), nil)
}

func TestCheckInsScenarioHasACheckInUndone(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.CheckIns)
	slotID := idIn(s.steps[0])
	s.expect("bookings", len(s.bookings("slot_id = $1 AND status = 'confirmed'", slotID)), 10)
	s.expect("came", len(s.bookings("slot_id = $1 AND checked_in_at IS NOT NULL", slotID)), 7)
	b := s.booking(s.steps[2])
	s.expect("the wrong person", b.CheckedInAt == nil, true)
	s.do(seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorOrganizer, ID: s.user(s.steps[2].Email)}})
	s.expect("the right one", s.booking(s.steps[2]).CheckedInAt != nil, true)
	s.expect("busy was there", s.booking(s.steps[3]).CheckedInAt != nil, true)
}

func TestFirstFitScenarioPassesALargeBooking(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.FirstFit)
	large, small := s.booking(s.steps[0]), s.booking(s.steps[1])
	s.expect("large", large.Status, "waitlisted")
	s.expect("passes", large.Passes, int32(1))
	s.expect("small", small.Status, "confirmed")
	s.expect("small came later", *small.QueuedVersion > *large.QueuedVersion, true)
}

func TestSeatLimitsScenarioRefusesMoreSeats(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.SeatLimits)
	_, err := s.book(s.steps[0], 1, seating.Reject)
	s.expect("one more", errors.Is(err, fault.UserSeatLimit), true)
	_, err = s.book(s.steps[1], 5, seating.Reject)
	s.expect("too many at once", errors.Is(err, fault.BookingSeatLimit), true)
	ids, user := idsIn(s.steps[2]), s.user(s.steps[2].Email)
	old := s.bookings("id = $1", ids[1])[0]
	r := s.do(seating.Book{BookingID: testkit.ID(), SlotID: ids[0], UserID: user, Seats: 2, IfFull: seating.Wait,
		Replaces: old.ID, ReplacesSlotID: old.SlotID, By: seating.Actor{Role: seating.ActorAttendee, ID: user}})
	s.expect("instead", r.Booking.Status, seating.Waitlisted)
	s.expect("seats", s.booking(s.steps[3]).Seats, int32(4))
}

func TestCancelledEventScenarioCancelsAllBookings(t *testing.T) {
	t.Parallel()
	s := newFixture(t, seed.CancelledEvent)
	for _, slot := range s.slots("event_id = $1", idIn(s.steps[0])) {
		s.expect("slot", slot.Status, "cancelled")
		s.expect("seats taken", slot.SeatsTaken, int32(0))
		s.expect("waiting", slot.WaitlistLength, int32(0))
		cancelled := s.ledger("slot_id = $1 AND kind = 'event_cancelled'", slot.ID)[0]
		s.expect("bookings cancelled by that", len(s.ledger("cause_slot_id = $1 AND cause_version = $2", slot.ID, cancelled.Version)), 14)
	}
	s.expect("a booking of it", s.status(s.steps[1]), "cancelled")
}
