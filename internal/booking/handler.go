package booking

import (
	"context"
	"net/http"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// Handler implements the operations of the tag bookings.
type Handler struct{ service *Service }

// NewHandler returns the handler.
func NewHandler(service *Service) *Handler { return &Handler{service: service} }

// CreateBooking books seats of a slot, or joins its waitlist.
func (h *Handler) CreateBooking(ctx context.Context, r api.CreateBookingRequestObject) (api.CreateBookingResponseObject, error) {
	return replied(h.service.Book(ctx, access.CallerFrom(ctx), request(r), submission(ctx, created)))
}

// CreateHold keeps seats of a slot for a while.
func (h *Handler) CreateHold(ctx context.Context, r api.CreateHoldRequestObject) (api.CreateHoldResponseObject, error) {
	seats := view.OrElse(r.Body.Seats, 1)
	return replied(h.service.Hold(ctx, access.CallerFrom(ctx), r.SlotID, seats, submission(ctx, held)))
}

// CreateBookings books several slots: all of them, or none.
func (h *Handler) CreateBookings(ctx context.Context, r api.CreateBookingsRequestObject) (api.CreateBookingsResponseObject, error) {
	return replied(h.service.Bundle(ctx, access.CallerFrom(ctx), items(r.Body), submission(ctx, bundled)))
}

// GetBooking shows a booking.
func (h *Handler) GetBooking(ctx context.Context, r api.GetBookingRequestObject) (api.GetBookingResponseObject, error) {
	b, err := h.service.Get(ctx, access.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	body, tag, err := b.Tagged(access.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	return api.GetBooking200JSONResponse{Body: body, Headers: api.GetBooking200ResponseHeaders{ETag: tag}}, nil
}

// UpdateBooking changes the number of its seats.
func (h *Handler) UpdateBooking(ctx context.Context, r api.UpdateBookingRequestObject) (api.UpdateBookingResponseObject, error) {
	b, err := h.service.Resize(ctx, access.CallerFrom(ctx), r.BookingID, view.OptionalIfMatch(r.Params.IfMatch, view.BookingTag), patch(r))
	if err != nil {
		return nil, err
	}
	body, tag, err := b.Tagged(access.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	return api.UpdateBooking200JSONResponse{Body: body, Headers: api.UpdateBooking200ResponseHeaders{ETag: tag}}, nil
}

// ConfirmBooking confirms a held booking.
func (h *Handler) ConfirmBooking(ctx context.Context, r api.ConfirmBookingRequestObject) (api.ConfirmBookingResponseObject, error) {
	return replied(h.service.Confirm(ctx, access.CallerFrom(ctx), r.BookingID, submission(ctx, confirmed)))
}

// MoveBooking exchanges a booking for one of another slot.
func (h *Handler) MoveBooking(ctx context.Context, r api.MoveBookingRequestObject) (api.MoveBookingResponseObject, error) {
	return replied(h.service.Move(ctx, access.CallerFrom(ctx), r.BookingID, r.Body.SlotID, submission(ctx, moved)))
}

// CancelBooking cancels a booking.
func (h *Handler) CancelBooking(ctx context.Context, r api.CancelBookingRequestObject) (api.CancelBookingResponseObject, error) {
	return replied(h.service.Cancel(ctx, access.CallerFrom(ctx), r.BookingID, reason(r.Body), submission(ctx, cancelled)))
}

// PreviewCancellation shows what cancelling would do.
func (h *Handler) PreviewCancellation(ctx context.Context, r api.PreviewCancellationRequestObject) (api.PreviewCancellationResponseObject, error) {
	p, err := h.service.Preview(ctx, access.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	return p.json(), nil
}

// CheckInBooking records that an attendee has arrived.
func (h *Handler) CheckInBooking(ctx context.Context, r api.CheckInBookingRequestObject) (api.CheckInBookingResponseObject, error) {
	return replied(h.service.CheckIn(ctx, access.CallerFrom(ctx), r.BookingID, submission(ctx, checkedIn)))
}

// UndoCheckIn undoes a check-in.
func (h *Handler) UndoCheckIn(ctx context.Context, r api.UndoCheckInRequestObject) (api.UndoCheckInResponseObject, error) {
	return replied(h.service.UndoCheckIn(ctx, access.CallerFrom(ctx), r.BookingID, submission(ctx, checkInUndone)))
}

// GetBookingHistory lists the ledger entries of a booking.
func (h *Handler) GetBookingHistory(ctx context.Context, r api.GetBookingHistoryRequestObject) (api.GetBookingHistoryResponseObject, error) {
	entries, err := h.service.History(ctx, access.CallerFrom(ctx), r.BookingID, page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.GetBookingHistory200JSONResponse{
		Body:    view.EntryList(entries),
		Headers: api.GetBookingHistory200ResponseHeaders{Link: page.Link(ctx, entries.Next)},
	}, nil
}

// GetBookingChain shows what caused a booking's changes, and what they caused.
func (h *Handler) GetBookingChain(ctx context.Context, r api.GetBookingChainRequestObject) (api.GetBookingChainResponseObject, error) {
	chain, err := h.service.Chain(ctx, access.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	return api.GetBookingChain200JSONResponse{
		BookingID: r.BookingID, Causes: links(chain.Causes), Consequences: links(chain.Consequences), Truncated: chain.Truncated,
	}, nil
}

// ListMyBookings lists the caller's bookings.
func (h *Handler) ListMyBookings(ctx context.Context, r api.ListMyBookingsRequestObject) (api.ListMyBookingsResponseObject, error) {
	list, err := h.service.ListMine(ctx, access.CallerFrom(ctx), statuses(r.Params.Status), when(r.Params.When),
		page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListMyBookings200JSONResponse{
		Body: bookingList(access.CallerFrom(ctx), list), Headers: api.ListMyBookings200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// ListConflicts lists the caller's bookings that take seats at a given time.
func (h *Handler) ListConflicts(ctx context.Context, r api.ListConflictsRequestObject) (api.ListConflictsResponseObject, error) {
	list, err := h.service.ListConflicts(ctx, access.CallerFrom(ctx), r.Params.StartsAt, r.Params.EndsAt,
		page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListConflicts200JSONResponse{
		Body: bookingList(access.CallerFrom(ctx), list), Headers: api.ListConflicts200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// ListSlotBookings lists a slot's bookings.
func (h *Handler) ListSlotBookings(ctx context.Context, r api.ListSlotBookingsRequestObject) (api.ListSlotBookingsResponseObject, error) {
	list, err := h.service.ListOfSlot(ctx, access.CallerFrom(ctx), r.SlotID, statuses(r.Params.Status),
		page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListSlotBookings200JSONResponse{
		Body: bookingList(access.CallerFrom(ctx), list), Headers: api.ListSlotBookings200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// ListEventBookings lists the bookings of an event's slots.
func (h *Handler) ListEventBookings(ctx context.Context, r api.ListEventBookingsRequestObject) (api.ListEventBookingsResponseObject, error) {
	list, err := h.service.ListOfEvent(ctx, access.CallerFrom(ctx), r.EventID, statuses(r.Params.Status),
		page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListEventBookings200JSONResponse{
		Body: bookingList(access.CallerFrom(ctx), list), Headers: api.ListEventBookings200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// submission is that of a request, without its command. The answer is rendered for the
// caller, whom the key belongs to.
func submission(ctx context.Context, render func(access.Caller, seating.Result) (idempotency.Response, error)) desk.Submission {
	caller := access.CallerFrom(ctx)
	return desk.Submission{Key: idempotency.From(ctx), Render: func(r seating.Result) (idempotency.Response, error) { return render(caller, r) }}
}

// reply is a response that was recorded in the transaction with its effect.
type reply struct{ idempotency.Response }

func replied(o desk.Outcome, err error) (reply, error) { return reply{o.Response}, err }

// VisitCreateBookingResponse sends the response.
func (r reply) VisitCreateBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCreateHoldResponse sends the response.
func (r reply) VisitCreateHoldResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCreateBookingsResponse sends the response.
func (r reply) VisitCreateBookingsResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitConfirmBookingResponse sends the response.
func (r reply) VisitConfirmBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitMoveBookingResponse sends the response.
func (r reply) VisitMoveBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCancelBookingResponse sends the response.
func (r reply) VisitCancelBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCheckInBookingResponse sends the response.
func (r reply) VisitCheckInBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitUndoCheckInResponse sends the response.
func (r reply) VisitUndoCheckInResponse(w http.ResponseWriter) error { return r.Write(w) }
