package waitlist

import (
	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

func promoted(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	list := make([]api.Booking, len(r.Promoted))
	for i, b := range r.Promoted {
		list[i] = view.Booking{Booking: b, EventID: r.Slot.EventID}.JSON(caller)
	}
	return idempotency.Record(api.PromoteSlot200JSONResponse{
		Body: api.Promotion{Slot: view.Slot(r.Slot, r.At), Promoted: list}}.VisitPromoteSlotResponse)
}

func accepted(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	body, tag, err := view.Booking{Booking: r.Booking, EventID: r.Slot.EventID}.Tagged(caller)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.AcceptOffer200JSONResponse{
		Body: body, Headers: api.AcceptOffer200ResponseHeaders{ETag: tag}}.VisitAcceptOfferResponse)
}

func declined(caller access.Caller, r seating.Result) (idempotency.Response, error) {
	body, tag, err := view.Booking{Booking: r.Booking, EventID: r.Slot.EventID}.Tagged(caller)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.DeclineOffer200JSONResponse{
		Body: body, Headers: api.DeclineOffer200ResponseHeaders{ETag: tag}}.VisitDeclineOfferResponse)
}

func entryList(caller access.Caller, queue page.Page[view.Booking]) api.WaitlistEntryList {
	entries := make([]api.WaitlistEntry, len(queue.Items))
	for i, p := range queue.Items {
		entries[i] = api.WaitlistEntry{Position: p.Position, Passes: p.Passes,
			BlockedBy: view.OtherBooking(caller, p.UserID, p.BlockedBy), Booking: p.JSON(caller)}
	}
	return api.WaitlistEntryList{Data: entries, NextCursor: view.ZeroIsNull(queue.Next), HasMore: queue.HasMore()}
}

func (p Position) json(caller access.Caller) api.WaitlistPosition {
	reasons := []api.WaitReason{}
	for _, r := range p.Reasons() {
		reasons = append(reasons, api.WaitReason{Code: api.WaitReasonCode(r.Code), Detail: r.Detail, SinceVersion: view.ZeroIsNull(r.SinceVersion)})
	}
	passedBy := []api.WaitlistPass{}
	for _, pass := range p.PassedBy {
		passedBy = append(passedBy, api.WaitlistPass{At: pass.At.UTC(), Version: pass.Version, Seats: pass.Seats, Reason: p.WhyPassed(pass)})
	}
	return api.WaitlistPosition{
		BookingID: p.BookingID, SlotID: p.SlotID, Status: api.BookingStatus(p.Status),
		Position: view.ZeroIsNull(p.Number()), BookingsAhead: p.BookingsAhead, SeatsAhead: p.SeatsAhead,
		Blocked: p.Blocked(), BlockedBy: view.OtherBooking(caller, p.UserID, p.BlockedBy), Passes: p.Passes, PassedBy: passedBy,
		SeatsNeeded: p.SeatsNeeded(), SeatsAvailable: p.Available(), Reasons: reasons, SlotVersion: p.SlotVersion,
	}
}
