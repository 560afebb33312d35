//go:build unix

package account_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/testkit"
)

func TestUpdateMeChangesAllOrNothing(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, caller := h.join(t, "busy@test.com")
	h.join(t, "other@test.com")
	same, err := h.UpdateMe(t.Context(), caller, account.Profile{Name: to(" New Comer")})
	must(t, err)
	if same != login.User {
		t.Errorf("%+v: nothing was to change", same)
	}
	u, err := h.UpdateMe(t.Context(), caller, account.Profile{Name: to(" Busy Bumblebee ")})
	must(t, err)
	if u.Name != "Busy Bumblebee" || u.Email != "busy@test.com" || !u.UpdatedAt.After(login.User.UpdatedAt) || u.Role != access.Attendee {
		t.Errorf("%+v", u)
	}
	_, err = h.UpdateMe(t.Context(), caller, account.Profile{Email: to("Busy@Test.com"), CurrentPassword: to(password)}) // the same address in another case
	must(t, err)
	_, err = h.UpdateMe(t.Context(), caller, account.Profile{Email: to("OTHER@test.com"), Name: to("Half"), CurrentPassword: to(password)})
	isFault(t, err, fault.EmailTaken)
	_, err = h.UpdateMe(t.Context(), caller, account.Profile{Email: to("x@invalid"), Name: to("Half")})
	isWrong(t, err, fault.ValidationFailed, "/email")
	_, err = h.UpdateMe(t.Context(), caller, account.Profile{Name: to("\u0000")})
	isWrong(t, err, fault.ValidationFailed, "/name")
	if u, err = h.Me(t.Context(), caller); err != nil || u.Email != "Busy@Test.com" || u.Name != "Busy Bumblebee" {
		t.Errorf("%+v, %v: it was half written", u, err)
	}
}

func TestDeleteMeAnonymisesTheUserAndRevokesTheTokens(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	login, caller := h.join(t, "busy@test.com")
	other, _ := h.join(t, "other@test.com")

	h.refuse = errors.New("no job was inserted")
	if err := h.DeleteMe(t.Context(), caller, password); !errors.Is(err, h.refuse) {
		t.Fatalf("got %v", err)
	}
	h.caller(t, login.Token.Secret) // all or nothing
	h.refuse, h.deleted = nil, nil

	must(t, h.DeleteMe(t.Context(), caller, password))
	if len(h.deleted) != 1 || h.deleted[0] != caller.UserID {
		t.Errorf("OnDelete was called for %v", h.deleted)
	}
	_, err := h.Authenticate(t.Context(), string(login.Token.Secret))
	isFault(t, err, fault.TokenInvalid)
	h.caller(t, other.Token.Secret)
	if n := h.count(t, `SELECT count(*) FROM users u WHERE deleted_at IS NOT NULL AND password_hash IS NULL
		AND name = 'Deleted user' AND email = 'deleted+' || id || '@invalid' AND u::text NOT LIKE '%busy%'`); n != 1 {
		t.Error("the row still has personal data")
	}

	// Requests that were authenticated before are refused.
	isFault(t, h.DeleteMe(t.Context(), caller, password), fault.TokenInvalid)
	_, err = h.Me(t.Context(), caller)
	isFault(t, err, fault.TokenInvalid)
	_, err = h.UpdateMe(t.Context(), caller, account.Profile{Name: to("Back")})
	isFault(t, err, fault.TokenInvalid)
	_, err = h.CreateToken(t.Context(), caller, account.TokenRequest{Name: "Back", Abilities: []string{"*"}})
	isFault(t, err, fault.TokenInvalid)
	isFault(t, h.ChangePassword(t.Context(), caller, password, "battery staple"), fault.TokenInvalid)

	again, _ := h.join(t, "busy@test.com") // the address is free
	if again.User.ID == caller.UserID {
		t.Error("the new user has the id of the deleted one")
	}
}

func TestChangePasswordRevokesTheOtherTokens(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	other, _ := h.join(t, "other@test.com")
	old, _ := h.join(t, "busy@test.com")
	login, err := h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password})
	must(t, err)
	caller := h.caller(t, login.Token.Secret)

	isWrong(t, h.ChangePassword(t.Context(), caller, "wrong", "battery staple"), fault.ValidationFailed, "/current_password")
	h.caller(t, old.Token.Secret)
	must(t, h.ChangePassword(t.Context(), caller, password, "battery staple"))
	h.caller(t, login.Token.Secret)
	h.caller(t, other.Token.Secret)
	_, err = h.Authenticate(t.Context(), string(old.Token.Secret))
	isFault(t, err, fault.TokenInvalid)
	_, err = h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: password})
	isFault(t, err, fault.InvalidCredentials)
	_, err = h.LogIn(t.Context(), account.Credentials{Email: "busy@test.com", Password: "battery staple"})
	must(t, err)
}

