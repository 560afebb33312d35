package account

import (
	"context"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/view"
)

// Handler answers the operations of the tags auth, users and me.
type Handler struct{ service *Service }

// noStore is the Cache-Control of answers with a secret.
const noStore = "no-store"

// NewHandler returns the handler of a service.
func NewHandler(service *Service) *Handler { return &Handler{service} }

// RegisterUser creates an attendee and returns a token for them.
func (h *Handler) RegisterUser(ctx context.Context, r api.RegisterUserRequestObject) (api.RegisterUserResponseObject, error) {
	login, err := h.service.Register(ctx, Registration{Email: r.Body.Email, Name: r.Body.Name, Password: r.Body.Password})
	if err != nil {
		return nil, err
	}
	return api.RegisterUser201JSONResponse{
		Body:    loginResult(login),
		Headers: api.RegisterUser201ResponseHeaders{Location: "/api/v1/me", CacheControl: noStore},
	}, nil
}

// LoginUser returns a new token for an e-mail address and its password.
func (h *Handler) LoginUser(ctx context.Context, r api.LoginUserRequestObject) (api.LoginUserResponseObject, error) {
	c := Credentials{Email: r.Body.Email, Password: r.Body.Password}
	if r.Body.TokenName != nil {
		c.TokenName = *r.Body.TokenName
	}
	if r.Body.Abilities != nil {
		c.Abilities = texts(*r.Body.Abilities)
	}
	login, err := h.service.LogIn(ctx, c)
	if err != nil {
		return nil, err
	}
	return api.LoginUser200JSONResponse{Body: loginResult(login), Headers: api.LoginUser200ResponseHeaders{CacheControl: noStore}}, nil
}

// LogoutUser revokes the request's token.
func (h *Handler) LogoutUser(ctx context.Context, _ api.LogoutUserRequestObject) (api.LogoutUserResponseObject, error) {
	if err := h.service.LogOut(ctx, access.CallerFrom(ctx)); err != nil {
		return nil, err
	}
	return api.LogoutUser204Response{}, nil
}

// ListUsers returns a page of users.
func (h *Handler) ListUsers(ctx context.Context, r api.ListUsersRequestObject) (api.ListUsersResponseObject, error) {
	filter := UserFilter{Email: r.Params.Email, Role: (*string)(r.Params.Role)}
	users, err := h.service.ListUsers(ctx, filter, page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListUsers200JSONResponse{
		Body:    userList(users),
		Headers: api.ListUsers200ResponseHeaders{Link: page.Link(ctx, users.Next)},
	}, nil
}

// GetUser returns a user.
func (h *Handler) GetUser(ctx context.Context, r api.GetUserRequestObject) (api.GetUserResponseObject, error) {
	u, err := h.service.GetUser(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	body := user(u)
	etag, err := view.ETag(body)
	return api.GetUser200JSONResponse{Body: body, Headers: api.GetUser200ResponseHeaders{ETag: etag}}, err
}

// UpdateUser changes a user's role.
func (h *Handler) UpdateUser(ctx context.Context, r api.UpdateUserRequestObject) (api.UpdateUserResponseObject, error) {
	patch := view.Either(r.ApplicationMergePatchPlusJSONBody, r.JSONBody)
	u, err := h.service.SetRole(ctx, access.CallerFrom(ctx), r.UserID, access.Role(*patch.Role))
	if err != nil {
		return nil, err
	}
	body := user(u)
	etag, err := view.ETag(body)
	return api.UpdateUser200JSONResponse{Body: body, Headers: api.UpdateUser200ResponseHeaders{ETag: etag}}, err
}

// GetMe returns the caller's user.
func (h *Handler) GetMe(ctx context.Context, _ api.GetMeRequestObject) (api.GetMeResponseObject, error) {
	u, err := h.service.Me(ctx, access.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	body := user(u)
	etag, err := view.ETag(body)
	return api.GetMe200JSONResponse{Body: body, Headers: api.GetMe200ResponseHeaders{ETag: etag}}, err
}

// UpdateMe changes the caller's name or e-mail address.
func (h *Handler) UpdateMe(ctx context.Context, r api.UpdateMeRequestObject) (api.UpdateMeResponseObject, error) {
	patch := view.Either(r.ApplicationMergePatchPlusJSONBody, r.JSONBody)
	u, err := h.service.UpdateMe(ctx, access.CallerFrom(ctx), Profile{Email: patch.Email, Name: patch.Name, CurrentPassword: patch.CurrentPassword})
	if err != nil {
		return nil, err
	}
	body := user(u)
	etag, err := view.ETag(body)
	return api.UpdateMe200JSONResponse{Body: body, Headers: api.UpdateMe200ResponseHeaders{ETag: etag}}, err
}

// DeleteMe anonymises the caller.
func (h *Handler) DeleteMe(ctx context.Context, r api.DeleteMeRequestObject) (api.DeleteMeResponseObject, error) {
	if err := h.service.DeleteMe(ctx, access.CallerFrom(ctx), r.Body.CurrentPassword); err != nil {
		return nil, err
	}
	return api.DeleteMe204Response{}, nil
}

// ChangePassword replaces the caller's password.
func (h *Handler) ChangePassword(ctx context.Context, r api.ChangePasswordRequestObject) (api.ChangePasswordResponseObject, error) {
	if err := h.service.ChangePassword(ctx, access.CallerFrom(ctx), r.Body.CurrentPassword, r.Body.NewPassword); err != nil {
		return nil, err
	}
	return api.ChangePassword204Response{}, nil
}

// ListTokens returns a page of the caller's tokens.
func (h *Handler) ListTokens(ctx context.Context, r api.ListTokensRequestObject) (api.ListTokensResponseObject, error) {
	caller := access.CallerFrom(ctx)
	tokens, err := h.service.ListTokens(ctx, caller, page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListTokens200JSONResponse{
		Body:    tokenPage(tokens, caller),
		Headers: api.ListTokens200ResponseHeaders{Link: page.Link(ctx, tokens.Next)},
	}, nil
}

// CreateToken creates a token for the caller.
func (h *Handler) CreateToken(ctx context.Context, r api.CreateTokenRequestObject) (api.CreateTokenResponseObject, error) {
	token, err := h.service.CreateToken(ctx, access.CallerFrom(ctx), tokenRequest(*r.Body))
	if err != nil {
		return nil, err
	}
	return api.CreateToken201JSONResponse{
		Body:    newToken(token),
		Headers: api.CreateToken201ResponseHeaders{Location: "/api/v1/me/tokens/" + token.ID.String(), CacheControl: noStore},
	}, nil
}

// GetToken returns one of the caller's tokens.
func (h *Handler) GetToken(ctx context.Context, r api.GetTokenRequestObject) (api.GetTokenResponseObject, error) {
	caller := access.CallerFrom(ctx)
	t, err := h.service.GetToken(ctx, caller, r.TokenID)
	if err != nil {
		return nil, err
	}
	return api.GetToken200JSONResponse(token(t, caller)), nil
}

// DeleteToken revokes one of the caller's tokens.
func (h *Handler) DeleteToken(ctx context.Context, r api.DeleteTokenRequestObject) (api.DeleteTokenResponseObject, error) {
	if err := h.service.DeleteToken(ctx, access.CallerFrom(ctx), r.TokenID); err != nil {
		return nil, err
	}
	return api.DeleteToken204Response{}, nil
}
