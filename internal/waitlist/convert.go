package waitlist

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"

	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
)

// JSON is the booking as the API shows it.
func (p Placed) JSON() api.Booking {
	return api.Booking{
		ID: p.ID, SlotID: p.SlotID, EventID: p.EventID, UserID: p.UserID,
		Seats: p.Seats, Status: api.BookingStatus(p.Status),
		WaitlistPosition: orNull(p.Position), Blocked: p.Blocked != seating.NotBlocked,
		ExpiresAt: orNull(p.ExpiresAt.UTC()), SeatsMin: orNull(p.SeatsMin),
		ReplacesBookingID: orNull(p.Replaces), MovedFromBookingID: orNull(p.MovedFrom),
		CheckedInAt: orNull(p.CheckedInAt.UTC()), SlotVersion: p.Version,
		StartsAt: p.StartsAt.UTC(), EndsAt: p.EndsAt.UTC(),
		CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

// Tagged is the booking as the API shows it, with the tag of what is shown.
func (p Placed) Tagged() (body api.Booking, tag string, err error) {
	body = p.JSON()
	text, err := json.Marshal(body)
	if err != nil {
		return body, "", fmt.Errorf("tag of a booking: %w", err)
	}
	sum := sha256.Sum256(text)
	return body, fmt.Sprintf(`"%x"`, sum[:12]), nil
}

// SlotJSON is a slot as the API shows it.
func SlotJSON(s seating.Slot) api.Slot {
	return api.Slot{
		ID: s.ID, EventID: s.EventID, Status: api.SlotStatus(s.Status),
		StartsAt: s.StartsAt.UTC(), EndsAt: s.EndsAt.UTC(),
		Capacity: s.Capacity, SeatsTaken: s.SeatsTaken, SeatsAvailable: s.Free(),
		WaitlistLength: s.WaitlistLength, Version: s.Version, Revision: s.Revision,
		CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
}

func promoted(r seating.Result) (idempotency.Response, error) {
	list := make([]api.Booking, len(r.Promoted))
	for i, b := range r.Promoted {
		list[i] = Placed{Booking: b, EventID: r.Slot.EventID}.JSON()
	}
	return idempotency.Record(api.PromoteSlot200JSONResponse{
		Body: api.Promotion{Slot: SlotJSON(r.Slot), Promoted: list}}.VisitPromoteSlotResponse)
}

func accepted(r seating.Result) (idempotency.Response, error) {
	body, tag, err := Placed{Booking: r.Booking, EventID: r.Slot.EventID}.Tagged()
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.AcceptOffer200JSONResponse{
		Body: body, Headers: api.AcceptOffer200ResponseHeaders{ETag: tag}}.VisitAcceptOfferResponse)
}

func declined(r seating.Result) (idempotency.Response, error) {
	body, tag, err := Placed{Booking: r.Booking, EventID: r.Slot.EventID}.Tagged()
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.DeclineOffer200JSONResponse{
		Body: body, Headers: api.DeclineOffer200ResponseHeaders{ETag: tag}}.VisitDeclineOfferResponse)
}

func assumptions(body api.SimulationCreate) Assumptions {
	o := DefaultAssumptions
	if body.CancellationRate != nil {
		o.CancellationRate = *body.CancellationRate
	}
	if body.Seed != nil {
		o.Seed = uint64(*body.Seed)
	}
	if body.Runs != nil {
		o.Runs = *body.Runs
	}
	o.Until, _ = body.Until.Get() // null is the start, like nothing
	return o
}

func (s Simulation) json() api.Simulation {
	policies := make([]api.SimulatedPolicy, len(s.Policies))
	for i, p := range s.Policies {
		policies[i] = api.SimulatedPolicy{
			WaitlistMode: api.WaitlistMode(p.Mode), Fit: api.FitPolicy(p.Fit), MaxPasses: p.MaxPasses, Current: p.Current,
			Promoted: hundredths(p.Promoted), PromotedP10: p.PromotedP10, PromotedP90: p.PromotedP90,
			StillWaiting: hundredths(p.StillWaiting), Passed: hundredths(p.Passed), WaitHoursMedian: nullable.NewNullNullable[float64](),
		}
		if p.Promoted > 0 {
			policies[i].WaitHoursMedian.Set(hundredths(p.WaitMedian.Hours()))
		}
	}
	return api.Simulation{SlotID: s.SlotID, SlotVersion: s.SlotVersion, Estimate: true, Assumptions: s.String(), Policies: policies}
}

// hundredths are more than an estimate is good for.
func hundredths(x float64) float64 { return math.Round(100*x) / 100 }

func entryList(queue []Placed, next string) api.WaitlistEntryList {
	entries := make([]api.WaitlistEntry, len(queue))
	for i, p := range queue {
		entries[i] = api.WaitlistEntry{Position: p.Position, Passes: p.Passes, BlockedBy: orNull(p.BlockedBy), Booking: p.JSON()}
	}
	return api.WaitlistEntryList{Data: entries, NextCursor: orNull(next), HasMore: next != ""}
}

func (p Position) json() api.WaitlistPosition {
	reasons := []api.WaitReason{}
	for _, r := range p.Reasons() {
		reasons = append(reasons, api.WaitReason{Code: api.WaitReasonCode(r.Code), Detail: r.Detail, SinceVersion: orNull(r.SinceVersion)})
	}
	passedBy := []api.WaitlistPass{}
	for _, pass := range p.PassedBy {
		passedBy = append(passedBy, api.WaitlistPass{At: pass.At.UTC(), Version: pass.Version, Seats: pass.Seats, Reason: p.WhyPassed(pass)})
	}
	return api.WaitlistPosition{
		BookingID: p.BookingID, SlotID: p.SlotID, Status: api.BookingStatus(p.Status),
		Position: orNull(p.Place()), BookingsAhead: p.BookingsAhead, SeatsAhead: p.SeatsAhead,
		Blocked: p.Blocked != seating.NotBlocked, BlockedBy: orNull(p.BlockedBy), Passes: p.Passes, PassedBy: passedBy,
		SeatsNeeded: p.SeatsNeeded(), SeatsAvailable: p.Free(), Reasons: reasons, SlotVersion: p.SlotVersion,
	}
}

// orNull is null for the zero value, which none of these fields has otherwise.
func orNull[T comparable](v T) nullable.Nullable[T] {
	if v == *new(T) {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(v)
}
