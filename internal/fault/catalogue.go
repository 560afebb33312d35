package fault

import (
	"fmt"
	"net/http"
	"sort"
)

// Code is one kind of refusal. It is itself an error, so that a rule may return
// it bare and a test may ask errors.Is(err, fault.SlotFull).
type Code struct {
	// Name is what programs match on: the problem's code, and the last part of its type.
	Name string
	// Status is the HTTP status (RFC 9110 and RFC 6585 give their meanings).
	Status int
	// Title is the same for every occurrence (RFC 9457, section 3.1.3).
	Title string
	// Meaning and Remedy are the documentation that /problems/{code} serves.
	Meaning, Remedy string
	// Retryable says that the same request may succeed later, unchanged.
	Retryable bool
}

func (c *Code) Error() string { return c.Name }

// New is an occurrence of the code.
func (c *Code) New(detail string) *Error { return &Error{Code: c, Detail: detail} }

// Newf is New with a format.
func (c *Code) Newf(format string, a ...any) *Error { return c.New(fmt.Sprintf(format, a...)) }

var catalogue = map[string]*Code{}

func define(status int, name, title, meaning, remedy string) *Code {
	c := &Code{Name: name, Status: status, Title: title, Meaning: meaning, Remedy: remedy,
		Retryable: status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests}
	catalogue[name] = c
	return c
}

