// Package access knows who is asking and what they may do: the caller with their
// role and the abilities of their token, who manages what, and in which role
// somebody acts when the ledger records it. Each of these rules stands here once.
package access

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// Role is what a user is to the whole service.
type Role string

// The roles. An organizer manages their own events, an admin all of them.
const (
	Attendee  Role = "attendee"
	Organizer Role = "organizer"
	Admin     Role = "admin"
)

// What a token can be used for, within what its user may do.
const (
	AbilityAll           = "*"
	AbilityMeRead        = "me:read"
	AbilityMeWrite       = "me:write"
	AbilityBookingsRead  = "bookings:read"
	AbilityBookingsWrite = "bookings:write"
	AbilityEventsRead    = "events:read"
	AbilityEventsWrite   = "events:write"
	AbilityUsersRead     = "users:read"
	AbilityUsersWrite    = "users:write"
)

// Caller is who is asking: a user by one of their tokens, or nobody.
type Caller struct {
	UserID    uuid.UUID
	TokenID   uuid.UUID
	Role      Role
	Abilities []string
}

// Nobody is the caller of a request without a token.
var Nobody = Caller{}

// IsKnown says whether a user is asking.
func (c Caller) IsKnown() bool { return c.UserID != uuid.Nil }

// Can says whether the caller's token has an ability.
func (c Caller) Can(ability string) bool {
	return slices.Contains(c.Abilities, AbilityAll) || slices.Contains(c.Abilities, ability)
}

type callerKey struct{}

// WithCaller puts the caller where handlers find it.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom is who is asking. Operations that need a user are not reached
// without one: the server sees to that.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
