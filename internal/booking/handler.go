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
	outcome, err := h.service.Book(ctx, account.CallerFrom(ctx), wish(r), seating.Order{
		Key: idempotency.From(ctx), Render: created,
	})
	if err != nil {
		return nil, err
	}
	return reply{outcome.Response}, nil
}

// GetBooking shows a booking.
func (h *Handler) GetBooking(ctx context.Context, r api.GetBookingRequestObject) (api.GetBookingResponseObject, error) {
	b, err := h.service.Get(ctx, account.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	body, tag, err := tagged(b.Placed)
	if err != nil {
		return nil, err
	}
	return api.GetBooking200JSONResponse{Body: body, Headers: api.GetBooking200ResponseHeaders{ETag: tag}}, nil
}

// CancelBooking ends a booking.
func (h *Handler) CancelBooking(ctx context.Context, r api.CancelBookingRequestObject) (api.CancelBookingResponseObject, error) {
	outcome, err := h.service.Cancel(ctx, account.CallerFrom(ctx), r.BookingID, reason(r.Body), seating.Order{
		Key: idempotency.From(ctx), Render: cancelled,
	})
	if err != nil {
		return nil, err
	}
	return reply{outcome.Response}, nil
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

// reply is an answer that was made with its effect.
type reply struct{ idempotency.Response }

// VisitCreateBookingResponse sends it.
func (r reply) VisitCreateBookingResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCancelBookingResponse sends it.
func (r reply) VisitCancelBookingResponse(w http.ResponseWriter) error { return r.Write(w) }
