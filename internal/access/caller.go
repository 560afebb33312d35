// Package access says who the caller is and what they may do: their role, the
// abilities of their token, what they manage, and in which role the ledger records
// what they do. Each of these rules is here and nowhere else.
package access

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// Role is the role of a user.
type Role string

// The roles. An organizer manages their own events, an admin all events.
const (
	Attendee  Role = "attendee"
	Organizer Role = "organizer"
	Admin     Role = "admin"
)

// The abilities: what a token can be used for, within what its user may do.
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

// Caller is who makes a request: a user with one of their tokens, or nobody.
type Caller struct {
	UserID    uuid.UUID
	TokenID   uuid.UUID
	Role      Role
	Abilities []string
}

// Nobody is the caller of a request without a token.
var Nobody = Caller{}

// IsKnown says whether the caller is a user.
func (c Caller) IsKnown() bool { return c.UserID != uuid.Nil }

// Can says whether the caller's token has an ability.
func (c Caller) Can(ability string) bool {
	return slices.Contains(c.Abilities, AbilityAll) || slices.Contains(c.Abilities, ability)
}

type callerKey struct{}

// WithCaller adds the caller to a context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of a request, or Nobody. The server makes sure that
// operations that need a user have one.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

type addressKey struct{}

// WithAddress adds the address that a request's passwords are counted for to a context:
// the client's, or the network that stands for it.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// AddressFrom returns that address, or "" if it is not known.
func AddressFrom(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}
