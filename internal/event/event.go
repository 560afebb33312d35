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
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
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
		return blank("/title")
	case !knownZone(s.TimeZone):
		f := fault.UnknownTimeZone.Newf("%q is not a time zone of the IANA database.", s.TimeZone)
		f.Fields = []fault.Field{{Pointer: "/time_zone", Code: "time_zone", Detail: "must be a name such as Europe/Berlin or UTC"}}
		return f
	}
	return s.checkPeriod()
}

func (r Rules) checkPeriod() error {
	opens, closes := r.BookingOpensAt, r.BookingClosesAt
	switch {
	case opens != nil && !plausible(*opens):
		return badTime("/booking_opens_at", "must be in the years 2000 to 2999")
	case closes != nil && !plausible(*closes):
		return badTime("/booking_closes_at", "must be in the years 2000 to 2999")
	case opens != nil && closes != nil && !opens.Before(*closes):
		return badTime("/booking_closes_at", "must be after booking_opens_at")
	}
	return nil
}

// plausible keeps out what is surely a mistake, and what could not be written
// in UTC with four digits for the year.
func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() <= 2999 }

// zoneName is how the names of the IANA database are written. What is more in the
// directory where it is found (posix/…, right/…), and other paths to a name
// (Europe//Berlin), nobody else knows.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// knownZone leaves out the names that mean something else on every machine.
func knownZone(name string) bool {
	if !zoneName.MatchString(name) || strings.EqualFold(name, "local") || strings.EqualFold(name, "localtime") {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// sees says whether the caller may know of something of an event.
func sees(caller account.Caller, organizerID uuid.UUID, status seating.EventStatus) bool {
	return status != seating.EventDraft || caller.Can(account.AbilityEventsRead) && caller.Manages(organizerID)
}

// manages refuses who does not manage an event. Somebody else's draft does not
// exist, in the very words of what does not; what everybody sees is merely not theirs.
func manages(caller account.Caller, organizerID uuid.UUID, status seating.EventStatus, missing error) error {
	switch {
	case caller.Manages(organizerID):
		return nil
	case status == seating.EventDraft:
		return missing
	}
	return fault.NotPermitted.New("Only the event's organizer and administrators may do this.")
}

// by is the caller as the ledger names them.
func by(caller account.Caller, reason string) seating.By {
	actor := seating.ByOrganizer
	if caller.Role == account.Admin {
		actor = seating.ByAdmin
	}
	return seating.By{Actor: actor, ID: caller.UserID, Reason: reason}
}

func noEvent() error { return fault.NotFound.New("There is no such event.") }

// transition is the refusal of a step that an event's life does not have.
func transition(from, to seating.EventStatus, detail string) error {
	return fault.InvalidTransition.New(detail).With("from", from).With("to", to)
}

func blank(pointer string) error {
	return fault.Invalid(fault.Field{Pointer: pointer, Code: "blank", Detail: "must not be blank"})
}

// badTime is the refusal of a time or of a range that ends there.
func badTime(pointer, detail string) error {
	f := fault.InvalidTimeRange.Newf("%s %s.", strings.TrimPrefix(pointer, "/"), detail)
	f.Fields = []fault.Field{{Pointer: pointer, Code: "time_range", Detail: detail}}
	return f
}

func eventOf(r db.EventGetRow) Event {
	return Event{
		ID: r.ID, OrganizerID: r.OrganizerID, Status: seating.EventStatus(r.Status), Revision: r.Revision,
		Settings: Settings{Title: r.Title, Description: r.Description, Location: r.Location, TimeZone: r.TimeZone, Rules: Rules{
			BookingOpensAt: utc(r.BookingOpensAt), BookingClosesAt: utc(r.BookingClosesAt),
			CancellationClosesMinutes: int(r.CancellationClosesMinutes),
			WaitlistMode:              seating.WaitlistMode(r.WaitlistMode), WaitlistLimit: convert[int](r.WaitlistLimit),
			OfferMinutes: int(r.OfferMinutes), Fit: seating.Fit(r.Fit), MaxPasses: int(r.MaxPasses),
			HoldMinutes: int(r.HoldMinutes),
		}},
		PublishedAt: utc(r.PublishedAt), CancelledAt: utc(r.CancelledAt), CancellationReason: r.CancellationReason,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
		StartsAt: utc(r.StartsAt), EndsAt: utc(r.EndsAt),
		SlotCount: int(r.SlotCount), SeatsAvailable: int(r.SeatsAvailable),
	}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func convert[To, From int | int32](p *From) *To {
	if p == nil {
		return nil
	}
	n := To(*p)
	return &n
}
