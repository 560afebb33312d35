package event

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

// Handler implements the operations of the tags events and slots.
type Handler struct{ service *Service }

// NewHandler returns the handler.
func NewHandler(service *Service) *Handler { return &Handler{service: service} }

// ListEvents lists and searches events.
func (h *Handler) ListEvents(ctx context.Context, r api.ListEventsRequestObject) (api.ListEventsResponseObject, error) {
	events, err := h.service.List(ctx, access.CallerFrom(ctx), filter(r.Params), page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListEvents200JSONResponse{
		Body:    eventList(events),
		Headers: api.ListEvents200ResponseHeaders{Link: page.Link(ctx, events.Next)},
	}, nil
}

// CreateEvent makes a draft.
func (h *Handler) CreateEvent(ctx context.Context, r api.CreateEventRequestObject) (api.CreateEventResponseObject, error) {
	return replied(h.service.Create(ctx, access.CallerFrom(ctx), settings(*r.Body), Once[Event]{idempotency.From(ctx), created}))
}

// GetEvent shows an event.
func (h *Handler) GetEvent(ctx context.Context, r api.GetEventRequestObject) (api.GetEventResponseObject, error) {
	event, err := h.service.Get(ctx, access.CallerFrom(ctx), r.EventID)
	if err != nil {
		return nil, err
	}
	body, tag, err := tagged(event)
	return api.GetEvent200JSONResponse{Body: body, Headers: api.GetEvent200ResponseHeaders{ETag: tag}}, err
}

// UpdateEvent edits an event.
func (h *Handler) UpdateEvent(ctx context.Context, r api.UpdateEventRequestObject) (api.UpdateEventResponseObject, error) {
	match, err := view.RequireIfMatch(r.Params.IfMatch, view.EventTag)
	if err != nil {
		return nil, err
	}
	event, err := h.service.Update(ctx, access.CallerFrom(ctx), r.EventID, match,
		patch(view.Either(r.ApplicationMergePatchPlusJSONBody, r.JSONBody)))
	if err != nil {
		return nil, err
	}
	body, tag, err := tagged(event)
	return api.UpdateEvent200JSONResponse{Body: body, Headers: api.UpdateEvent200ResponseHeaders{ETag: tag}}, err
}

// DeleteEvent deletes a draft.
func (h *Handler) DeleteEvent(ctx context.Context, r api.DeleteEventRequestObject) (api.DeleteEventResponseObject, error) {
	match, err := view.RequireIfMatch(r.Params.IfMatch, view.EventTag)
	if err != nil {
		return nil, err
	}
	if err := h.service.Delete(ctx, access.CallerFrom(ctx), r.EventID, match); err != nil {
		return nil, err
	}
	return api.DeleteEvent204Response{}, nil
}

// PublishEvent publishes a draft.
func (h *Handler) PublishEvent(ctx context.Context, r api.PublishEventRequestObject) (api.PublishEventResponseObject, error) {
	return replied(h.service.Publish(ctx, access.CallerFrom(ctx), r.EventID, Once[Event]{idempotency.From(ctx), published}))
}

// CancelEvent cancels an event.
func (h *Handler) CancelEvent(ctx context.Context, r api.CancelEventRequestObject) (api.CancelEventResponseObject, error) {
	return replied(h.service.Cancel(ctx, access.CallerFrom(ctx), r.EventID, r.Body.Reason, Once[Event]{idempotency.From(ctx), cancelled}))
}

// ListSlots lists the slots of an event.
func (h *Handler) ListSlots(ctx context.Context, r api.ListSlotsRequestObject) (api.ListSlotsResponseObject, error) {
	slots, err := h.service.ListSlots(ctx, access.CallerFrom(ctx), r.EventID, page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.ListSlots200JSONResponse{
		Body:    slotList(slots),
		Headers: api.ListSlots200ResponseHeaders{Link: page.Link(ctx, slots.Next)},
	}, nil
}

// CreateSlot adds a slot to an event.
func (h *Handler) CreateSlot(ctx context.Context, r api.CreateSlotRequestObject) (api.CreateSlotResponseObject, error) {
	return replied(h.service.CreateSlot(ctx, access.CallerFrom(ctx), r.EventID, newSlot(*r.Body), Once[seating.Slot]{idempotency.From(ctx), slotCreated}))
}

// GetSlot shows a slot.
func (h *Handler) GetSlot(ctx context.Context, r api.GetSlotRequestObject) (api.GetSlotResponseObject, error) {
	slot, err := h.service.GetSlot(ctx, access.CallerFrom(ctx), r.SlotID)
	if err != nil {
		return nil, err
	}
	body, tag := view.TaggedSlot(slot.Slot, slot.Now)
	return api.GetSlot200JSONResponse{Body: body, Headers: api.GetSlot200ResponseHeaders{ETag: tag}}, nil
}

// UpdateSlot edits a slot.
func (h *Handler) UpdateSlot(ctx context.Context, r api.UpdateSlotRequestObject) (api.UpdateSlotResponseObject, error) {
	match, err := view.RequireIfMatch(r.Params.IfMatch, view.SlotTag)
	if err != nil {
		return nil, err
	}
	slot, err := h.service.UpdateSlot(ctx, access.CallerFrom(ctx), r.SlotID, match,
		slotEdit(view.Either(r.ApplicationMergePatchPlusJSONBody, r.JSONBody)))
	if err != nil {
		return nil, err
	}
	body, tag := view.TaggedSlot(slot.Slot, slot.Now)
	return api.UpdateSlot200JSONResponse{Body: body, Headers: api.UpdateSlot200ResponseHeaders{ETag: tag}}, nil
}

// DeleteSlot deletes a slot that was never booked.
func (h *Handler) DeleteSlot(ctx context.Context, r api.DeleteSlotRequestObject) (api.DeleteSlotResponseObject, error) {
	match, err := view.RequireIfMatch(r.Params.IfMatch, view.SlotTag)
	if err != nil {
		return nil, err
	}
	if err := h.service.DeleteSlot(ctx, access.CallerFrom(ctx), r.SlotID, match); err != nil {
		return nil, err
	}
	return api.DeleteSlot204Response{}, nil
}

// CancelSlot cancels a slot.
func (h *Handler) CancelSlot(ctx context.Context, r api.CancelSlotRequestObject) (api.CancelSlotResponseObject, error) {
	return outcomeOf(h.service.CancelSlot(ctx, access.CallerFrom(ctx), r.SlotID, r.Body.Reason,
		desk.Submission{Key: idempotency.From(ctx), Render: slotCancelled}))
}

// GetSlotLedger lists the ledger entries of a slot.
func (h *Handler) GetSlotLedger(ctx context.Context, r api.GetSlotLedgerRequestObject) (api.GetSlotLedgerResponseObject, error) {
	entries, err := h.service.Ledger(ctx, access.CallerFrom(ctx), r.SlotID, page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.GetSlotLedger200JSONResponse{
		Body:    view.EntryList(entries),
		Headers: api.GetSlotLedger200ResponseHeaders{Link: page.Link(ctx, entries.Next)},
	}, nil
}

// reply is a response that was recorded in the transaction with its effect.
type reply struct{ idempotency.Response }

func replied(r idempotency.Response, err error) (reply, error) { return reply{r}, err }

func outcomeOf(o desk.Outcome, err error) (reply, error) { return reply{o.Response}, err }

// VisitCreateEventResponse sends the response.
func (r reply) VisitCreateEventResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitPublishEventResponse sends the response.
func (r reply) VisitPublishEventResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCancelEventResponse sends the response.
func (r reply) VisitCancelEventResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCreateSlotResponse sends the response.
func (r reply) VisitCreateSlotResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitCancelSlotResponse sends the response.
func (r reply) VisitCancelSlotResponse(w http.ResponseWriter) error { return r.Write(w) }
