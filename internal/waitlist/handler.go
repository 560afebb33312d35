package waitlist

import (
	"context"
	"net/http"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/simulation"
)

// Handler implements the operations of the tag waitlist.
type Handler struct {
	service     *Service
	simulations *simulation.Service
}

// NewHandler returns the handler.
func NewHandler(service *Service, simulations *simulation.Service) *Handler {
	return &Handler{service: service, simulations: simulations}
}

// GetWaitlistPosition shows where a booking waits, and why.
func (h *Handler) GetWaitlistPosition(ctx context.Context, r api.GetWaitlistPositionRequestObject) (api.GetWaitlistPositionResponseObject, error) {
	position, err := h.service.Explain(ctx, access.CallerFrom(ctx), r.BookingID)
	if err != nil {
		return nil, err
	}
	return api.GetWaitlistPosition200JSONResponse(position.json(access.CallerFrom(ctx))), nil
}

// GetSlotWaitlist lists the waitlist of a slot.
func (h *Handler) GetSlotWaitlist(ctx context.Context, r api.GetSlotWaitlistRequestObject) (api.GetSlotWaitlistResponseObject, error) {
	queue, err := h.service.List(ctx, access.CallerFrom(ctx), r.SlotID, page.Ask{Limit: r.Params.Limit, Cursor: r.Params.Cursor})
	if err != nil {
		return nil, err
	}
	return api.GetSlotWaitlist200JSONResponse{
		Body:    entryList(access.CallerFrom(ctx), queue),
		Headers: api.GetSlotWaitlist200ResponseHeaders{Link: page.Link(ctx, queue.Next)},
	}, nil
}

// PromoteSlot promotes the waitlist of a slot now.
func (h *Handler) PromoteSlot(ctx context.Context, r api.PromoteSlotRequestObject) (api.PromoteSlotResponseObject, error) {
	return replied(h.service.Promote(ctx, access.CallerFrom(ctx), r.SlotID, submission(ctx, promoted)))
}

// AcceptOffer confirms an offered booking.
func (h *Handler) AcceptOffer(ctx context.Context, r api.AcceptOfferRequestObject) (api.AcceptOfferResponseObject, error) {
	return replied(h.service.Accept(ctx, access.CallerFrom(ctx), r.BookingID, submission(ctx, accepted)))
}

// DeclineOffer cancels an offered booking.
func (h *Handler) DeclineOffer(ctx context.Context, r api.DeclineOfferRequestObject) (api.DeclineOfferResponseObject, error) {
	return replied(h.service.Decline(ctx, access.CallerFrom(ctx), r.BookingID, submission(ctx, declined)))
}

// SimulateSlot compares waitlist policies on copies of a slot.
func (h *Handler) SimulateSlot(ctx context.Context, r api.SimulateSlotRequestObject) (api.SimulateSlotResponseObject, error) {
	result, err := h.simulations.Run(ctx, access.CallerFrom(ctx), r.SlotID, simulation.AssumptionsFrom(*r.Body))
	if err != nil {
		return nil, err
	}
	return api.SimulateSlot200JSONResponse(result.JSON()), nil
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

// VisitPromoteSlotResponse sends the response.
func (r reply) VisitPromoteSlotResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitAcceptOfferResponse sends the response.
func (r reply) VisitAcceptOfferResponse(w http.ResponseWriter) error { return r.Write(w) }

// VisitDeclineOfferResponse sends the response.
func (r reply) VisitDeclineOfferResponse(w http.ResponseWriter) error { return r.Write(w) }
