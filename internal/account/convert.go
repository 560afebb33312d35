package account

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"eventbooking/gen/api"
	"eventbooking/internal/page"
)

func user(u User) api.User {
	return api.User{ID: u.ID, Email: u.Email, Name: u.Name, Role: api.UserRole(u.Role), CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt}
}

// etag names the state that a user's body shows.
func etag(body api.User) string {
	text, _ := json.Marshal(body) // texts and times: it cannot fail
	sum := sha256.Sum256(text)
	return fmt.Sprintf(`"%x"`, sum[:12])
}

func userList(users Users) api.UserList {
	list := api.UserList{Data: []api.User{}, HasMore: users.More, NextCursor: page.Cursor(users.Next)}
	for _, u := range users.Users {
		list.Data = append(list.Data, user(u))
	}
	return list
}

func loginResult(l Login) api.LoginResult {
	return api.LoginResult{Token: string(l.Token.Secret), ExpiresAt: *l.Token.ExpiresAt,
		Abilities: abilities(l.Token.Abilities), User: user(l.User)}
}

func tokenPage(tokens Tokens, caller Caller) api.TokenList {
	list := api.TokenList{Data: []api.Token{}, HasMore: tokens.More, NextCursor: page.Cursor(tokens.Next)}
	for _, t := range tokens.Tokens {
		list.Data = append(list.Data, api.Token{ID: t.ID, Name: t.Name, Abilities: abilities(t.Abilities), CreatedAt: t.CreatedAt,
			LastUsedAt: page.OrNull(t.LastUsedAt), ExpiresAt: page.OrNull(t.ExpiresAt), Current: t.ID == caller.TokenID})
	}
	return list
}

func newToken(t NewToken) api.NewToken {
	return api.NewToken{ID: t.ID, Name: t.Name, Abilities: abilities(t.Abilities), CreatedAt: t.CreatedAt,
		LastUsedAt: page.OrNull(t.LastUsedAt), ExpiresAt: page.OrNull(t.ExpiresAt), Token: string(t.Secret)}
}

func tokenWish(body api.TokenCreate) TokenWish {
	wish := TokenWish{Name: body.Name, Abilities: texts(body.Abilities), NeverExpires: body.ExpiresAt.IsNull()}
	if at, err := body.ExpiresAt.Get(); err == nil {
		wish.ExpiresAt = &at
	}
	return wish
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

// either is the body, whichever media type it came as.
func either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}
