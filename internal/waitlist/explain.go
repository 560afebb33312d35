package waitlist

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Explain returns where a booking waits and why, for its owner or who manages its
// event; for everybody else it is fault.NotFound. One statement reads all of it, so
// that it is consistent.
func (s *Service) Explain(ctx context.Context, caller access.Caller, bookingID uuid.UUID) (Position, error) {
	row, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.WaitlistPositionGetRow, error) {
		return db.New().WaitlistPositionGet(ctx, c, bookingID)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Position{}, err
	}
	if err != nil || !caller.CanSeeBooking(row.Booking.UserID, row.OrganizerID) {
		return Position{}, fault.NotFound.New("There is no such booking.")
	}
	return positionOf(row), nil
}

func positionOf(r db.WaitlistPositionGetRow) Position {
	b := desk.BookingOf(r.Booking)
	return Position{
		BookingID: b.ID, SlotID: b.SlotID, UserID: b.UserID, Status: b.Status, Seats: b.Seats, SeatsMin: b.SeatsMin,
		QueuedVersion: b.QueuedVersion, Passes: b.Passes, PassedBy: passes(r),
		BlockedBy: r.Blocker, BlockedVersion: blockedVersion(b, r), FirstFit: seating.Fit(r.Fit) == seating.FitFirstFit,
		BookingsAhead: int(r.BookingsAhead), SeatsAhead: int(r.SeatsAhead),
		ReadyBookingsAhead: int(r.ReadyBookingsAhead), ReadySeatsAhead: int(r.ReadySeatsAhead), Outgrown: int(r.Outgrown),
		HoldupSeats: int(r.HoldupSeats), HoldupVersion: r.HoldupVersion, OversizedAhead: int(r.OversizedAhead),
		ShortVersion: r.ShortVersion, HeldupVersion: r.HeldupVersion,
		Capacity: int(r.Capacity), SeatsTaken: int(r.SeatsTaken),
		SlotStatus: seating.SlotStatus(r.SlotStatus), Started: r.Started, IsOver: r.IsOver,
		SlotVersion: r.SlotVersion, FreedVersion: r.FreedVersion,
	}
}

// blockedVersion is the entry that marked the booking as blocked, if it is blocked for
// that reason now; 0: none has yet.
func blockedVersion(b seating.Booking, r db.WaitlistPositionGetRow) int64 {
	now := seating.BlockedCapacity
	if r.Blocker != uuid.Nil {
		now = seating.BlockedOverlap
	}
	if b.Blocked != now {
		return 0
	}
	return r.BlockedVersion
}

func passes(r db.WaitlistPositionGetRow) []Pass {
	list := make([]Pass, len(r.PassedVersions))
	for i, version := range r.PassedVersions {
		list[i] = Pass{At: r.PassedAts[i], Version: version, Seats: int(r.PassedSeats[i]), Free: int(r.PassedFree[i])}
	}
	return list
}
