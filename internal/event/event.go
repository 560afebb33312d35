// Package event lets organizers make events and slots, and everybody find them.
// What it decides about an event's row it writes by itself; what concerns the
// seats of a slot goes to the desk, or into the transaction by way of seating.
//
// Lock order: slots by id, then the idempotency key's user, then the event's
// row. An operation with a key locks no slot but by way of the desk.
package event

import (
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// Event is what people attend.
type Event struct {
	ID, OrganizerID uuid.UUID
	Settings
	Status seating.EventStatus
	// Revision counts changes of the settings and of the status.
	Revision             int64
	PublishedAt          *time.Time
	CancelledAt          *time.Time
	CancellationReason   *string
	CreatedAt, UpdatedAt time.Time
	StartsAt, EndsAt     *time.Time // of its slots
	SlotCount            int
	SeatsAvailable       int
}

// Settings are what the organizer writes. Times are in UTC and whole
// microseconds, so that settings can be compared with those that were stored.
type Settings struct {
	Title, Description, Location, TimeZone string
	Rules
}

// Rules are the settings that seats depend on. They change only under the locks
// of all slots of the event, because the desk reads them after locking one.
type Rules struct {
	BookingOpensAt, BookingClosesAt *time.Time
	CancellationClosesMinutes       int
	WaitlistMode                    seating.WaitlistMode
	WaitlistLimit                   *int
	OfferMinutes                    int
	Fit                             seating.Fit
	MaxPasses                       int
	HoldMinutes                     int
}

// Defaults are the settings of an event that says nothing about them.
var Defaults = Settings{Rules: Rules{
	WaitlistMode: seating.WaitlistAutomatic, OfferMinutes: 60, Fit: seating.FitStrict, MaxPasses: 3, HoldMinutes: 10,
}}

func (s Settings) equals(other Settings) bool { return reflect.DeepEqual(s, other) }

func (r Rules) equals(other Rules) bool { return reflect.DeepEqual(r, other) }

// check holds the rules that the contract cannot say.
func (s Settings) check() error {
	switch {
	case strings.TrimSpace(s.Title) == "":
		return errBlank("/title")
	case !isZone(s.TimeZone):
		f := fault.UnknownTimeZone.Newf("%q is not a time zone of the IANA database.", s.TimeZone)
		f.Fields = []fault.Field{{Pointer: "/time_zone", Code: "time_zone", Detail: "must be a name such as Europe/Berlin or UTC"}}
		return f
	}
	return s.checkPeriod()
}

func (r Rules) checkPeriod() error {
	opens, closes := r.BookingOpensAt, r.BookingClosesAt
	switch {
	case opens != nil && !isPlausible(*opens):
		return errBadTime("/booking_opens_at", "must be in the years 2000 to 2999")
	case closes != nil && !isPlausible(*closes):
		return errBadTime("/booking_closes_at", "must be in the years 2000 to 2999")
	case opens != nil && closes != nil && !opens.Before(*closes):
		return errBadTime("/booking_closes_at", "must be after booking_opens_at")
	}
	return nil
}

// isPlausible keeps out what is surely a mistake, and what could not be written
// in UTC with four digits for the year.
func isPlausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() <= 2999 }

// zoneName is how the names of the IANA database are written. What is more in the
// directory where it is found (posix/…, right/…), and other paths to a name
// (Europe//Berlin), nobody else knows.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// isZone leaves out the names that mean something else on every machine.
func isZone(name string) bool {
	if !zoneName.MatchString(name) || strings.EqualFold(name, "local") || strings.EqualFold(name, "localtime") {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// canSee says whether the caller may know of an event and what belongs to it.
func canSee(caller access.Caller, organizerID uuid.UUID, status seating.EventStatus) bool {
	return status != seating.EventDraft || caller.Can(access.AbilityEventsRead) && caller.Manages(organizerID)
}

func errNoEvent() error { return fault.NotFound.New("There is no such event.") }

// errInvalidTransition refuses a step that an event's life does not have.
func errInvalidTransition(from, to seating.EventStatus, detail string) error {
	return fault.InvalidTransition.New(detail).With(fault.Members{From: new(string(from)), To: new(string(to))})
}

func errBlank(pointer string) error {
	return fault.Invalid(fault.Field{Pointer: pointer, Code: "blank", Detail: "must not be blank"})
}

// errBadTime refuses a time, or a range that ends there.
func errBadTime(pointer, detail string) error {
	f := fault.InvalidTimeRange.Newf("%s %s.", strings.TrimPrefix(pointer, "/"), detail)
	f.Fields = []fault.Field{{Pointer: pointer, Code: "time_range", Detail: detail}}
	return f
}

// row is what the database keeps of the settings of an event.
func (s Settings) row(id, organizerID uuid.UUID) db.EventUpdateParams {
	return db.EventUpdateParams{
		ID: id, OrganizerID: organizerID,
		Title: s.Title, Description: s.Description, Location: s.Location, TimeZone: s.TimeZone,
		BookingOpensAt: s.BookingOpensAt, BookingClosesAt: s.BookingClosesAt,
		CancellationClosesMinutes: int32(s.CancellationClosesMinutes),
		WaitlistMode:              string(s.WaitlistMode), WaitlistLimit: convert[int32](s.WaitlistLimit),
		OfferMinutes: int32(s.OfferMinutes), Fit: string(s.Fit), MaxPasses: int32(s.MaxPasses),
		HoldMinutes: int32(s.HoldMinutes),
	}
}

func eventOf(r db.EventGetRow) Event {
	return Event{
		ID: r.ID, OrganizerID: r.OrganizerID, Status: seating.EventStatus(r.Status), Revision: r.Revision,
		Settings: Settings{Title: r.Title, Description: r.Description, Location: r.Location, TimeZone: r.TimeZone, Rules: Rules{
			BookingOpensAt: view.UTC(r.BookingOpensAt), BookingClosesAt: view.UTC(r.BookingClosesAt),
			CancellationClosesMinutes: int(r.CancellationClosesMinutes),
			WaitlistMode:              seating.WaitlistMode(r.WaitlistMode), WaitlistLimit: convert[int](r.WaitlistLimit),
			OfferMinutes: int(r.OfferMinutes), Fit: seating.Fit(r.Fit), MaxPasses: int(r.MaxPasses),
			HoldMinutes: int(r.HoldMinutes),
		}},
		PublishedAt: view.UTC(r.PublishedAt), CancelledAt: view.UTC(r.CancelledAt), CancellationReason: r.CancellationReason,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
		StartsAt: view.UTC(r.StartsAt), EndsAt: view.UTC(r.EndsAt),
		SlotCount: int(r.SlotCount), SeatsAvailable: int(r.SeatsAvailable),
	}
}

func convert[To, From int | int32](p *From) *To {
	if p == nil {
		return nil
	}
	n := To(*p)
	return &n
}
