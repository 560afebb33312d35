package booking

import (
	"context"
	"net/http"
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

// Preview says what cancelling a booking would do now.
type Preview struct {
	BookingID uuid.UUID
	// Refusal is why the caller may not cancel; nil: they may.
	Refusal *fault.Error
	// ClosesAt is the time from which they may not; zero: they always may.
	ClosesAt   time.Time
	SeatsFreed int
	// WouldPromote is how many waiting bookings would get seats, up to
	// seating.PromotePage.
	WouldPromote int
	// SlotVersion is the slot's version at which this holds.
	SlotVersion int64
}

// previewedUpgrades is for how many waiting upgrades a preview reads the slots in
// which they give seats back.
const previewedUpgrades = 20

// Preview returns what cancelling a booking would do, for its owner or who manages
// its event; for everybody else it is fault.NotFound. What is due already happens
// first, because it is no consequence of the cancellation.
func (s *Service) Preview(ctx context.Context, caller access.Caller, id uuid.UUID) (Preview, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return Preview{}, err
	}
	also, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]uuid.UUID, error) {
		return db.New().SlotsGivenBack(ctx, c, db.SlotsGivenBackParams{SlotID: b.SlotID, Heads: seating.HeadsPage, Page: previewedUpgrades, Hops: seating.MaxReplacements})
	})
	if err != nil {
		return Preview{}, err
	}
	actor := b.actor(caller, "")
	results, err := desk.DryRun(ctx, s.pool,
		seating.Expire{SlotID: b.SlotID},
		seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: actor},
		seating.Promote{SlotID: b.SlotID, Also: also})
	refusal := fault.Of(err)
	if err != nil && (refusal == nil || refusal.Status != http.StatusConflict) {
		return Preview{}, err
	}
	slot := results[0].Slot
	preview := Preview{BookingID: b.ID, SlotVersion: slot.Version}
	if actor.Role == seating.ActorAttendee && b.Status == seating.Confirmed {
		preview.ClosesAt = slot.CancellationClosesAt(&b.Booking.Booking)
	}
	if refusal != nil {
		preview.Refusal = refusal
		return preview, nil
	}
	preview.SeatsFreed = slot.SeatsTaken - results[1].Slot.SeatsTaken
	preview.WouldPromote = len(results[2].Promoted)
	return preview, nil
}
