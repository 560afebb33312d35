package account

import (
	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/view"
)

func user(u User) api.User {
	return api.User{ID: u.ID, Email: u.Email, Name: u.Name, Role: api.UserRole(u.Role), CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt}
}

func userList(users page.Page[User]) api.UserList {
	list := api.UserList{Data: []api.User{}, HasMore: users.HasMore(), NextCursor: view.ZeroIsNull(users.Next)}
	for _, u := range users.Items {
		list.Data = append(list.Data, user(u))
	}
	return list
}

func loginResult(l Login) api.LoginResult {
	return api.LoginResult{Token: string(l.Token.Secret), ExpiresAt: *l.Token.ExpiresAt,
		Abilities: abilities(l.Token.Abilities), User: user(l.User)}
}

func tokenPage(tokens page.Page[Token], caller access.Caller) api.TokenList {
	list := api.TokenList{Data: []api.Token{}, HasMore: tokens.HasMore(), NextCursor: view.ZeroIsNull(tokens.Next)}
	for _, t := range tokens.Items {
		list.Data = append(list.Data, token(t, caller))
	}
	return list
}

func token(t Token, caller access.Caller) api.Token {
	return api.Token{ID: t.ID, Name: t.Name, Abilities: abilities(t.Abilities), CreatedAt: t.CreatedAt,
		LastUsedAt: view.OrNull(t.LastUsedAt), ExpiresAt: view.OrNull(t.ExpiresAt), Current: t.ID == caller.TokenID}
}

func newToken(t NewToken) api.NewToken {
	return api.NewToken{ID: t.ID, Name: t.Name, Abilities: abilities(t.Abilities), CreatedAt: t.CreatedAt,
		LastUsedAt: view.OrNull(t.LastUsedAt), ExpiresAt: view.OrNull(t.ExpiresAt), Token: string(t.Secret)}
}

func tokenRequest(body api.TokenCreate) TokenRequest {
	request := TokenRequest{Name: body.Name, Abilities: texts(body.Abilities), NeverExpires: body.ExpiresAt.IsNull(),
		CurrentPassword: body.CurrentPassword}
	if at, err := body.ExpiresAt.Get(); err == nil {
		request.ExpiresAt = &at
	}
	return request
}

func abilities(texts []string) api.Abilities {
	list := make(api.Abilities, len(texts))
	for i, text := range texts {
		list[i] = api.Ability(text)
	}
	return list
}

func texts(abilities api.Abilities) []string {
	list := make([]string, len(abilities))
	for i, ability := range abilities {
		list[i] = string(ability)
	}
	return list
}
