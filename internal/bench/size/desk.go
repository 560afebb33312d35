//go:build unix

package size

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
)

const (
	// expiries is how many holds are let expire, at most.
	expiries = 20
	// idle is how long the workers are watched when nothing is left to do: longer than
	// between the rarest of their rounds.
	idle        = 12 * time.Second
	workerLimit = time.Minute
)

// desk is what books in a world.
type desk struct {
	*world
	people []lab.Person
	slots  []uuid.UUID
	// seated are bookings with the seats that the long queue waits for.
	seated []uuid.UUID
	// booked is the booking of the round.
	booked uuid.UUID
}

// action is a request that changes a booking.
type action struct {
	name string
	ask  func(ctx context.Context, d *desk, round int) lab.Answer
	want int
}

// actions are made one after the other in each round.
var actions = []action{
	{"book", func(ctx context.Context, d *desk, i int) lab.Answer {
		return d.post(ctx, d.people[i], "/slots/"+d.slots[i].String()+"/bookings", map[string]any{"seats": 1})
	}, http.StatusCreated},
	{"change the seats", func(ctx context.Context, d *desk, i int) lab.Answer {
		return d.client.As(d.people[i]).Do(ctx, http.MethodPatch, "/bookings/"+d.booked.String(), map[string]any{"seats": 2},
			lab.Header{Name: "Content-Type", Value: "application/merge-patch+json"})
	}, http.StatusOK},
	{"cancel", cancel, http.StatusOK},
	{"hold", func(ctx context.Context, d *desk, i int) lab.Answer {
		return d.post(ctx, d.people[i], "/slots/"+d.slots[i].String()+"/holds", map[string]any{"seats": 1})
	}, http.StatusCreated},
	{"confirm", func(ctx context.Context, d *desk, i int) lab.Answer {
		return d.post(ctx, d.people[i], "/bookings/"+d.booked.String()+"/confirm", nil)
	}, http.StatusOK},
	{"join the long queue", func(ctx context.Context, d *desk, i int) lab.Answer {
		return d.post(ctx, d.people[i], "/slots/"+d.Queue.String()+"/bookings", map[string]any{"seats": 1, "if_full": "waitlist"})
	}, http.StatusCreated},
	{"leave the long queue", cancel, http.StatusOK},
	{"cancel ahead of the long queue", func(ctx context.Context, d *desk, i int) lab.Answer {
		return d.post(ctx, d.Hot, "/bookings/"+d.seated[i].String()+"/cancel", map[string]any{"reason": "illness"})
	}, http.StatusOK},
}

func cancel(ctx context.Context, d *desk, i int) lab.Answer {
	return d.post(ctx, d.people[i], "/bookings/"+d.booked.String()+"/cancel", nil)
}

func (d *desk) post(ctx context.Context, as lab.Person, path string, body any) lab.Answer {
	return d.client.As(as).Post(ctx, path, body, lab.Key(uuid.NewString()))
}

// measureDesk books, cancels, promotes and lets holds expire in both worlds in turn, with
// workers, and prints what the requests took and, of other rounds, what the statements
// did.
func (m *measurement) measureDesk(ctx context.Context) error {
	err := m.inWorlds(ctx, true, false, func(worlds [2]*world) error {
		took, err := m.act(ctx, worlds)
		if err != nil {
			return err
		}
		return writeActions(m.out, took)
	})
	if err != nil || !m.explain.available {
		return err
	}
	return m.inWorlds(ctx, true, true, func(worlds [2]*world) error {
		statements, err := m.explain.of(ctx, func() error {
			if _, err := m.act(ctx, worlds); err != nil {
				return err
			}
			return errors.Join(worlds[0].letExpire(ctx), worlds[1].letExpire(ctx))
		})
		if err != nil {
			return err
		}
		return m.writeStatements(statements, worlds)
	})
}

