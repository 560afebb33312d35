package booking

import (
	"context"
	"net/http"

	"eventbooking/gen/api"
	"eventbooking/internal/account"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
)

// Handler implements the operations of the tag bookings.
type Handler struct{ service *Service }

// NewHandler makes the handler.
func NewHandler(service *Service) *Handler { return &Handler{service: service} }

// CreateBooking asks for seats of a slot.
func (h *Handler) CreateBooking(ctx context.Context, r api.CreateBookingRequestObject) (api.CreateBookingResponseObject, error) {
	return replied(h.service.Book(ctx, account.CallerFrom(ctx), wish(r), order(ctx, created)))
}

// CreateHold keeps seats of a slot for a while.
func (h *Handler) CreateHold(ctx context.Context, r api.CreateHoldRequestObject) (api.CreateHoldResponseObject, error) {
	seats := orElse(r.Body.Seats, 1)
	return replied(h.service.Hold(ctx, account.CallerFrom(ctx), r.SlotID, seats, order(ctx, held)))
}

// CreateBookings books several slots, or none.
func (h *Handler) CreateBookings(ctx context.Context, r api.CreateBookingsRequestObject) (api.CreateBookingsResponseObject, error) {
	return replied(h.service.Bundle(ctx, account.CallerFrom(ctx), items(r.Body), order(ctx, bundled)))
}

