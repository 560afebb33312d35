//go:build unix

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// register registers a user by the API, and returns a client with their token.
func (h *env) register(name string) (*testkit.Client, api.User) {
	h.t.Helper()
	var login api.LoginResult
	h.Post("/api/v1/auth/register", api.UserCreate{Email: name + "@test.com", Name: name, Password: testkit.Password}).
		Want(http.StatusCreated).Into(&login)
	return h.As(login.Token), login.User
}

// publishedSlot makes an organizer, and by them an event with a waitlist for one and
// a slot with one seat.
func (h *env) publishedSlot() (slot api.Slot) {
	h.t.Helper()
	_, admin := h.user(access.Admin)
	organizer, user := h.register("olga")
	organizer.Post("/api/v1/events", `{"title": "Concert", "time_zone": "Europe/Berlin"}`).WantProblem(fault.NotPermitted)
	admin.Patch("/api/v1/users/"+user.ID.String(), `{"role": "organizer"}`).Want(http.StatusOK)

	var event api.Event
	organizer.Post("/api/v1/events", `{"title": "Concert", "time_zone": "Europe/Berlin"}`).Want(http.StatusCreated).Into(&event)
	path := "/api/v1/events/" + event.ID.String()
	create := slotCreate()
	create.Capacity = 1
	organizer.Post(path+"/slots", create).Want(http.StatusCreated).Into(&slot)
	organizer.Patch(path, `{"waitlist_limit": 1}`, testkit.OffContract).WantProblem(fault.VersionRequired)
	stale := organizer.Get(path).Want(http.StatusOK).Header.Get("ETag")
	organizer.Patch(path, `{"waitlist_limit": 1}`, testkit.Header("If-Match", stale)).Want(http.StatusOK)
	organizer.Patch(path, `{"waitlist_limit": 2}`, testkit.Header("If-Match", stale)).WantProblem(fault.VersionMismatch)
	organizer.Post(path+"/publish", nil).Want(http.StatusOK)
	return slot
}

func TestACancellationPromotesTheFirstOfTheWaitlist(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	slot := h.publishedSlot()
	ann, _ := h.register("ann")
	bob, _ := h.register("bob")
	cay, _ := h.register("cay")
	book := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	var first, second api.Booking
	ann.Post(book, `{}`).Want(http.StatusCreated).Into(&first)
	bob.Post(book, `{}`).WantProblem(fault.SlotFull)
	bob.Post(book, `{"if_full": "waitlist"}`).Want(http.StatusCreated).Into(&second)
	if first.Status != api.BookingStatusConfirmed || second.Status != api.BookingStatusWaitlisted || second.WaitlistPosition.MustGet() != 1 {
		t.Errorf("%+v\n%+v", first, second)
	}
	cay.Post(book, `{"if_full": "waitlist"}`).WantProblem(fault.WaitlistFull)
	ann.Post("/api/v1/bookings/"+first.ID.String()+"/cancel", nil).Want(http.StatusOK)
	eventually(t, "the waiting booking is promoted", func() bool {
		bob.Get("/api/v1/bookings/" + second.ID.String()).Want(http.StatusOK).Into(&second)
		return second.Status == api.BookingStatusConfirmed
	})
	var chain api.BookingChain
	bob.Get("/api/v1/bookings/" + second.ID.String() + "/chain").Want(http.StatusOK).Into(&chain)
	if len(chain.Causes) == 0 || chain.Causes[0].Entry.Kind != api.LedgerKindCancelled {
		t.Errorf("the promotion's cause is not the cancellation: %+v", chain)
	}
}

// The links repeat the parameters of the request, without defaults.
func TestLinksLeadThroughAllPages(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for range 5 {
		testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	}
	seen := map[uuid.UUID]bool{}
	pages := 0
	for path := "/api/v1/events?limit=2&q=event"; path != ""; pages++ {
		answer := h.Get(path).Want(http.StatusOK)
		var page api.EventList
		answer.Into(&page)
		for _, e := range page.Data {
			seen[e.ID] = true
		}
		link := answer.Header.Get("Link")
		path, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
		if page.HasMore != (path != "") || strings.Contains(link, "when=") {
			t.Fatalf("has_more is %t, Link: %s", page.HasMore, link)
		}
	}
	if len(seen) != 5 || pages != 3 {
		t.Errorf("%d events on %d pages", len(seen), pages)
	}
}

// 500 users book 50 seats at once, and every fifth cancels. In the end all seats are
// taken, and the doctor finds no violations.
func TestAllSeatsAreTakenAfterManyConcurrentBookings(t *testing.T) {
	testkit.SkipIfShort(t, "it sends hundreds of concurrent requests")
	t.Parallel()
	const people, seats = 500, 50
	h := newEnv(t, func(c *server.Config) { c.MaxConns = 16 })
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(seats))
	path := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	clients := make([]*testkit.Client, people)
	for i := range clients {
		_, clients[i] = h.user(access.Attendee)
	}
	var group sync.WaitGroup
	for i, c := range clients {
		group.Go(func() {
			var b api.Booking
			answer := c.Post(path, `{"if_full": "waitlist"}`, testkit.Header("Idempotency-Key", fmt.Sprint(i)))
			if answer.Want(http.StatusCreated).Status != http.StatusCreated {
				return
			}
			answer.Into(&b)
			if i%5 == 0 {
				c.Post("/api/v1/bookings/"+b.ID.String()+"/cancel", nil).Want(http.StatusOK)
			}
		})
	}
	group.Wait()
	waiting := people - people/5 - seats
	eventually(t, "all free seats are taken", func() bool {
		var s db.Slot
		row := h.pool.QueryRow(t.Context(), "SELECT seats_taken, waitlist_length FROM slots WHERE id = $1", slot.ID)
		return row.Scan(&s.SeatsTaken, &s.WaitlistLength) == nil && int(s.SeatsTaken) == seats && int(s.WaitlistLength) == waiting
	})
	testkit.Sound(t, h.pool)
}
