package desk

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PromoteArgs is the job that promotes the waitlist of a slot. The transaction that
// frees seats inserts it, so the job is as durable as the free seats. These jobs
// are not unique: River would drop a job that is inserted while one for the same
// slot runs, and that one may have read the slot before.
type PromoteArgs struct {
	SlotID uuid.UUID   `json:"slot_id"`
	Also   []uuid.UUID `json:"also,omitempty"`
}

// Kind names the job.
func (PromoteArgs) Kind() string { return "promote" }

// CancelBookingsArgs is the job that cancels the bookings of a cancelled slot.
type CancelBookingsArgs struct {
	SlotID uuid.UUID `json:"slot_id"`
}

// Kind names the job. The name cannot change while such jobs are queued.
func (CancelBookingsArgs) Kind() string { return "clear" }

// transaction lets River insert jobs into a transaction that was begun in a pipeline.
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
