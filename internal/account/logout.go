package account

import (
	"context"
	"errors"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

// LogOut revokes the request's token. It is no error if a concurrent request has
// revoked it already.
func (s *Service) LogOut(ctx context.Context, caller access.Caller) error {
	err := s.DeleteToken(ctx, caller, caller.TokenID)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
