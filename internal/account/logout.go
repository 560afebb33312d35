package account

import (
	"context"
	"errors"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

// LogOut revokes the token of the request. If another request was faster, it is
// revoked all the same.
func (s *Service) LogOut(ctx context.Context, caller access.Caller) error {
	err := s.DeleteToken(ctx, caller, caller.TokenID)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
