package desk

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PromoteArgs is the job that lets a slot promote. A transaction that frees seats
// inserts it, so that the job is as durable as the free seats. Jobs are not
// unique: uniqueness loses a job that is inserted while one of its kind runs.
type PromoteArgs struct {
	SlotID uuid.UUID   `json:"slot_id"`
	Also   []uuid.UUID `json:"also,omitempty"`
}

// Kind names the job.
func (PromoteArgs) Kind() string { return "promote" }

// CancelBookingsArgs is the job that cancels the bookings of a cancelled slot, page by page.
type CancelBookingsArgs struct {
	SlotID uuid.UUID `json:"slot_id"`
}

// Kind names the job; queued jobs keep the name that they were given once.
func (CancelBookingsArgs) Kind() string { return "clear" }

// transaction lets River insert jobs into the transaction that the desk has
// begun in a pipeline.
type transaction struct{ conn }

// conn is a name for the embedded field that leaves Conn free for the method.
type conn = *pgx.Conn

type commandTag = pgconn.CommandTag

func (t transaction) Commit(ctx context.Context) error {
	_, err := t.Exec(ctx, "COMMIT")
	return err
}

func (t transaction) Rollback(ctx context.Context) error {
	_, err := t.Exec(ctx, "ROLLBACK")
	return err
}

func (t transaction) LargeObjects() pgx.LargeObjects { panic("the desk has no large objects") }

func (t transaction) Conn() *pgx.Conn { return t.conn }