// act lets new people make all requests in some rounds, and returns how many
// milliseconds each took in both worlds.
func (m *measurement) act(ctx context.Context, worlds [2]*world) (took [][2][]float64, err error) {
	var desks [2]*desk
	for i, w := range worlds {
		if desks[i], err = newDesk(ctx, w, m.rounds); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	took = make([][2][]float64, len(actions))
	for round := range m.rounds {
		m.progress("bookings", round, m.rounds)
		if err := act(ctx, desks, round, took); err != nil {
			return nil, err
		}
	}
	return took, errors.Join(worlds[0].awaitWorkers(ctx), worlds[1].awaitWorkers(ctx))
}

// act is one round.
func act(ctx context.Context, desks [2]*desk, round int, took [][2][]float64) error {
	for i, a := range actions {
		for w, d := range desks {
			answer := a.ask(ctx, d, round)
			if err := answer.Want(a.want, nil); err != nil {
				return fmt.Errorf("%s: %s: %w", d.name, a.name, err)
			}
			if b, err := answer.Booking(); err == nil && b.ID != uuid.Nil {
				d.booked = b.ID
			}
			took[i][w] = append(took[i][w], (answer.Returned-answer.Called).Seconds()*1000)
		}
	}
	return nil
}

// newDesk makes people, and finds what they can book and cancel.
func newDesk(ctx context.Context, w *world, rounds int) (*desk, error) {
	d := &desk{world: w}
	var err error
	if d.people, err = lab.People(ctx, w.url, rounds, access.Attendee); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return nil, err
	}
	defer closeConn(ctx, conn)
	if d.seated, err = ids(ctx, conn, "SELECT id FROM bookings WHERE slot_id = $1 AND status = 'confirmed' ORDER BY id", w.Queue); err != nil {
		return nil, err
	}
	free, err := ids(ctx, conn, `
		SELECT s.id FROM slots s JOIN events e ON e.id = s.event_id
		WHERE e.status = 'published' AND s.status = 'open' AND s.waitlist_length = 0 AND s.capacity >= s.seats_taken + 10
		  AND s.starts_at > now() + interval '10 days'
		ORDER BY s.starts_at, s.id LIMIT $1`, rounds)
	if err != nil {
		return nil, err
	}
	if len(free) == 0 || len(d.seated) < rounds {
		return nil, fmt.Errorf("%d slots can be booked, and %d have seats ahead of the long queue", len(free), len(d.seated))
	}
	for i := range rounds {
		d.slots = append(d.slots, free[i%len(free)])
	}
	return d, nil
}

func ids(ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([]uuid.UUID, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// letExpire lets some holds be due, waits for the workers, and then watches some rounds
// of theirs without work.
func (w *world) letExpire(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if _, err := conn.Exec(ctx, `
		UPDATE bookings SET expires_at = clock_timestamp()
		WHERE id IN (SELECT id FROM bookings WHERE status = 'held' ORDER BY expires_at DESC LIMIT $1)`, expiries); err != nil {
		return err
	}
	err = w.awaitWorkers(ctx)
	lab.Pause(ctx, idle)
	return err
}

// awaitWorkers waits until the workers have ended the holds that are due and have given
// the seats to the long queue.
func (w *world) awaitWorkers(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	return lab.Await(ctx, workerLimit, func(ctx context.Context) error {
		var holds, seats int
		if err := conn.QueryRow(ctx, `
			SELECT (SELECT count(*) FROM bookings WHERE status = 'held' AND expires_at <= now()),
			       (SELECT CASE WHEN waitlist_length > 0 THEN capacity - seats_taken ELSE 0 END FROM slots WHERE id = $1)`, w.Queue).Scan(&holds, &seats); err != nil {
			return err
		}
		if holds+seats > 0 {
			return fmt.Errorf("%s: the workers have left %d holds and %d free seats", w.name, holds, seats)
		}
		return nil
	})
}

func writeActions(out io.Writer, took [][2][]float64) error {
	rows := make([][]string, len(actions))
	for i, a := range actions {
		small, large := median(took[i][0]), median(took[i][1])
		rows[i] = []string{a.name, fmt.Sprintf("%.2f", small), fmt.Sprintf("%.2f", large), ratio(large, small), ""}
	}
	return writeTable(out, "Bookings and workers", []string{"request", "small ms", "large ms", "growth", ""}, rows)
}

// writeStatements prints what the statements of the desk and the workers read, and the
// plans of what grew.
func (m *measurement) writeStatements(statements []statement, worlds [2]*world) error {
	small, large := byName(statements, worlds[0].name), byName(statements, worlds[1].name)
	var rows [][]string
	var grown []pair
	for name, l := range large {
		s, known := small[name]
		if !known {
			continue
		}
		sms, sblocks := s.perCall()
		lms, lblocks := l.perCall()
		mark := ""
		if lblocks > deskGrowth*sblocks+noiseBlocks {
			mark = "grows"
			grown = append(grown, pair{name: name, small: timed{ms: sms, cost: s}, large: timed{ms: lms, cost: l}})
		}
		rows = append(rows, []string{name, fmt.Sprint(s.calls), fmt.Sprint(l.calls), fmt.Sprintf("%.3f", sms), fmt.Sprintf("%.3f", lms), ratio(lms, sms),
			fmt.Sprintf("%.1f", sblocks), fmt.Sprintf("%.1f", lblocks), ratio(lblocks, sblocks), mark})
	}
	slices.SortFunc(rows, func(a, b []string) int { return slices.Compare(a, b) })
	heads := []string{"statement", "small calls", "large calls", "small ms", "large ms", "growth", "small blocks", "large blocks", "growth", ""}
	if err := writeTable(m.out, "Statements of these, per call", heads, rows); err != nil {
		return err
	}
	return writePlans(m.out, grown)
}
