// Package event has what organizers do with events and slots, and how everybody
// finds them. It writes events itself; what concerns the seats of a slot goes through
// package desk.
//
// Lock order: slots by id, then their event's row, then the user of an idempotency key.
// An operation with a key locks slots only by way of the desk.
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
	// Revision counts the changes of settings and status.
	Revision             int64
	PublishedAt          *time.Time
	CancelledAt          *time.Time
	CancellationReason   *string
	CreatedAt, UpdatedAt time.Time
	StartsAt, EndsAt     *time.Time // of its slots
	SlotCount            int
	SeatsAvailable       int
}

// Settings are what the organizer edits. Times are in UTC and whole microseconds, so
// that settings can be compared with stored ones.
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
	// WalkIns keeps booking open while a slot runs.
	WalkIns bool
	// The most seats of one booking, and of one user in all slots; nil: any number.
	MaxSeatsPerBooking, MaxSeatsPerUser *int
}

// Defaults are the settings of a new event that are omitted.
var Defaults = Settings{Rules: Rules{
	WaitlistMode: seating.WaitlistAutomatic, OfferMinutes: 60, Fit: seating.FitStrict, MaxPasses: 3, HoldMinutes: 10,
	MaxSeatsPerBooking: new(10),
}}

func (s Settings) equals(other Settings) bool { return reflect.DeepEqual(s, other) }

func (r Rules) equals(other Rules) bool { return reflect.DeepEqual(r, other) }

// check checks the rules that the contract cannot express.
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

// checkBookable refuses rules and slots with which nobody could ever book the event:
// without a slot that has not ended, or if booking opens when all have started, or
// ended with WalkIns. Cancelled slots do not count.
func (r Rules) checkBookable(of db.EventLastSlotsRow) error {
	last, what := of.LastStart, "started"
	if r.WalkIns {
		last, what = of.LastEnd, "ended"
	}
	switch {
	case of.Slots == 0:
		return fault.NoBookableSlot.New("The event has no slot that is not cancelled.")
	case !of.Now.Before(of.LastEnd):
		return fault.NoBookableSlot.New("All slots of the event have ended.")
	case r.BookingOpensAt != nil && !r.BookingOpensAt.Before(last):
		return fault.NoBookableSlot.Newf("Booking opens at %s, when all slots of the event have %s.", r.BookingOpensAt.UTC().Format(time.RFC3339), what)
	}
	return nil
}

// isPlausible says whether a time can be meant. It excludes times that cannot be
// written in UTC with a year of four digits.
func isPlausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() <= 2999 }

// zoneName matches names of the IANA database. It excludes other files in the
// directory of the database (posix/…, right/…), and other paths to a zone
// (Europe//Berlin), which other software does not know.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// isZone says whether a name is a time zone. It excludes the names of the local zone,
// which differs between machines.
func isZone(name string) bool {
	if !zoneName.MatchString(name) || strings.EqualFold(name, "local") || strings.EqualFold(name, "localtime") {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// canSee says whether the caller may see an event and its slots: everybody sees all
// but drafts.
func canSee(caller access.Caller, organizerID uuid.UUID, status seating.EventStatus) bool {
	return status != seating.EventDraft || caller.Can(access.AbilityEventsRead) && caller.Manages(organizerID)
}

func errNoEvent() error { return fault.NotFound.New("There is no such event.") }

// errInvalidTransition refuses a change to a status that cannot follow the present one.
func errInvalidTransition(from, to seating.EventStatus, detail string) error {
	return fault.InvalidTransition.New(detail).With(fault.Members{From: new(string(from)), To: new(string(to))})
}

func errBlank(pointer string) error {
	return fault.Invalid(fault.Field{Pointer: pointer, Code: "blank", Detail: "must not be blank"})
}

// errBadTime refuses a time.
func errBadTime(pointer, detail string) error {
	f := fault.InvalidTimeRange.Newf("%s %s.", strings.TrimPrefix(pointer, "/"), detail)
	f.Fields = []fault.Field{{Pointer: pointer, Code: "time_range", Detail: detail}}
	return f
}

// row converts the settings of an event for the database.
func (s Settings) row(id, organizerID uuid.UUID) db.EventUpdateParams {
	return db.EventUpdateParams{
		ID: id, OrganizerID: organizerID,
		Title: s.Title, Description: s.Description, Location: s.Location, TimeZone: s.TimeZone,
		BookingOpensAt: s.BookingOpensAt, BookingClosesAt: s.BookingClosesAt,
		CancellationClosesMinutes: int32(s.CancellationClosesMinutes),
		WaitlistMode:              string(s.WaitlistMode), WaitlistLimit: convert[int32](s.WaitlistLimit),
		OfferMinutes: int32(s.OfferMinutes), Fit: string(s.Fit), MaxPasses: int32(s.MaxPasses),
		HoldMinutes: int32(s.HoldMinutes), WalkIns: s.WalkIns,
		MaxSeatsPerBooking: convert[int32](s.MaxSeatsPerBooking), MaxSeatsPerUser: convert[int32](s.MaxSeatsPerUser),
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
			HoldMinutes: int(r.HoldMinutes), WalkIns: r.WalkIns,
			MaxSeatsPerBooking: convert[int](r.MaxSeatsPerBooking), MaxSeatsPerUser: convert[int](r.MaxSeatsPerUser),
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
