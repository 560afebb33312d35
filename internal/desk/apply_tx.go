package desk

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/seating"
)

// ApplyTx applies commands that need nothing but their slots, and inserts the jobs
// that they request, in a transaction that has locked these slots. The first
// refusal ends it.
func (d *Desk) ApplyTx(ctx context.Context, tx pgx.Tx, commands ...seating.Command) error {
	var ids []uuid.UUID
	for _, c := range commands {
		ids = append(ids, c.Needs().Slots...)
	}
	q, l := db.New(), &loaded{}
	rows, err := q.SlotsLoad(ctx, tx, ids)
	if err != nil {
		return fmt.Errorf("load slots: %w", err)
	}
	l.slots = slotsByID(rows)
	if l.now, err = q.ClockRead(ctx, tx); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	state := l.state()
	for _, c := range commands {
		if _, err := state.Apply(c); err != nil {
			return err
		}
	}
	w := &writing{ctx: ctx, queries: q, state: state, was: l}
	w.slots()
	w.ledger()
	if w.err != nil {
		return w.err
	}
	if err := w.pipe.send(ctx, tx.Conn()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if jobs := jobsOf(state); len(jobs) > 0 {
		if _, err := d.jobs.InsertManyTx(ctx, tx, jobs); err != nil {
			return fmt.Errorf("insert jobs: %w", err)
		}
	}
	return nil
}
