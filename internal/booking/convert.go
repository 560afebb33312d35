package booking

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
	"eventbooking/internal/waitlist"
)

func wish(r api.CreateBookingRequestObject) Wish {
	w := Wish{SlotID: r.SlotID, Seats: 1, IfFull: seating.Reject}
	if r.Body != nil && r.Body.Seats != nil {
		w.Seats = *r.Body.Seats
	}
	if r.Body != nil && r.Body.IfFull != nil {
		w.IfFull = seating.IfFull(*r.Body.IfFull)
	}
	return w
}

func reason(body *api.BookingCancellation) string {
	if body == nil || body.Reason == nil {
		return ""
	}
	return *body.Reason
}

func statuses(asked []api.BookingStatus) Statuses {
	list := make(Statuses, len(asked))
	for i, status := range asked {
		list[i] = string(status)
	}
	return list
}

func when(asked *api.BookingWhen) When {
	if asked == nil {
		return Always
	}
	return When(*asked)
}

func created(r seating.Result) (idempotency.Response, error) {
	body, tag, err := tagged(placed(r))
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.CreateBooking201JSONResponse{Body: body, Headers: api.CreateBooking201ResponseHeaders{
		Location: "/api/v1/bookings/" + body.ID.String(), ETag: tag,
	}}.VisitCreateBookingResponse)
}

func cancelled(r seating.Result) (idempotency.Response, error) {
	body, tag, err := tagged(placed(r))
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.Record(api.CancelBooking200JSONResponse{
		Body: body, Headers: api.CancelBooking200ResponseHeaders{ETag: tag}}.VisitCancelBookingResponse)
}

// placed is the booking of a result. One that waits has just joined the queue,
// so it stands at its end.
func placed(r seating.Result) waitlist.Placed {
	p := waitlist.Placed{Booking: r.Booking, EventID: r.Slot.EventID}
	if p.Status == seating.Waitlisted {
		p.Position = r.Slot.WaitlistLength
	}
	return p
}

// tagged is a booking with the tag of what is shown of it.
func tagged(p waitlist.Placed) (body api.Booking, tag string, err error) {
	body = p.JSON()
	text, err := json.Marshal(body)
	if err != nil {
		return body, "", fmt.Errorf("tag of a booking: %w", err)
	}
	sum := sha256.Sum256(text)
	return body, fmt.Sprintf(`"%x"`, sum[:12]), nil
}

func bookingList(l List) api.BookingList {
	data := make([]api.Booking, len(l.Bookings))
	for i, p := range l.Bookings {
		data[i] = p.JSON()
	}
	return api.BookingList{Data: data, NextCursor: cursor(l.Next), HasMore: l.Next != ""}
}

func entryList(e Entries) api.LedgerEntryList {
	data := make([]api.LedgerEntry, len(e.Entries))
	for i, entry := range e.Entries {
		data[i] = EntryJSON(entry)
	}
	return api.LedgerEntryList{Data: data, NextCursor: cursor(e.Next), HasMore: e.Next != ""}
}

func links(chain []Link) []api.ChainLink {
	list := make([]api.ChainLink, len(chain))
	for i, link := range chain {
		list[i] = api.ChainLink{Depth: link.Depth, Entry: EntryJSON(link.Entry)}
	}
	return list
}

// EntryJSON is a ledger entry as the API shows it.
func EntryJSON(e db.Ledger) api.LedgerEntry {
	return api.LedgerEntry{
		SlotID: e.SlotID, Version: e.Version, Kind: api.LedgerKind(e.Kind),
		BookingID: orNull(e.BookingID), UserID: orNull(e.UserID), Seats: int(e.Seats),
		SeatsTaken: int(e.SeatsTaken), WaitlistLength: int(e.WaitlistLength), Capacity: int(e.Capacity),
		Reason: orNull(e.Reason), Actor: api.Actor(e.Actor), ActorID: orNull(e.ActorID),
		Cause: cause(e.CauseSlotID, e.CauseVersion), At: e.At.UTC(),
	}
}

func cause(slotID *uuid.UUID, version *int64) nullable.Nullable[api.LedgerRef] {
	if slotID == nil || version == nil {
		return nullable.NewNullNullable[api.LedgerRef]()
	}
	return nullable.NewNullableWithValue(api.LedgerRef{SlotID: *slotID, Version: *version})
}

func cursor(next string) nullable.Nullable[string] {
	if next == "" {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(next)
}

func orNull[T any](p *T) nullable.Nullable[T] {
	if p == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*p)
}
