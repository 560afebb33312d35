//go:build unix

package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"eventbooking/internal/proof/lab"
)

// DueOptions say how many seats are passed on.
type DueOptions struct {
	// Holds are how many end in one moment. For each of them somebody waits.
	Holds   int
	Subject lab.Subject
}

const (
	// atOnce is how many people ask at the same time.
	atOnce = 64
	// slotsAnEvent is how many slots an event has at most.
	slotsAnEvent = 500
	// dueLead is how long before the moment it is set, dueLimit a generous bound on
	// what comes after it: how long it took is the figure.
	dueLead  = 2 * time.Second
	dueLimit = 60 * time.Second
)

// Due lets many holds end in one moment and kills the service as soon as the
// first seat was passed on. It measures how long it takes, from when the service
// is back, until the last one was.
func Due(ctx context.Context, l *lab.Lab, o DueOptions) (figure string, err error) {
	deployment, err := l.Deploy(ctx, "due", o.Subject)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, deployment.Close()) }()
	conn, err := pgx.Connect(ctx, deployment.Cluster.URL())
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var took []string
	for _, slots := range []int{1, max(2, o.Holds/10)} {
		s := scenario{deployment: deployment, conn: conn, slots: slots, holds: o.Holds}
		passed, err := s.passOn(ctx)
		if err != nil {
			return "", fmt.Errorf("%d holds in %d slots: %w", o.Holds, slots, err)
		}
		took = append(took, fmt.Sprintf("%.1f s (slots: %d)", passed.Seconds(), slots))
	}
	if found, err := deployment.Service.Doctor(ctx); err != nil || len(found) > 0 {
		return "", errors.Join(err, fmt.Errorf("the doctor found %v", found))
	}
	return fmt.Sprintf("%d holds due at once, the service killed meanwhile: the last seat was passed on after it was back within %s",
		o.Holds, strings.Join(took, " and ")), nil
}

// scenario is as many people who hold a seat as wait for one, evenly over some slots.
type scenario struct {
	deployment   *lab.Deployment
	conn         *pgx.Conn
	slots, holds int
}

func (s scenario) passOn(ctx context.Context) (time.Duration, error) {
	if err := s.fill(ctx); err != nil {
		return 0, err
	}
	due := lab.Now() + dueLead
	if _, err := s.conn.Exec(ctx, "UPDATE bookings SET expires_at = clock_timestamp() + $1 WHERE status = 'held'", dueLead); err != nil {
		return 0, err
	}
	if err := s.awaitWaiting(ctx, s.holds-1); err != nil {
		return 0, err
	}
	if err := errors.Join(s.deployment.Service.Kill(), s.deployment.Service.Start(ctx)); err != nil {
		return 0, err
	}
	from := max(due, lab.Now())
	if err := s.awaitWaiting(ctx, 0); err != nil {
		return 0, err
	}
	return lab.Now() - from, nil
}

// awaitWaiting waits until no more than so many wait, in all slots.
func (s scenario) awaitWaiting(ctx context.Context, most int) error {
	return lab.Await(ctx, dueLimit, func(ctx context.Context) error {
		var waiting int
		if err := s.conn.QueryRow(ctx, "SELECT sum(waitlist_length) FROM slots").Scan(&waiting); err != nil {
			return err
		}
		if waiting > most {
			return fmt.Errorf("%d of %d still wait", waiting, s.holds)
		}
		return nil
	})
}

// fill lets everybody come: first those who hold all the seats, then those who wait.
func (s scenario) fill(ctx context.Context) error {
	slots, err := s.publish(ctx)
	if err != nil {
		return err
	}
	for _, path := range []string{"/holds", "/bookings"} {
		people, err := s.deployment.People(ctx, s.holds)
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for i, person := range people {
			group.Go(func() error {
				body := map[string]any{}
				if path == "/bookings" {
					body["if_full"] = "waitlist"
				}
				slot := slots[i%len(slots)]
				return s.deployment.Organizer.As(person).Post(ctx, "/slots/"+slot.ID.String()+path, body).Want(http.StatusCreated, nil)
			})
			s.deployment.Lab.Progress("people who come", i, len(people))
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	_, err = s.conn.Exec(ctx, "ANALYZE") // as on any day
	return err
}

// publish makes the slots, with as many seats as there will be holds.
func (s scenario) publish(ctx context.Context) (all []lab.Slot, err error) {
	for len(all) < s.slots {
		options := make([]lab.SlotOptions, min(s.slots-len(all), slotsAnEvent))
		for i := range options {
			at := len(all) + i
			options[i] = lab.Tomorrow(0, (s.holds-at-1)/s.slots+1)
		}
		slots, err := s.deployment.Organizer.Publish(ctx, lab.EventOptions{HoldMinutes: new(60)}, options...)
		if err != nil {
			return nil, err
		}
		all = append(all, slots...)
	}
	return all, nil
}