// GetBooking shows a booking.
func (h *Handler) GetBooking(ctx context.Context, r api.GetBookingRequestObject) (api.GetBookingResponseObject, error) {
	b, err := h.service.Get(ctx, account.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	body, tag, err := b.Tagged()
	if err != nil {
		return nil, err
	}
	return api.GetBooking200JSONResponse{Body: body, Headers: api.GetBooking200ResponseHeaders{ETag: tag}}, nil
}

// UpdateBooking changes the number of its seats.
func (h *Handler) UpdateBooking(ctx context.Context, r api.UpdateBookingRequestObject) (api.UpdateBookingResponseObject, error) {
	b, err := h.service.Resize(ctx, account.CallerFrom(ctx), r.BookingID, r.Params.IfMatch, patch(r))
	if err != nil {
		return nil, err
	}
	body, tag, err := b.Tagged()
	if err != nil {
		return nil, err
	}
	return api.UpdateBooking200JSONResponse{Body: body, Headers: api.UpdateBooking200ResponseHeaders{ETag: tag}}, nil
}

// ConfirmBooking makes a hold a booking for good.
func (h *Handler) ConfirmBooking(ctx context.Context, r api.ConfirmBookingRequestObject) (api.ConfirmBookingResponseObject, error) {
	return replied(h.service.Confirm(ctx, account.CallerFrom(ctx), r.BookingID, order(ctx, confirmed)))
}

// MoveBooking exchanges a booking for one of another slot.
func (h *Handler) MoveBooking(ctx context.Context, r api.MoveBookingRequestObject) (api.MoveBookingResponseObject, error) {
	return replied(h.service.Move(ctx, account.CallerFrom(ctx), r.BookingID, r.Body.SlotID, order(ctx, moved)))
}

// CancelBooking ends a booking.
func (h *Handler) CancelBooking(ctx context.Context, r api.CancelBookingRequestObject) (api.CancelBookingResponseObject, error) {
	return replied(h.service.Cancel(ctx, account.CallerFrom(ctx), r.BookingID, reason(r.Body), order(ctx, cancelled)))
}

// PreviewCancellation tells what cancelling would do.
func (h *Handler) PreviewCancellation(ctx context.Context, r api.PreviewCancellationRequestObject) (api.PreviewCancellationResponseObject, error) {
	p, err := h.service.Preview(ctx, account.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	return p.json(), nil
}

// CheckInBooking notes that an attendee has come.
func (h *Handler) CheckInBooking(ctx context.Context, r api.CheckInBookingRequestObject) (api.CheckInBookingResponseObject, error) {
	return replied(h.service.CheckIn(ctx, account.CallerFrom(ctx), r.BookingID, order(ctx, checkedIn)))
}

// UndoCheckIn takes that back.
func (h *Handler) UndoCheckIn(ctx context.Context, r api.UndoCheckInRequestObject) (api.UndoCheckInResponseObject, error) {
	return replied(h.service.UndoCheckIn(ctx, account.CallerFrom(ctx), r.BookingID, order(ctx, checkInUndone)))
}

// GetBookingHistory lists what happened to a booking.
func (h *Handler) GetBookingHistory(ctx context.Context, r api.GetBookingHistoryRequestObject) (api.GetBookingHistoryResponseObject, error) {
	entries, err := h.service.History(ctx, account.CallerFrom(ctx), r.BookingID, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	return api.GetBookingHistory200JSONResponse{
		Body:    entryList(entries),
		Headers: api.GetBookingHistory200ResponseHeaders{Link: page.Link(ctx, entries.Next)},
	}, nil
}

// GetBookingChain follows what led to a booking's changes, and what followed.
func (h *Handler) GetBookingChain(ctx context.Context, r api.GetBookingChainRequestObject) (api.GetBookingChainResponseObject, error) {
	chain, err := h.service.Chain(ctx, account.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	return api.GetBookingChain200JSONResponse{
		BookingID: r.BookingID, Causes: links(chain.Causes), Consequences: links(chain.Consequences), Truncated: chain.Truncated,
	}, nil
}

// ListMyBookings lists the caller's bookings.
func (h *Handler) ListMyBookings(ctx context.Context, r api.ListMyBookingsRequestObject) (api.ListMyBookingsResponseObject, error) {
	list, err := h.service.ListMine(ctx, account.CallerFrom(ctx), statuses(r.Params.Status), when(r.Params.When),
		Asked{r.Params.Limit, r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListMyBookings200JSONResponse{
		Body: bookingList(list), Headers: api.ListMyBookings200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// ListConflicts lists the caller's bookings with seats at a time.
func (h *Handler) ListConflicts(ctx context.Context, r api.ListConflictsRequestObject) (api.ListConflictsResponseObject, error) {
	list, err := h.service.ListConflicts(ctx, account.CallerFrom(ctx), r.Params.StartsAt, r.Params.EndsAt,
		Asked{r.Params.Limit, r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListConflicts200JSONResponse{
		Body: bookingList(list), Headers: api.ListConflicts200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// ListSlotBookings lists a slot's bookings.
func (h *Handler) ListSlotBookings(ctx context.Context, r api.ListSlotBookingsRequestObject) (api.ListSlotBookingsResponseObject, error) {
	list, err := h.service.ListOfSlot(ctx, account.CallerFrom(ctx), r.SlotID, statuses(r.Params.Status),
		Asked{r.Params.Limit, r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListSlotBookings200JSONResponse{
		Body: bookingList(list), Headers: api.ListSlotBookings200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// ListEventBookings lists the bookings of an event's slots.
func (h *Handler) ListEventBookings(ctx context.Context, r api.ListEventBookingsRequestObject) (api.ListEventBookingsResponseObject, error) {
	list, err := h.service.ListOfEvent(ctx, account.CallerFrom(ctx), r.EventID, statuses(r.Params.Status),
		Asked{r.Params.Limit, r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListEventBookings200JSONResponse{
		Body: bookingList(list), Headers: api.ListEventBookings200ResponseHeaders{Link: page.Link(ctx, list.Next)}}, nil
}

// order is a request's order, but for its command.
func order(ctx context.Context, render func(seating.Result) (idempotency.Response, error)) seating.Order {
	return seating.Order{Key: idempotency.From(ctx), Render: render}
}

// reply is an answer that was made with its effect.
type reply struct{ idempotency.Response }

func replied(o seating.Outcome, err error) (reply, error) { return reply{o.Response}, err }

// VisitCreateBookingResponse sends it.
func (r reply) VisitCreateBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCreateHoldResponse sends it.
func (r reply) VisitCreateHoldResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCreateBookingsResponse sends it.
func (r reply) VisitCreateBookingsResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitConfirmBookingResponse sends it.
func (r reply) VisitConfirmBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitMoveBookingResponse sends it.
func (r reply) VisitMoveBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCancelBookingResponse sends it.
func (r reply) VisitCancelBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCheckInBookingResponse sends it.
func (r reply) VisitCheckInBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitUndoCheckInResponse sends it.
func (r reply) VisitUndoCheckInResponse(w http.ResponseWriter) error { return r.Write(w) }