// Both were checked against the same current password.
func TestOneOfTwoConcurrentPasswordChangesSucceeds(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, caller := h.join(t, "busy@test.com")
	err := h.whileLocked(t, caller.UserID, "UPDATE users SET password_hash = 'another'", func() error {
		return h.ChangePassword(t.Context(), caller, password, "battery staple")
	})
	isWrong(t, err, fault.ValidationFailed, "/current_password")
	if h.count(t, "SELECT count(*) FROM users WHERE password_hash = 'another'") != 1 {
		t.Error("the second change was checked against a password that is no longer current")
	}
}

func TestSetRoleRefusesOnesOwnAndUnknownUsers(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	admin := h.admin(t, "admin@test.com")
	login, caller := h.join(t, "busy@test.com")
	u, err := h.SetRole(t.Context(), admin, caller.UserID, access.Organizer)
	must(t, err)
	if u.Role != access.Organizer || u.Name != login.User.Name || u.Email != login.User.Email || !u.UpdatedAt.After(login.User.UpdatedAt) {
		t.Errorf("%+v", u)
	}
	same, err := h.SetRole(t.Context(), admin, caller.UserID, access.Organizer)
	if err != nil || same != u {
		t.Errorf("%+v, %v: nothing was to change", same, err)
	}
	_, err = h.SetRole(t.Context(), admin, admin.UserID, access.Attendee)
	isFault(t, err, fault.LastAdministrator)
	_, err = h.SetRole(t.Context(), admin, testkit.ID(), access.Attendee)
	isFault(t, err, fault.NotFound)
	must(t, h.DeleteMe(t.Context(), caller, password))
	_, err = h.SetRole(t.Context(), admin, caller.UserID, access.Admin)
	isFault(t, err, fault.NotFound)
	h.admin(t, "other@test.com")
	must(t, h.DeleteMe(t.Context(), admin, password))
	_, err = h.SetRole(t.Context(), admin, caller.UserID, access.Admin)
	isFault(t, err, fault.TokenInvalid)
}

// Four administrators demote each other at once.
func TestConcurrentDemotionsLeaveOneAdministrator(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	var admins [4]access.Caller
	for i := range admins {
		admins[i] = h.admin(t, address(i))
	}
	var refused atomic.Int32
	together(len(admins), func(i int) {
		for j := range admins {
			if j == i {
				continue
			}
			if _, err := h.SetRole(t.Context(), admins[i], admins[j].UserID, access.Attendee); err != nil {
				isFault(t, err, fault.NotPermitted)
				refused.Add(1)
			}
		}
	})
	if n := h.count(t, "SELECT count(*) FROM users WHERE role = 'admin'"); n != 1 || refused.Load() == 0 {
		t.Errorf("%d administrators are left, %d attempts were refused", n, refused.Load())
	}
}

func TestListUsersPagesThroughTheUsersThatMatch(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	h.admin(t, "admin@test.com")
	var want []string
	for i := range 5 {
		_, caller := h.join(t, address(i))
		if i == 2 {
			must(t, h.DeleteMe(t.Context(), caller, password))
			continue
		}
		want = append([]string{address(i)}, want...)
	}
	attendees := account.UserFilter{Role: to("attendee")}
	var got []string
	var cursor *string
	for more := true; more; {
		users, err := h.ListUsers(t.Context(), attendees, page.Ask{Limit: to(3), Cursor: cursor})
		must(t, err)
		for _, u := range users.Items {
			got = append(got, u.Email)
		}
		more, cursor = users.HasMore(), &users.Next
		if more {
			_, err = h.ListUsers(t.Context(), account.UserFilter{}, page.Ask{Limit: to(3), Cursor: cursor})
			isFault(t, err, fault.CursorMismatch)
		}
	}
	if len(got) != 4 || got[0] != want[0] || got[3] != want[3] {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestListUsersFiltersByAddressAndRole(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	admin := h.admin(t, "admin@test.com")
	for i := range 5 {
		if _, caller := h.join(t, address(i)); i == 2 {
			must(t, h.DeleteMe(t.Context(), caller, password))
		}
	}
	one, err := h.ListUsers(t.Context(), account.UserFilter{Email: to("USER3@test.com")}, page.Ask{})
	if err != nil || len(one.Items) != 1 || one.Items[0].Email != address(3) || one.HasMore() {
		t.Errorf("%+v, %v", one, err)
	}
	none, err := h.ListUsers(t.Context(), account.UserFilter{Email: to(address(3)), Role: to("admin")}, page.Ask{})
	if err != nil || len(none.Items) != 0 {
		t.Errorf("%+v, %v", none, err)
	}
	all, err := h.ListUsers(t.Context(), account.UserFilter{}, page.Ask{})
	if err != nil || len(all.Items) != 5 || all.Items[4].ID != admin.UserID {
		t.Errorf("%+v, %v", all, err)
	}
	none, err = h.ListUsers(t.Context(), account.UserFilter{Email: to("o\u200bdd@test.com")}, page.Ask{})
	if err != nil || len(none.Items) != 0 {
		t.Errorf("%+v, %v", none, err)
	}
}
