package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

// checkDispensableTx refuses that a user is deleted who is the last administrator, or
// the organizer of events that are still to come. The user and all administrators are
// locked.
func checkDispensableTx(ctx context.Context, tx pgx.Tx, user db.User) error {
	if err := checkNotLastAdminTx(ctx, tx, user); err != nil {
		return err
	}
	return checkNoEventsAheadTx(ctx, tx, user.ID)
}

// checkNotLastAdminTx refuses that the last administrator stops being one.
func checkNotLastAdminTx(ctx context.Context, tx pgx.Tx, user db.User) error {
	if access.Role(user.Role) != access.Admin {
		return nil
	}
	others, err := db.New().AdminsCountOthers(ctx, tx, user.ID)
	if err == nil && others == 0 {
		err = fault.LastAdministrator.New("This user is the only administrator. Make another one first.")
	}
	return err
}

// checkNoEventsAheadTx refuses that somebody stops being the organizer of published
// events that have not ended.
func checkNoEventsAheadTx(ctx context.Context, tx pgx.Tx, userID uuid.UUID) error {
	events, err := db.New().OrganizerEventsAhead(ctx, tx, userID)
	if err == nil && events > 0 {
		err = fault.OrganizerHasEvents.Newf("This user is the organizer of %s. Cancel them first: POST /api/v1/events/{event_id}/cancel.",
			fault.Count(int(events), "unfinished published event"))
	}
	return err
}
