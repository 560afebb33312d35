//go:build unix

package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
)

// The handler has the operations of its tags, and nothing else.
func TestHandlerHasTheOperationsOfItsTags(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	must(t, err)
	var want []string
	for _, path := range spec.Paths.Map() {
		for _, operation := range path.Operations() {
			if slices.Contains([]string{"auth", "users", "me"}, operation.Tags[0]) {
				want = append(want, strings.ToUpper(operation.OperationID[:1])+operation.OperationID[1:])
			}
		}
	}
	var got []string
	for method := range reflect.TypeFor[*account.Handler]().Methods() {
		got = append(got, method.Name)
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// answer returns what a generated response sends, and its decoded body.
func answer(t *testing.T, visit func(*httptest.ResponseRecorder) error, status int) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	rec := httptest.NewRecorder()
	must(t, visit(rec))
	if rec.Code != status {
		t.Fatalf("%d, want %d: %s", rec.Code, status, rec.Body)
	}
	body := map[string]any{}
	if rec.Body.Len() > 0 {
		must(t, json.Unmarshal(rec.Body.Bytes(), &body))
	}
	return rec, body
}

// as returns the context of a request with a token.
func (h *env) as(t *testing.T, token any) context.Context {
	return access.WithCaller(t.Context(), h.caller(t, account.Secret(token.(string))))
}

// registered registers a user by the handler, and returns the context of requests
// with their token.
func (h *env) registered(t *testing.T, ops *account.Handler) context.Context {
	t.Helper()
	response, err := ops.RegisterUser(t.Context(), api.RegisterUserRequestObject{
		Body: &api.UserCreate{Email: "busy@test.com", Name: "Busy Bee", Password: password}})
	must(t, err)
	rec, login := answer(t, func(w *httptest.ResponseRecorder) error { return response.VisitRegisterUserResponse(w) }, 201)
	user := login["user"].(map[string]any)
	if rec.Header().Get("Location") != "/api/v1/me" || user["role"] != "attendee" || login["abilities"].([]any)[0] != "*" ||
		!strings.HasSuffix(login["expires_at"].(string), "Z") || !strings.HasSuffix(user["created_at"].(string), "Z") {
		t.Errorf("%v %v", rec.Header(), login)
	}
	return h.as(t, login["token"])
}

func TestLoginAnswersWithTheAbilitiesAskedFor(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	h.registered(t, ops)
	response, err := ops.LoginUser(t.Context(), api.LoginUserRequestObject{Body: &api.Credentials{Email: "busy@test.com",
		Password: password, TokenName: to("Phone"), Abilities: &[]api.Ability{api.AbilityMeRead}}})
	must(t, err)
	_, phone := answer(t, func(w *httptest.ResponseRecorder) error { return response.VisitLoginUserResponse(w) }, 200)
	if phone["abilities"].([]any)[0] != "me:read" {
		t.Errorf("%v", phone)
	}
}

func TestMeAnswersWithAnETagThatChangesWithTheUser(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	me := h.registered(t, ops)
	got, err := ops.GetMe(me, api.GetMeRequestObject{})
	must(t, err)
	rec, body := answer(t, func(w *httptest.ResponseRecorder) error { return got.VisitGetMeResponse(w) }, 200)
	tag := rec.Header().Get("ETag")
	if body["email"] != "busy@test.com" || !strings.HasPrefix(tag, `"`) || !strings.HasSuffix(tag, `"`) {
		t.Errorf("%v, %s", body, tag)
	}
	patched, err := ops.UpdateMe(me, api.UpdateMeRequestObject{JSONBody: &api.ProfilePatch{Name: to("Bumblebee")}})
	must(t, err)
	rec, body = answer(t, func(w *httptest.ResponseRecorder) error { return patched.VisitUpdateMeResponse(w) }, 200)
	if body["name"] != "Bumblebee" || rec.Header().Get("ETag") == tag {
		t.Errorf("%v, %v", body, rec.Header())
	}
}

func TestAdministratorsListUsersAndChangeRoles(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	admin := access.WithCaller(t.Context(), h.admin(t, "admin@test.com"))
	me := h.registered(t, ops)
	role := api.UserRoleOrganizer
	promoted, err := ops.UpdateUser(admin, api.UpdateUserRequestObject{UserID: access.CallerFrom(me).UserID,
		ApplicationMergePatchPlusJSONBody: &api.UserPatch{Role: &role}})
	must(t, err)
	if _, body := answer(t, func(w *httptest.ResponseRecorder) error { return promoted.VisitUpdateUserResponse(w) }, 200); body["role"] != "organizer" {
		t.Errorf("%v", body)
	}
	listed, err := ops.ListUsers(page.WithURL(admin, &url.URL{Path: "/api/v1/users"}), api.ListUsersRequestObject{Params: api.ListUsersParams{Limit: to(1)}})
	must(t, err)
	rec, body := answer(t, func(w *httptest.ResponseRecorder) error { return listed.VisitListUsersResponse(w) }, 200)
	if body["has_more"] != true || !strings.Contains(rec.Header().Get("Link"), body["next_cursor"].(string)) || len(body["data"].([]any)) != 1 {
		t.Errorf("%v, %v", body, rec.Header())
	}
}

func TestUsersChangeTheirPasswordAndDeleteThemselves(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	me := h.registered(t, ops)
	_, err := ops.ChangePassword(me, api.ChangePasswordRequestObject{Body: &api.PasswordChange{CurrentPassword: password, NewPassword: "battery staple"}})
	must(t, err)
	deleted, err := ops.DeleteMe(me, api.DeleteMeRequestObject{Body: &api.Deletion{CurrentPassword: "battery staple"}})
	must(t, err)
	answer(t, func(w *httptest.ResponseRecorder) error { return deleted.VisitDeleteMeResponse(w) }, 204)
}

func TestTokenAnswersHaveTheirFormAndNoSecrets(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	_, caller := h.join(t, "busy@test.com")
	me := access.WithCaller(t.Context(), caller)
	createToken(me, t, ops, "omitted", nil, false)
	createToken(me, t, ops, "given", nullable.NewNullableWithValue(time.Now().Add(time.Hour)), false)
	last := createToken(me, t, ops, "null", nullable.NewNullNullable[time.Time](), true)

	listed, err := ops.ListTokens(me, api.ListTokensRequestObject{})
	must(t, err)
	rec, body := answer(t, func(w *httptest.ResponseRecorder) error { return listed.VisitListTokensResponse(w) }, 200)
	tokens := body["data"].([]any)
	first, login := tokens[0].(map[string]any), tokens[3].(map[string]any)
	if len(tokens) != 4 || first["id"] != last["id"] || first["current"] != false || login["current"] != true || login["last_used_at"] == nil ||
		body["has_more"] != false || body["next_cursor"] != nil || rec.Header().Get("Link") != "" {
		t.Errorf("%v, %v", body, rec.Header())
	}
	if strings.Contains(rec.Body.String(), "evb_") {
		t.Error("the list shows secrets")
	}
}

// createToken creates a token by the handler, and returns the answer.
func createToken(me context.Context, t *testing.T, ops *account.Handler, name string, expires nullable.Nullable[time.Time], never bool) map[string]any {
	t.Helper()
	body := api.TokenCreate{Name: name, Abilities: []api.Ability{api.AbilityBookingsRead}, ExpiresAt: expires}
	if never {
		body.CurrentPassword = to(password)
	}
	created, err := ops.CreateToken(me, api.CreateTokenRequestObject{Body: &body})
	must(t, err)
	rec, token := answer(t, func(w *httptest.ResponseRecorder) error { return created.VisitCreateTokenResponse(w) }, 201)
	if token["expires_at"] == nil != never || token["last_used_at"] != nil || token["current"] != false ||
		rec.Header().Get("Location") != "/api/v1/me/tokens/"+token["id"].(string) {
		t.Errorf("%s: %v, %v", name, token, rec.Header())
	}
	return token
}

func TestTokensAreRevokedOnceAndLogoutRevokesItsOwn(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	_, caller := h.join(t, "busy@test.com")
	me := access.WithCaller(t.Context(), caller)
	token := createToken(me, t, ops, "null", nullable.NewNullNullable[time.Time](), true)
	request := api.DeleteTokenRequestObject{TokenID: h.caller(t, account.Secret(token["token"].(string))).TokenID}
	revoked, err := ops.DeleteToken(me, request)
	must(t, err)
	answer(t, func(w *httptest.ResponseRecorder) error { return revoked.VisitDeleteTokenResponse(w) }, 204)
	_, err = ops.DeleteToken(me, request)
	isFault(t, err, fault.NotFound)
	out, err := ops.LogoutUser(me, api.LogoutUserRequestObject{})
	must(t, err)
	answer(t, func(w *httptest.ResponseRecorder) error { return out.VisitLogoutUserResponse(w) }, 204)
}

func TestHandlerReturnsRefusalsUnchanged(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	_, caller := h.join(t, "busy@test.com")
	me, role := access.WithCaller(t.Context(), caller), api.UserRoleAdmin
	for name, c := range map[string]struct {
		code *fault.Code
		call func() (any, error)
	}{
		"register": {fault.EmailTaken, func() (any, error) {
			return ops.RegisterUser(me, api.RegisterUserRequestObject{Body: &api.UserCreate{Email: "busy@test.com", Name: "B", Password: password}})
		}},
		"login": {fault.InvalidCredentials, func() (any, error) {
			return ops.LoginUser(me, api.LoginUserRequestObject{Body: &api.Credentials{Email: "busy@test.com", Password: "wrong"}})
		}},
		"role": {fault.NotPermitted, func() (any, error) {
			return ops.UpdateUser(me, api.UpdateUserRequestObject{UserID: caller.UserID, JSONBody: &api.UserPatch{Role: &role}})
		}},
		"users": {fault.InvalidCursor, func() (any, error) {
			return ops.ListUsers(me, api.ListUsersRequestObject{Params: api.ListUsersParams{Cursor: to("?")}})
		}},
		"tokens": {fault.InvalidCursor, func() (any, error) {
			return ops.ListTokens(me, api.ListTokensRequestObject{Params: api.ListTokensParams{Cursor: to("?")}})
		}},
		"token": {fault.ValidationFailed, func() (any, error) {
			return ops.CreateToken(me, api.CreateTokenRequestObject{Body: &api.TokenCreate{Name: " "}})
		}},
		"profile": {fault.ValidationFailed, func() (any, error) {
			return ops.UpdateMe(me, api.UpdateMeRequestObject{JSONBody: &api.ProfilePatch{Name: to(" ")}})
		}},
		"password": {fault.ValidationFailed, func() (any, error) {
			return ops.ChangePassword(me, api.ChangePasswordRequestObject{Body: &api.PasswordChange{CurrentPassword: "wrong"}})
		}},
	} {
		if answer, err := c.call(); answer != nil || !errors.Is(err, c.code) {
			t.Errorf("%s: got %v and %v, want only %s", name, answer, err, c.code.Name)
		}
	}
}

func TestHandlerReturnsAnOutageUnchanged(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	ops := account.NewHandler(h.Service)
	_, caller := h.join(t, "busy@test.com")
	me := access.WithCaller(t.Context(), caller)
	h.pool.Close()
	for _, call := range []func() (any, error){
		func() (any, error) { return ops.GetMe(me, api.GetMeRequestObject{}) },
		func() (any, error) {
			return ops.DeleteMe(me, api.DeleteMeRequestObject{Body: &api.Deletion{CurrentPassword: password}})
		},
		func() (any, error) { return ops.LogoutUser(me, api.LogoutUserRequestObject{}) },
		func() (any, error) { return ops.ListUsers(me, api.ListUsersRequestObject{}) },
		func() (any, error) { return ops.ListTokens(me, api.ListTokensRequestObject{}) },
		func() (any, error) {
			return ops.LoginUser(me, api.LoginUserRequestObject{Body: &api.Credentials{Email: "busy@test.com", Password: password}})
		},
	} {
		_, err := call()
		isFault(t, err, fault.DatabaseUnavailable)
	}
}