// Codes are all codes there are, by name.
func Codes() []*Code {
	all := make([]*Code, 0, len(catalogue))
	for _, c := range catalogue {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Lookup finds a code by its name, or nil.
func Lookup(name string) *Code { return catalogue[name] }

// 400: the request cannot be understood.
var (
	MalformedBody = define(http.StatusBadRequest, "malformed_body", "Malformed body",
		"The body is not the JSON document that this operation expects: it does not parse, is empty, or holds more than one value.",
		"Send one JSON object, encoded in UTF-8.")
	InvalidParameters = define(http.StatusBadRequest, "invalid_parameter", "Invalid parameter",
		"A path, query or header parameter is missing, unknown, or has a value of the wrong form.",
		"Look at errors: each entry names a parameter and says what it accepts.")
	InvalidCursor = define(http.StatusBadRequest, "invalid_cursor", "Invalid cursor",
		"The cursor was not made by this API, or was damaged on its way.",
		"Use next_cursor exactly as it came, or leave cursor out to start at the first page.")
	CursorMismatch = define(http.StatusBadRequest, "cursor_mismatch", "Cursor of another list",
		"The cursor belongs to a list with other filters than those of this request.",
		"Repeat the filters of the first page, or leave cursor out to start a new list.")
	IdempotencyKeyInvalid = define(http.StatusBadRequest, "idempotency_key_invalid", "Invalid idempotency key",
		"The Idempotency-Key header must have between 1 and 255 visible ASCII characters.",
		"Send a UUID that you make once for each effect that you want.")
)

// 401, 403, 404, 405, 406: who is asking, and for what.
var (
	TokenMissing = define(http.StatusUnauthorized, "token_missing", "Token missing",
		"This operation needs to know who is asking.",
		"Log in, and send the token as `Authorization: Bearer evb_…`.")
	TokenInvalid = define(http.StatusUnauthorized, "token_invalid", "Token invalid",
		"The token is mistyped, unknown, or was revoked.",
		"Log in again.")
	TokenExpired = define(http.StatusUnauthorized, "token_expired", "Token expired",
		"The token was valid once; its time is over.",
		"Log in again.")
	InvalidCredentials = define(http.StatusUnauthorized, "invalid_credentials", "Invalid credentials",
		"E-mail and password do not belong together.",
		"Check both. Nothing tells which of them is wrong, on purpose.")
	AbilityMissing = define(http.StatusForbidden, "ability_missing", "Ability missing",
		"The token was made for other things than this operation.",
		"Use a token with the ability that the detail names, or make one with POST /me/tokens.")
	NotPermitted = define(http.StatusForbidden, "not_permitted", "Not permitted",
		"Your role or your part in this event does not allow this operation.",
		"Ask the event's organizer or an administrator.")
	NotFound = define(http.StatusNotFound, "not_found", "Not found",
		"There is no such thing, or it is not yours to see.",
		"Check the address and the id.")
	MethodNotAllowed = define(http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed",
		"The address exists, but not with this method.",
		"Use one of the methods that the Allow header names.")
	NotAcceptable = define(http.StatusNotAcceptable, "not_acceptable", "Not acceptable",
		"The Accept header excludes every form in which this operation can answer.",
		"Accept application/json and application/problem+json.")
)

// 409: the request is understood, and the state of things is against it.
var (
	SlotFull = define(http.StatusConflict, "slot_full", "Slot full",
		"The slot has not enough free seats for this booking, or others who wait come first.",
		"Book with if_full: waitlist when waitlist_open is true, or choose another slot.")
	WaitlistFull = define(http.StatusConflict, "waitlist_full", "Waitlist full",
		"The slot is full and as many bookings wait as the event lets wait.",
		"Choose another slot, or try again when somebody has left the waitlist.")
	WaitlistDisabled = define(http.StatusConflict, "waitlist_disabled", "No waitlist",
		"The slot is full and the event keeps no waitlist.",
		"Choose another slot.")
	WaitlistInUse = define(http.StatusConflict, "waitlist_in_use", "Waitlist in use",
		"The waitlist cannot be turned off while somebody waits.",
		"Wait until nobody waits, or cancel the waiting bookings first.")
	AlreadyBooked = define(http.StatusConflict, "already_booked", "Already booked",
		"You have a live booking of this slot; booking_id names it.",
		"Use that booking, or cancel it first.")
	BookingOverlap = define(http.StatusConflict, "booking_overlap", "Overlapping booking",
		"You have seats in another slot at an overlapping time; booking_ids names your bookings.",
		"Cancel the other booking first, or choose another slot.")
	InvalidTransition = define(http.StatusConflict, "invalid_transition", "Invalid transition",
		"The thing is in a state (from) that does not lead to the one you asked for (to).",
		"Read it again to see its present state.")
	CancellationWindowClosed = define(http.StatusConflict, "cancellation_window_closed", "Cancellation closed",
		"Attendees may cancel until some time before the slot starts; that time has passed.",
		"Ask the event's organizer, who may cancel at any time.")
	EventNotPublished = define(http.StatusConflict, "event_not_published", "Event not published",
		"The event is a draft or was cancelled, so nobody can book it.",
		"Publish the event first, or choose another one.")
	BookingNotOpen = define(http.StatusConflict, "booking_not_open", "Booking not open yet",
		"The event takes bookings from a later time on; opens_at tells it.",
		"Try again then.")
	BookingClosed = define(http.StatusConflict, "booking_closed", "Booking closed",
		"The event or the slot takes no bookings any more.",
		"Choose another slot.")
	SlotStarted = define(http.StatusConflict, "slot_started", "Slot started",
		"The slot has begun or is over.",
		"Choose another slot.")
	SlotCancelled = define(http.StatusConflict, "slot_cancelled", "Slot cancelled",
		"The slot was cancelled.",
		"Choose another slot.")
	CapacityBelowTaken = define(http.StatusConflict, "capacity_below_taken", "Capacity below seats taken",
		"More seats are taken than the new capacity would have; seats_taken tells how many.",
		"Choose a capacity of at least that, or cancel bookings first.")
	EventHasBookings = define(http.StatusConflict, "event_has_bookings", "There are bookings",
		"The slot or event was booked before, or the change would make attendees' bookings overlap; count tells how many.",
		"Cancel it instead of deleting it; choose another time.")
	HoldLimit = define(http.StatusConflict, "hold_limit", "Hold limit reached",
		"You hold as many seats as one user may at once, or would with these; held tells how many, limit how many one may.",
		"Confirm or cancel a hold, wait until one expires, or ask for fewer seats.")
	HoldExpired = define(http.StatusConflict, "hold_expired", "Hold expired",
		"The hold was not confirmed in time; its seats went back.",
		"Hold or book seats again.")
	OfferExpired = define(http.StatusConflict, "offer_expired", "Offer expired",
		"The offer was not accepted in time; its seats went to whoever waits next.",
		"Book again; with if_full: waitlist, you join the end of the queue.")
	EmailTaken = define(http.StatusConflict, "email_taken", "E-mail taken",
		"A user with this e-mail address exists.",
		"Log in, or use another address.")
)

// 412, 413, 415, 428: about the message rather than about the matter.
var (
	VersionMismatch = define(http.StatusPreconditionFailed, "version_mismatch", "Changed in the meantime",
		"If-Match names another state than the present one: somebody was faster.",
		"Read the resource again, look at what changed, and repeat the edit with the new ETag.")
	BodyTooLarge = define(http.StatusRequestEntityTooLarge, "body_too_large", "Body too large",
		"The body is larger than 64 KiB.",
		"Send less.")
	UnsupportedMediaType = define(http.StatusUnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
		"The body's Content-Type is not one that this operation reads.",
		"Send application/json (or application/merge-patch+json to PATCH).")
	VersionRequired = define(http.StatusPreconditionRequired, "version_required", "Version required",
		"An edit must say which state it edits, so that two editors cannot overwrite each other unseen.",
		"Read the resource, and send its ETag as If-Match.")
)

// 422: well-formed, and yet not right.
var (
	ValidationFailed = define(http.StatusUnprocessableEntity, "validation_failed", "Validation failed",
		"The body has missing, unknown or unacceptable values.",
		"Look at errors: each entry points at a place of the body and says what it accepts.")
	IdempotencyKeyReused = define(http.StatusUnprocessableEntity, "idempotency_key_reused", "Idempotency key reused",
		"The same Idempotency-Key came with another request before.",
		"Make a new key for each effect that you want; repeat a key only with the same request.")
	InvalidTimeRange = define(http.StatusUnprocessableEntity, "invalid_time_range", "Invalid time range",
		"An end is not after its start, a time lies in the past where it must not, or a range is too long.",
		"Send RFC 3339 times, the end after the start.")
	UnknownTimeZone = define(http.StatusUnprocessableEntity, "unknown_time_zone", "Unknown time zone",
		"The time zone is not a name in the IANA time zone database.",
		"Send a name such as Europe/Berlin or UTC.")
	SeatsExceedCapacity = define(http.StatusUnprocessableEntity, "seats_exceed_capacity", "More seats than the slot has",
		"The booking asks for more seats than the slot has altogether.",
		"Ask for fewer seats.")
)

// 500 and 503: not the caller's fault.
var (
	Internal = define(http.StatusInternalServerError, "internal", "Internal error",
		"Something went wrong on our side. Nothing was changed.",
		"Report the request_id.")
	Overloaded = define(http.StatusServiceUnavailable, "overloaded", "Overloaded",
		"More requests wait than can be served in time. Nothing was changed.",
		"Try again after the time in Retry-After, with the same Idempotency-Key.")
	DatabaseUnavailable = define(http.StatusServiceUnavailable, "database_unavailable", "Database unavailable",
		"The database cannot be reached. Nothing was changed.",
		"Try again after the time in Retry-After, with the same Idempotency-Key.")
	Contention = define(http.StatusServiceUnavailable, "contention", "Contention",
		"Others kept the same seats locked for too long. Nothing was changed.",
		"Try again after the time in Retry-After, with the same Idempotency-Key.")
	ShuttingDown = define(http.StatusServiceUnavailable, "shutting_down", "Shutting down",
		"This process is stopping. Nothing was changed.",
		"Try again after the time in Retry-After; another process will answer.")
	OutcomeUnknown = define(http.StatusServiceUnavailable, "outcome_unknown", "Outcome unknown",
		"The connection to the database was lost while the change was committed: it happened or it did not.",
		"Repeat the request with the same Idempotency-Key, or read the state first.")
)
