//go:build unix

package lab_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/labtest"
	"eventbooking/internal/proof/spec"
)

// What the experiments stand on: servers and services that start, are killed and
// come back with what they had.
func TestServersComeBackWithWhatTheyHad(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l := labtest.Open(t)
	cluster, err := l.Cluster(ctx, "one", nil)
	must(t, err)
	binary, err := l.Binary()
	must(t, err)
	service, err := l.Service(ctx, "service", binary, cluster.URL(), nil)
	must(t, err)
	organizer, err := lab.People(ctx, cluster.URL(), 1, access.Organizer)
	must(t, err)
	client := service.Client().As(organizer[0])
	slots, err := client.Publish(ctx, lab.EventOptions{}, lab.Tomorrow(0, 1))
	must(t, err)
	booking, err := client.Post(ctx, "/slots/"+slots[0].ID.String()+"/bookings", map[string]int{"seats": 1}).Booking()
	must(t, err)

	must(t, cluster.Crash())
	if answer := client.Get(ctx, "/bookings/"+booking.ID.String()); answer.Status != http.StatusServiceUnavailable {
		t.Errorf("without a database: %d %s", answer.Status, answer.Body)
	}
	must(t, service.Kill())
	must(t, cluster.Start(ctx))
	must(t, cluster.Kill())
	must(t, cluster.Start(ctx))
	must(t, service.Start(ctx))
	must(t, client.Get(ctx, "/bookings/"+booking.ID.String()).Want(http.StatusOK, &booking))
	if booking.Status != spec.Confirmed {
		t.Errorf("%+v", booking)
	}
	found, err := service.Doctor(ctx)
	if err != nil || len(found) > 0 {
		t.Errorf("%v %v", found, err)
	}

	standby, err := cluster.Standby(ctx, "two", nil)
	must(t, err)
	must(t, cluster.Set(ctx, "synchronous_standby_names", "two"))
	must(t, lab.Await(ctx, 10*time.Second, func(ctx context.Context) error {
		return client.Post(ctx, "/bookings/"+booking.ID.String()+"/cancel", nil).Want(http.StatusOK, nil)
	}))
	must(t, cluster.Kill())
	must(t, standby.Promote(ctx))
	if n, err := cluster.Deadlocks(); n != 0 || err != nil {
		t.Errorf("%d deadlocks, %v", n, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What runs beside others may give its files the same names.
func TestRoomsHaveDirectoriesOfTheirOwn(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	one, err := l.Room("one")
	must(t, err)
	two, err := l.Room("two")
	must(t, err)
	if one.Dir() == two.Dir() || filepath.Dir(one.Dir()) != l.Dir() {
		t.Errorf("%s and %s in %s", one.Dir(), two.Dir(), l.Dir())
	}
	if _, err := l.Room("one"); err == nil {
		t.Error("one name is given twice")
	}
}
