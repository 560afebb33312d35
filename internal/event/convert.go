package event

import (
	"time"

	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

func filter(p api.ListEventsParams) Filter {
	sort := view.OrElse(p.Sort, api.EventSortStartsAt)
	return Filter{
		Words: p.Q, Phase: Phase(view.OrElse(p.When, api.EventWhenUpcoming)), From: p.From, To: p.To,
		Available: p.Available, OrganizerID: p.OrganizerID,
		ByStart:   sort == api.EventSortStartsAt || sort == api.EventSortStartsAtDescending,
		Backwards: sort == api.EventSortStartsAtDescending || sort == api.EventSortCreatedAtDescending,
	}
}

// settings returns those of a new event, which are a patch of the defaults.
func settings(c api.EventCreate) Settings {
	s := Defaults
	patch(&api.EventPatch{
		Title: &c.Title, Description: c.Description, Location: c.Location, TimeZone: &c.TimeZone,
		BookingOpensAt: c.BookingOpensAt, BookingClosesAt: c.BookingClosesAt,
		CancellationClosesMinutes: c.CancellationClosesMinutes,
		WaitlistMode:              c.WaitlistMode, WaitlistLimit: c.WaitlistLimit, OfferMinutes: c.OfferMinutes,
		Fit: c.Fit, MaxPasses: c.MaxPasses, HoldMinutes: c.HoldMinutes, WalkIns: c.WalkIns,
		MaxSeatsPerBooking: c.MaxSeatsPerBooking, MaxSeatsPerUser: c.MaxSeatsPerUser,
	})(&s)
	return s
}

// patch converts a merge patch into an edit: what is omitted stays, null clears.
func patch(p *api.EventPatch) func(*Settings) {
	return func(s *Settings) {
		set(&s.Title, p.Title)
		set(&s.Description, p.Description)
		set(&s.Location, p.Location)
		set(&s.TimeZone, p.TimeZone)
		merge(&s.BookingOpensAt, p.BookingOpensAt, asStored)
		merge(&s.BookingClosesAt, p.BookingClosesAt, asStored)
		set(&s.CancellationClosesMinutes, p.CancellationClosesMinutes)
		set(&s.WaitlistMode, (*seating.WaitlistMode)(p.WaitlistMode))
		merge(&s.WaitlistLimit, p.WaitlistLimit, same)
		set(&s.OfferMinutes, p.OfferMinutes)
		set(&s.Fit, (*seating.Fit)(p.Fit))
		set(&s.MaxPasses, p.MaxPasses)
		set(&s.HoldMinutes, p.HoldMinutes)
		set(&s.WalkIns, p.WalkIns)
		merge(&s.MaxSeatsPerBooking, p.MaxSeatsPerBooking, same)
		merge(&s.MaxSeatsPerUser, p.MaxSeatsPerUser, same)
	}
}

func set[T any](field, change *T) {
	if change != nil {
		*field = *change
	}
}

func merge[T any](field **T, change nullable.Nullable[T], as func(T) T) {
	switch value, err := change.Get(); {
	case change.IsNull():
		*field = nil
	case err == nil:
		value = as(value)
		*field = &value
	}
}

func same[T any](v T) T { return v }

// asStored returns a time as the database will store it.
func asStored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func newSlot(c api.SlotCreate) NewSlot {
	return NewSlot{StartsAt: asStored(c.StartsAt), EndsAt: asStored(c.EndsAt), Capacity: c.Capacity}
}

func slotEdit(p *api.SlotPatch) SlotEdit {
	e := SlotEdit{Capacity: p.Capacity, Status: (*seating.SlotStatus)(p.Status)}
	e.Displace = p.OnConflict != nil && *p.OnConflict == api.SlotConflictPolicyCancel
	if p.StartsAt != nil {
		e.StartsAt = new(asStored(*p.StartsAt))
	}
	if p.EndsAt != nil {
		e.EndsAt = new(asStored(*p.EndsAt))
	}
	return e
}

func (e Event) json() api.Event {
	return api.Event{
		ID: e.ID, OrganizerID: e.OrganizerID, Title: e.Title, Description: e.Description, Location: e.Location,
		TimeZone: e.TimeZone, Status: api.EventStatus(e.Status), Revision: e.Revision,
		StartsAt: view.OrNull(e.StartsAt), EndsAt: view.OrNull(e.EndsAt), SlotCount: e.SlotCount, SeatsAvailable: e.SeatsAvailable,
		BookingOpensAt: view.OrNull(e.BookingOpensAt), BookingClosesAt: view.OrNull(e.BookingClosesAt),
		CancellationClosesMinutes: e.CancellationClosesMinutes,
		WaitlistMode:              api.WaitlistMode(e.WaitlistMode), WaitlistLimit: view.OrNull(e.WaitlistLimit),
		OfferMinutes: e.OfferMinutes, Fit: api.FitPolicy(e.Fit), MaxPasses: e.MaxPasses, HoldMinutes: e.HoldMinutes, WalkIns: e.WalkIns,
		MaxSeatsPerBooking: view.OrNull(e.MaxSeatsPerBooking), MaxSeatsPerUser: view.OrNull(e.MaxSeatsPerUser),
		PublishedAt: view.OrNull(e.PublishedAt), CancelledAt: view.OrNull(e.CancelledAt), CancellationReason: view.OrNull(e.CancellationReason),
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
}

// tagged converts an event for the API, and returns its ETag too.
func tagged(e Event) (body api.Event, etag string, err error) {
	body = e.json()
	etag, err = view.RevisionETag(e.Revision, body)
	return body, etag, err
}

func created(e Event) (idempotency.Response, error) {
	body, tag, err := tagged(e)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.CreateEvent201JSONResponse{Body: body, Headers: api.CreateEvent201ResponseHeaders{
		Location: "/api/v1/events/" + e.ID.String(), ETag: tag,
	}}.VisitCreateEventResponse)
}

func published(e Event) (idempotency.Response, error) {
	body, tag, err := tagged(e)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.PublishEvent200JSONResponse{
		Body: body, Headers: api.PublishEvent200ResponseHeaders{ETag: tag}}.VisitPublishEventResponse)
}

