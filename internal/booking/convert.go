package booking

import (
	"net/http"
	"time"

	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

func request(r api.CreateBookingRequestObject) Request {
	request := Request{
		SlotID: r.SlotID, Seats: view.OrElse(r.Body.Seats, 1), SeatsMin: view.OrElse(r.Body.SeatsMin, 0),
		IfFull: seating.IfFull(view.OrElse(r.Body.IfFull, api.IfFull(seating.Reject))),
	}
	if id, err := r.Body.ReplacesBookingID.Get(); err == nil {
		request.Replaces = &id
	}
	return request
}

func items(body *api.BookingBundleCreate) []Item {
	list := make([]Item, len(body.Items))
	for i, item := range body.Items {
		list[i] = Item{SlotID: item.SlotID, Seats: view.OrElse(item.Seats, 1)}
	}
	return list
}

func patch(r api.UpdateBookingRequestObject) Patch {
	body := view.Either(r.JSONBody, r.ApplicationMergePatchPlusJSONBody)
	p := Patch{Seats: body.Seats}
	if body.SeatsMin.IsSpecified() {
		p.SeatsMin = new(0) // null
		if seatsMin, err := body.SeatsMin.Get(); err == nil {
			p.SeatsMin = &seatsMin
		}
	}
	return p
}

func reason(body *api.BookingCancellation) string {
	if body == nil || body.Reason == nil {
		return ""
	}
	return *body.Reason
}

func statuses(requested []api.BookingStatus) Statuses {
	list := make(Statuses, len(requested))
	for i, status := range requested {
		list[i] = string(status)
	}
	return list
}

func when(requested *api.BookingWhen) When {
	if requested == nil {
		return Always
	}
	return When(*requested)
}

// visit sends a response.
type visit = func(http.ResponseWriter) error

// respond records a response that shows the booking of a result, with its ETag.
func respond(caller access.Caller, r seating.Result, shape func(body api.Booking, tag string) visit) (idempotency.Response, error) {
	body, tag, err := shown(r).Tagged(caller)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(shape(body, tag))
}

func location(b api.Booking) string { return "/api/v1/bookings/" + b.ID.String() }

func created(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	return respond(caller, r, func(body api.Booking, tag string) visit {
		return api.CreateBooking201JSONResponse{Body: body, Headers: api.CreateBooking201ResponseHeaders{
			Location: location(body), ETag: tag}}.VisitCreateBookingResponse
	})
}

func held(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	return respond(caller, r, func(body api.Booking, tag string) visit {
		return api.CreateHold201JSONResponse{Body: body, Headers: api.CreateHold201ResponseHeaders{
			Location: location(body), ETag: tag}}.VisitCreateHoldResponse
	})
}

func bundled(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	data := make([]api.Booking, len(r.Items))
	for i, item := range r.Items {
		data[i] = shown(item).JSON(caller)
	}
	return idempotency.Record(api.CreateBookings201JSONResponse{Body: api.BookingBundle{Data: data}}.VisitCreateBookingsResponse)
}

func confirmed(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	return respond(caller, r, func(body api.Booking, tag string) visit {
		return api.ConfirmBooking200JSONResponse{
			Body: body, Headers: api.ConfirmBooking200ResponseHeaders{ETag: tag}}.VisitConfirmBookingResponse
	})
}

func moved(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	return respond(caller, r, func(body api.Booking, tag string) visit {
		return api.MoveBooking201JSONResponse{Body: body, Headers: api.MoveBooking201ResponseHeaders{
			Location: location(body), ETag: tag}}.VisitMoveBookingResponse
	})
}

func cancelled(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	return respond(caller, r, func(body api.Booking, tag string) visit {
		return api.CancelBooking200JSONResponse{
			Body: body, Headers: api.CancelBooking200ResponseHeaders{ETag: tag}}.VisitCancelBookingResponse
	})
}

// checkedIn also says by whom, which only those who may check in are told.
func checkedIn(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	return respond(caller, r, func(b api.Booking, tag string) visit {
		body := api.CheckedInBooking{
			ID: b.ID, SlotID: b.SlotID, EventID: b.EventID, UserID: b.UserID, Seats: b.Seats, Status: b.Status,
			WaitlistPosition: b.WaitlistPosition, Blocked: b.Blocked, ExpiresAt: b.ExpiresAt, SeatsMin: b.SeatsMin,
			ReplacesBookingID: b.ReplacesBookingID, MovedFromBookingID: b.MovedFromBookingID,
			CheckedInAt: b.CheckedInAt, CheckedInBy: view.ZeroIsNull(r.Booking.CheckedInBy), AlreadyCheckedIn: r.Repeated,
			SlotVersion: b.SlotVersion, StartsAt: b.StartsAt, EndsAt: b.EndsAt, CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt,
		}
		return api.CheckInBooking200JSONResponse{
			Body: body, Headers: api.CheckInBooking200ResponseHeaders{ETag: tag}}.VisitCheckInBookingResponse
	})
}

func checkInUndone(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	return respond(caller, r, func(body api.Booking, tag string) visit {
		return api.UndoCheckIn200JSONResponse{
			Body: body, Headers: api.UndoCheckIn200ResponseHeaders{ETag: tag}}.VisitUndoCheckInResponse
	})
}

func (p Preview) json() api.PreviewCancellation200JSONResponse {
	body := api.PreviewCancellation200JSONResponse{
		BookingID: p.BookingID, Allowed: p.Refusal == nil, SeatsFreed: p.SeatsFreed,
		WouldPromote: p.WouldPromote, SlotVersion: p.SlotVersion,
		ClosesAt: nullable.NewNullNullable[time.Time](), ReasonCode: nullable.NewNullNullable[string](),
	}
	if !p.ClosesAt.IsZero() {
		body.ClosesAt.Set(p.ClosesAt.UTC())
	}
	if p.Refusal != nil {
		body.ReasonCode.Set(p.Refusal.Name)
	}
	return body
}

// shown is the booking of a result, as the API shows it. A waiting one has just
// joined the queue, so it is the last.
func shown(r seating.Result) view.Booking {
	b := view.Booking{Booking: r.Booking, EventID: r.Slot.EventID}
	if b.Status == seating.Waitlisted {
		b.Position = r.Slot.WaitlistLength
	}
	return b
}

func bookingList(caller access.Caller, l page.Page[view.Booking]) api.BookingList {
	data := make([]api.Booking, len(l.Items))
	for i, b := range l.Items {
		data[i] = b.JSON(caller)
	}
	return api.BookingList{Data: data, NextCursor: view.ZeroIsNull(l.Next), HasMore: l.HasMore()}
}

func links(chain []Link) []api.ChainLink {
	list := make([]api.ChainLink, len(chain))
	for i, link := range chain {
		list[i] = api.ChainLink{Depth: link.Depth, Entry: view.Entry(link.Entry)}
	}
	return list
}
