//go:build unix

package size

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
)

const (
	// deskRounds is how often each request is made. There are fewer seats ahead of the
	// long queue, and more than enough holds to expire.
	deskRounds  = 20
	expiries    = 20
	idle        = 6 * time.Second
	workerLimit = time.Minute
)

// desk is what books in a world.
type desk struct {
	*world
	people []lab.Person
	slots  []uuid.UUID
	// booked is the booking of the round.
	booked uuid.UUID
	keys   int
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
		return d.post(ctx, d.Hot, "/bookings/"+d.Seated[i].String()+"/cancel", map[string]any{"reason": "illness"})
	}, http.StatusOK},
}

func cancel(ctx context.Context, d *desk, i int) lab.Answer {
	return d.post(ctx, d.people[i], "/bookings/"+d.booked.String()+"/cancel", nil)
}

func (d *desk) post(ctx context.Context, as lab.Person, path string, body any) lab.Answer {
	d.keys++
	return d.client.As(as).Post(ctx, path, body, lab.Key(fmt.Sprintf("size-%d", d.keys)))
}

// measureDesk books, cancels, promotes and lets holds expire in both worlds in turn, with
// workers, and prints what the requests and the statements took.
func (m *measurement) measureDesk(ctx context.Context) error {
	worlds, stop, err := m.worlds(ctx, nil)
	if err != nil {
		return err
	}
	var desks [2]*desk
	for i, w := range worlds {
		if desks[i], err = newDesk(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	took := make([][2][]float64, len(actions))
	var statements []statement
	err = m.explain.session(ctx, func() (err error) {
		statements, err = m.explain.of(ctx, func() error {
			for round := range deskRounds {
				m.lab.Progress("bookings", round, deskRounds)
				if err := act(ctx, desks, round, took); err != nil {
					return err
				}
			}
			return errors.Join(desks[0].letExpire(ctx), desks[1].letExpire(ctx))
		})
		return err
	})
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	return errors.Join(writeActions(m.out, took), m.writeStatements(statements, worlds))
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

// newDesk makes people, and finds slots that they can book.
func newDesk(ctx context.Context, w *world) (*desk, error) {
	d := &desk{world: w}
	var err error
	if d.people, err = lab.People(ctx, w.url, deskRounds, access.Attendee); err != nil {
		return nil, err
	}
	if len(w.Seated) < deskRounds {
		return nil, fmt.Errorf("only %d have seats ahead of the long queue", len(w.Seated))
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return nil, err
	}
	defer closeConn(ctx, conn)
	rows, err := conn.Query(ctx, `
		SELECT s.id FROM slots s JOIN events e ON e.id = s.event_id
		WHERE e.status = 'published' AND s.status = 'open' AND s.waitlist_length = 0 AND s.capacity >= s.seats_taken + 10
		  AND s.starts_at > now() + interval '10 days'
		ORDER BY s.starts_at, s.id LIMIT $1`, deskRounds)
	if err != nil {
		return nil, err
	}
	d.slots, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err == nil && len(d.slots) == 0 {
		err = errors.New("no slot can be booked")
	}
	for n := len(d.slots); err == nil && len(d.slots) < deskRounds; {
		d.slots = append(d.slots, d.slots[len(d.slots)-n])
	}
	return d, err
}

// letExpire lets some holds be due, waits until the workers have ended them and have
// given the freed seats to the queue, and then for some rounds without work.
func (d *desk) letExpire(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if _, err := conn.Exec(ctx, `
		UPDATE bookings SET expires_at = clock_timestamp()
		WHERE id IN (SELECT id FROM bookings WHERE status = 'held' ORDER BY expires_at DESC LIMIT $1)`, expiries); err != nil {
		return err
	}
	err = lab.Await(ctx, workerLimit, func(ctx context.Context) error {
		var left int
		if err := conn.QueryRow(ctx, `
			SELECT (SELECT count(*) FROM bookings WHERE status = 'held' AND expires_at <= now())
			     + (SELECT capacity - seats_taken FROM slots WHERE id = $1)`, d.Queue).Scan(&left); err != nil {
			return err
		}
		if left > 0 {
			return fmt.Errorf("%s: %d holds and seats are left to the workers", d.name, left)
		}
		return nil
	})
	lab.Pause(ctx, idle)
	return err
}

func writeActions(out interface{ Write([]byte) (int, error) }, took [][2][]float64) error {
	rows := make([][]string, len(actions))
	for i, a := range actions {
		small, large := median(took[i][0]), median(took[i][1])
		rows[i] = []string{a.name, fmt.Sprintf("%.2f", small), fmt.Sprintf("%.2f", large), ratio(large, small), ""}
	}
	return writeTable(out, "Bookings, with every statement explained", []string{"request", "small ms", "large ms", "growth", ""}, rows)
}

// writeStatements prints what the statements of the desk and the workers read, and the
// plans of what grew.
func (m *measurement) writeStatements(statements []statement, worlds [2]*world) error {
	small, large := byName(statements, worlds[0].name), byName(statements, worlds[1].name)
	var rows [][]string
	var grown []pair
	for name, l := range large {
		s, known := small[name]
		if !known || min(s.calls, l.calls) < leastRounds {
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
	if err := writeTable(m.out, "Statements of bookings and workers, per call", heads, rows); err != nil {
		return err
	}
	return writePlans(m.out, grown)
}