func cancelled(e Event) (idempotency.Response, error) {
	body, tag, err := tagged(e)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.CancelEvent200JSONResponse{
		Body: body, Headers: api.CancelEvent200ResponseHeaders{ETag: tag}}.VisitCancelEventResponse)
}

func slotCreated(s seating.Slot) (idempotency.Response, error) {
	body, tag := view.TaggedSlot(s, s.CreatedAt)
	return idempotency.Record(api.CreateSlot201JSONResponse{Body: body, Headers: api.CreateSlot201ResponseHeaders{
		Location: "/api/v1/slots/" + s.ID.String(), ETag: tag,
	}}.VisitCreateSlotResponse)
}

func slotCancelled(r seating.Result) (idempotency.Response, error) {
	body, tag := view.TaggedSlot(r.Slot, r.At)
	return idempotency.Record(api.CancelSlot200JSONResponse{
		Body: body, Headers: api.CancelSlot200ResponseHeaders{ETag: tag}}.VisitCancelSlotResponse)
}

func eventList(p page.Page[Event]) api.EventList {
	data := make([]api.Event, len(p.Items))
	for i, e := range p.Items {
		data[i] = e.json()
	}
	return api.EventList{Data: data, NextCursor: view.ZeroIsNull(p.Next), HasMore: p.HasMore()}
}

func slotList(p page.Page[Slot]) api.SlotList {
	data := make([]api.Slot, len(p.Items))
	for i, s := range p.Items {
		data[i] = view.Slot(s.Slot, s.Now)
	}
	return api.SlotList{Data: data, NextCursor: view.ZeroIsNull(p.Next), HasMore: p.HasMore()}
}
