//go:build unix

package account_test

import (
	"sync/atomic"
	"testing"
	"time"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

func (h *env) admins(t *testing.T) int {
	t.Helper()
	return h.count(t, "SELECT count(*) FROM users WHERE role = 'admin' AND deleted_at IS NULL")
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	first := h.admin(t, "first@test.com")
	isFault(t, h.DeleteMe(t.Context(), first, password), fault.LastAdministrator)
	_, err := h.SetRole(t.Context(), first, first.UserID, access.Organizer)
	isFault(t, err, fault.LastAdministrator)
	_, err = h.SetRoleByEmail(t.Context(), "first@test.com", access.Attendee)
	isFault(t, err, fault.LastAdministrator)
	h.caller(t, h.login(t, "first@test.com")) // nothing was revoked

	second := h.admin(t, "second@test.com")
	_, err = h.SetRole(t.Context(), first, first.UserID, access.Organizer)
	isFault(t, err, fault.NotPermitted)
	must(t, h.DeleteMe(t.Context(), first, password))
	isFault(t, h.DeleteMe(t.Context(), second, password), fault.LastAdministrator)
	if n := h.admins(t); n != 1 {
		t.Errorf("%d administrators", n)
	}
}

func (h *env) login(t *testing.T, email string) account.Secret {
	t.Helper()
	login, err := h.LogIn(t.Context(), account.Credentials{Email: email, Password: password})
	must(t, err)
	return login.Token.Secret
}

// Administrators delete themselves and demote each other, all at once.
func TestConcurrentRemovalsLeaveOneAdministrator(t *testing.T) {
	t.Parallel()
	for round := range 5 {
		h := newEnv(t)
		var admins [4]access.Caller
		for i := range admins {
			admins[i] = h.admin(t, address(i))
		}
		var refused atomic.Int32
		together(len(admins), func(i int) {
			var err error
			switch (i + round) % 4 {
			case 0, 1:
				err = h.DeleteMe(t.Context(), admins[i], password)
			case 2:
				_, err = h.SetRole(t.Context(), admins[i], admins[(i+1)%4].UserID, access.Attendee)
			case 3:
				_, err = h.SetRoleByEmail(t.Context(), address(i), access.Organizer)
			}
			if err != nil {
				refused.Add(1)
			}
		})
		if n := h.admins(t); n < 1 || n > 1 && refused.Load() == 0 {
			t.Errorf("%d administrators are left, %d attempts were refused", n, refused.Load())
		}
	}
}

func TestOrganizersOfEventsAheadStay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status seating.EventStatus
		starts time.Duration
		stays  bool
	}{
		"a published event to come":     {seating.EventPublished, time.Hour, true},
		"a published event under way":   {seating.EventPublished, -time.Hour, true},
		"a published event of the past": {seating.EventPublished, -48 * time.Hour, false},
		"a draft":                       {seating.EventDraft, time.Hour, false},
		"a cancelled event":             {seating.EventCancelled, time.Hour, false},
	} {
		h := newEnv(t)
		admin := h.admin(t, "admin@test.com")
		_, organizer := h.join(t, "organizer@test.com")
		_, err := h.SetRole(t.Context(), admin, organizer.UserID, access.Organizer)
		must(t, err)
		event := testkit.Event(t, h.pool, func(e *db.Event) { e.OrganizerID, e.Status = organizer.UserID, string(c.status) })
		testkit.Slot(t, h.pool, event.ID, testkit.Times(c.starts, c.starts+2*time.Hour))
		_, demoted := h.SetRole(t.Context(), admin, organizer.UserID, access.Attendee)
		if c.stays {
			isFault(t, demoted, fault.OrganizerHasEvents)
			isFault(t, h.DeleteMe(t.Context(), organizer, password), fault.OrganizerHasEvents)
			_, promoted := h.SetRole(t.Context(), admin, organizer.UserID, access.Admin)
			must(t, promoted)
		} else if deleted := h.DeleteMe(t.Context(), organizer, password); demoted != nil || deleted != nil {
			t.Errorf("%s: %v, %v", name, demoted, deleted)
		}
	}
}

func TestAdministratorsAreCreated(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	user, err := h.CreateAdmin(t.Context(), account.Registration{Email: "Root@test.com", Name: "Root", Password: password})
	if err != nil || user.Role != access.Admin {
		t.Fatalf("%+v, %v", user, err)
	}
	if caller := h.caller(t, h.login(t, "root@test.com")); caller.Role != access.Admin {
		t.Errorf("%+v", caller)
	}
	_, err = h.CreateAdmin(t.Context(), account.Registration{Email: "root@TEST.com", Name: "Root", Password: password})
	isFault(t, err, fault.EmailTaken)
	_, err = h.CreateAdmin(t.Context(), account.Registration{Email: "other@test.com", Name: "Root", Password: "short"})
	isWrong(t, err, fault.ValidationFailed, "/password")
	// Seven characters, however they are typed.
	_, err = h.CreateAdmin(t.Context(), account.Registration{Email: "other@test.com", Name: "Root", Password: "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"})
	isWrong(t, err, fault.ValidationFailed, "/password")
}
