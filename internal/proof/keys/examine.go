//go:build unix

package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/proof/load"
)

// examine counts the effects: everything that is stored was acknowledged once,
// and the reverse.
func (t *trial) examine(ctx context.Context, all []*sender) error {
	made, err := t.made(ctx, all)
	if err != nil {
		return err
	}
	found, err := t.deployment.Service.Doctor(ctx)
	if err != nil {
		return err
	}
	return load.Compare(ctx, t.deployment.Cluster.URL(), t.lab.Dir(), &t.receipts, append(found, made...)...)
}

// made compares the events and slots that the senders were told of with those
// that there are of theirs.
func (t *trial) made(ctx context.Context, all []*sender) (found []string, err error) {
	var organizers, events, slots []uuid.UUID
	for _, s := range all {
		organizers = append(organizers, s.person.ID)
		events = append(events, s.organizing.events...)
		slots = append(slots, s.organizing.slots...)
	}
	conn, err := pgx.Connect(ctx, t.deployment.Cluster.URL())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, c := range []struct {
		noun, sql string
		told      []uuid.UUID
	}{
		{"events", "SELECT id FROM events WHERE organizer_id = ANY($1)", events},
		{"slots", "SELECT s.id FROM slots s JOIN events e ON e.id = s.event_id WHERE e.organizer_id = ANY($1)", slots},
	} {
		rows, err := conn.Query(ctx, c.sql, organizers)
		if err != nil {
			return nil, err
		}
		there, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return nil, err
		}
		found = append(found, differences(c.noun, c.told, there)...)
	}
	return found, nil
}

// differences are what was told and is not there, and what is there and nobody
// was told of.
func differences(noun string, told, there []uuid.UUID) (found []string) {
	count := map[uuid.UUID]int{}
	for _, id := range there {
		count[id]++
	}
	for _, id := range told {
		count[id]--
	}
	for id, n := range count {
		switch {
		case n > 0:
			found = append(found, fmt.Sprintf("unaccounted: %s %s is there, and no answer told of it", noun, id))
		case n < 0:
			found = append(found, fmt.Sprintf("lost: %s %s was acknowledged %d times more often than it is there", noun, id, -n))
		}
	}
	return found
}
