package booking

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Preview is what cancelling a booking would do at this moment.
type Preview struct {
	BookingID uuid.UUID
	// Refusal is why the caller may not; nil: they may.
	Refusal *fault.Error
	// ClosesAt is until when they may; zero: no such time holds.
	ClosesAt   time.Time
	SeatsFreed int
	// WouldPromote counts those who would get seats, within the page that one
	// command promotes.
	WouldPromote int
	// SlotVersion is where this was looked at.
	SlotVersion int64
}

const (
	// upgradesSeen is how many who wait with an upgrade are looked at as such: their
	// other slots belong to the look.
	upgradesSeen = 20
	// successorsSeen is how far a booking that was replaced itself is followed.
	successorsSeen = 10
)

// Preview tells who sees a booking what cancelling it would do. First the slot is
// brought up to date: what is due by now is no consequence of the cancellation.
func (s *Service) Preview(ctx context.Context, caller access.Caller, id uuid.UUID) (Preview, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return Preview{}, err
	}
	also, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]uuid.UUID, error) {
		return db.New().SlotsGivenBack(ctx, c, db.SlotsGivenBackParams{SlotID: b.SlotID, Page: upgradesSeen, Hops: successorsSeen})
	})
	if err != nil {
		return Preview{}, err
	}
	by := b.actor(caller, "")
	results, err := desk.DryRun(ctx, s.pool,
		seating.Expire{SlotID: b.SlotID},
		seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: by},
		seating.Promote{SlotID: b.SlotID, Also: also})
	refused := errors.Is(err, fault.CancellationWindowClosed) || errors.Is(err, fault.InvalidTransition)
	if err != nil && !refused {
		return Preview{}, err
	}
	now := results[0].Slot
	preview := Preview{BookingID: b.ID, SlotVersion: now.Version}
	if by.Role == seating.ActorAttendee && b.Status == seating.Confirmed {
		preview.ClosesAt = now.CancellationClosesAt()
	}
	if refused {
		preview.Refusal = fault.Of(err)
		return preview, nil
	}
	preview.SeatsFreed = now.SeatsTaken - results[1].Slot.SeatsTaken
	preview.WouldPromote = len(results[2].Promoted)
	return preview, nil
}
