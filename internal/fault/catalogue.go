package fault

import (
	"fmt"
	"net/http"
	"sort"
)

// Code is a kind of refusal. It is itself an error, so that a rule may return it
// without a detail, and errors.Is(err, fault.SlotFull) works.
type Code struct {
	// Name is for programs: the problem's code, and the last part of its type.
	Name string
	// Status is the HTTP status (RFC 9110 and RFC 6585 give their meanings).
	Status int
	// Title is the same for every occurrence (RFC 9457, section 3.1.3).
	Title string
	// Meaning and Remedy are the documentation that /problems/{code} serves.
	Meaning, Remedy string
	// Retryable says that the same request may succeed within seconds, by itself.
	Retryable bool
}

// Error returns the code's name.
func (c *Code) Error() string { return c.Name }

// New returns an error with this code. The detail is one sentence with a full stop.
func (c *Code) New(detail string) *Error { return &Error{Code: c, Detail: detail} }

// Newf is New with a format, as of fmt.Sprintf.
func (c *Code) Newf(format string, a ...any) *Error { return c.New(fmt.Sprintf(format, a...)) }

var catalogue = map[string]*Code{}

func define(status int, name, title, meaning, remedy string) *Code {
	c := &Code{Name: name, Status: status, Title: title, Meaning: meaning, Remedy: remedy,
		Retryable: status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests}
	catalogue[name] = c
	return c
}

// Codes returns all codes, sorted by name.
func Codes() []*Code {
	all := make([]*Code, 0, len(catalogue))
	for _, c := range catalogue {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Lookup returns the code with this name, or nil.
func Lookup(name string) *Code { return catalogue[name] }

// 400: the request cannot be parsed.
var (
	MalformedBody = define(http.StatusBadRequest, "malformed_body", "Malformed body",
		"The body does not parse as JSON, is empty, is not UTF-8, repeats a member, is nested too deeply, or has data after its JSON value.",
		"Send one JSON object, encoded in UTF-8.")
	InvalidParameters = define(http.StatusBadRequest, "invalid_parameter", "Invalid parameter",
		"A path, query or header parameter is missing, unknown, repeated or invalid.",
		"See errors: each entry names a parameter and says what it accepts.")
	InvalidCursor = define(http.StatusBadRequest, "invalid_cursor", "Invalid cursor",
		"The cursor was not issued by this API, or it was damaged.",
		"Pass next_cursor unchanged, or omit cursor to start at the first page.")
	CursorMismatch = define(http.StatusBadRequest, "cursor_mismatch", "Cursor mismatch",
		"The cursor belongs to another list, or to the same list with other filters.",
		"Use the filters of the first page, or omit cursor to start a new list.")
	IdempotencyKeyInvalid = define(http.StatusBadRequest, "idempotency_key_invalid", "Invalid idempotency key",
		"The Idempotency-Key header must be sent once, with 1 to 255 visible ASCII characters.",
		"Send a UUID, newly generated for each operation that you want to perform.")
)

// 401, 403, 404, 405, 406: the caller, the resource or the method.
var (
	TokenMissing = define(http.StatusUnauthorized, "token_missing", "Token missing",
		"This operation requires a token.",
		"Log in, and send the token as `Authorization: Bearer evb_…`.")
	TokenInvalid = define(http.StatusUnauthorized, "token_invalid", "Token invalid",
		"The token is mistyped, unknown or revoked.",
		"Log in again.")
	TokenExpired = define(http.StatusUnauthorized, "token_expired", "Token expired",
		"The token has expired.",
		"Log in again.")
	InvalidCredentials = define(http.StatusUnauthorized, "invalid_credentials", "Invalid credentials",
		"The e-mail address and the password do not match.",
		"Check both. The response does not say which of them is wrong, so that it does not reveal which addresses are registered.")
	AbilityMissing = define(http.StatusForbidden, "ability_missing", "Ability missing",
		"The token does not have an ability that this request requires.",
		"Use a token with the ability named in detail, or create one with POST /api/v1/me/tokens.")
	NotPermitted = define(http.StatusForbidden, "not_permitted", "Not permitted",
		"Your role does not allow this operation, the event belongs to somebody else, or you tried to change your own role.",
		"Ask the event's organizer or an administrator.")
	NotFound = define(http.StatusNotFound, "not_found", "Not found",
		"The resource does not exist, or you may not see it.",
		"Check the path and the id.")
	MethodNotAllowed = define(http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed",
		"The path exists, but it does not support this method.",
		"Use one of the methods in the Allow header.")
	NotAcceptable = define(http.StatusNotAcceptable, "not_acceptable", "Not acceptable",
		"The Accept header excludes every media type that this operation can return.",
		"Accept application/json, and application/problem+json for errors.")
)

// 409: the request is valid, but the current state does not allow it.
var (
	SlotFull = define(http.StatusConflict, "slot_full", "Slot full",
		"The slot does not have enough free seats, or its free seats are for bookings that already wait.",
		"Book with if_full: waitlist if waitlist_open is true, or choose another slot.")
	WaitlistFull = define(http.StatusConflict, "waitlist_full", "Waitlist full",
		"The slot is full, and its waitlist has reached the event's limit.",
		"Choose another slot, or try again after somebody has left the waitlist.")
	WaitlistDisabled = define(http.StatusConflict, "waitlist_disabled", "Waitlist disabled",
		"The slot is full, and the event has no waitlist.",
		"Choose another slot.")
	WaitlistInUse = define(http.StatusConflict, "waitlist_in_use", "Waitlist in use",
		"The waitlist cannot be turned off while bookings wait; count says how many.",
		"Wait until the waitlist is empty, or cancel the waiting bookings first.")
	AlreadyBooked = define(http.StatusConflict, "already_booked", "Already booked",
		"The user already has a live booking of this slot; booking_id identifies it.",
		"Use that booking, or cancel it first.")
	BookingOverlap = define(http.StatusConflict, "booking_overlap", "Overlapping booking",
		"The user has seats in another slot at an overlapping time (booking_ids lists these bookings, for the user only), or two items of the request overlap each other (items).",
		"Cancel the other booking first, or choose another slot.")
	InvalidTransition = define(http.StatusConflict, "invalid_transition", "Invalid transition",
		"The current state (from) does not allow a change to the requested state (to).",
		"Read the resource again to see its current state.")
	CancellationWindowClosed = define(http.StatusConflict, "cancellation_window_closed", "Cancellation closed",
		"Attendees may cancel until a set time before the slot starts. That time (closed_at) has passed.",
		"Ask the event's organizer, who may cancel at any time.")
	BookingFinal = define(http.StatusConflict, "booking_final", "Booking is final",
		"The slot has ended, or it has started and the attendee is checked in: the booking can no longer be cancelled, moved or resized.",
		"If the check-in was a mistake, the organizer can undo it while the slot runs, and cancel the booking then.")
	CheckedIn = define(http.StatusConflict, "checked_in", "Checked in",
		"The attendee is checked in, so they can no longer cancel, move or reduce the booking themselves.",
		"Ask the event's organizer.")
	CheckInClosed = define(http.StatusConflict, "check_in_closed", "Check-in closed",
		"Attendance can be recorded until seven days after the slot's end.",
		"Nothing can be done: the attendance of this slot is final.")
	EventNotPublished = define(http.StatusConflict, "event_not_published", "Event not published",
		"The event is a draft or was cancelled, so it cannot be booked.",
		"Publish the event first, or choose another event.")
	BookingNotOpen = define(http.StatusConflict, "booking_not_open", "Booking not open yet",
		"Booking for this event has not opened yet; opens_at says when it opens.",
		"Try again after that time.")
	BookingClosed = define(http.StatusConflict, "booking_closed", "Booking closed",
		"Booking for this event or slot is closed.",
		"Choose another slot.")
	SlotStarted = define(http.StatusConflict, "slot_started", "Slot started",
		"The slot has started or is over.",
		"Choose another slot.")
	SlotEnded = define(http.StatusConflict, "slot_ended", "Slot ended",
		"The slot has ended, so it can no longer be moved or cancelled.",
		"Create another slot.")
	NoBookableSlot = define(http.StatusConflict, "no_bookable_slot", "No slot can be booked",
		"Nobody could ever book the event: it has no slot, all its slots have ended or were cancelled, or booking opens only when all of them have started (with walk_ins: ended).",
		"Add a slot in the future, or let booking open earlier.")
	SlotCancelled = define(http.StatusConflict, "slot_cancelled", "Slot cancelled",
		"The slot was cancelled.",
		"Choose another slot.")
	CapacityBelowTaken = define(http.StatusConflict, "capacity_below_taken", "Capacity below seats taken",
		"The new capacity is lower than the number of seats taken (seats_taken).",
		"Choose a capacity of at least seats_taken, or cancel bookings first.")
	EventHasBookings = define(http.StatusConflict, "event_has_bookings", "Existing bookings",
		"Bookings prevent this change (count says how many): the slot was booked before, so it cannot be deleted; its new time would overlap with attendees' other bookings; or it has too many bookings to be moved.",
		"Cancel the slot instead of deleting it, or choose another time.")
	BookingSeatLimit = define(http.StatusConflict, "booking_seat_limit", "Too many seats for one booking",
		"The booking asks for more seats than one booking of this event can have (limit).",
		"Ask for at most limit seats.")
	UserSeatLimit = define(http.StatusConflict, "user_seat_limit", "Too many seats for one user",
		"The user would have more seats in all slots of this event than one user can have (limit); seats is how many they have or wait for now.",
		"Ask for fewer seats, or cancel another booking of the event first. To exchange bookings, move one or name it in replaces_booking_id.")
	HoldLimit = define(http.StatusConflict, "hold_limit", "Hold limit reached",
		"This hold would exceed the number of seats that one user may hold at once; held is how many you hold now, limit is the maximum.",
		"Confirm or cancel a hold, wait until one expires, or ask for fewer seats.")
	HoldCooldown = define(http.StatusConflict, "hold_cooldown", "Held for too long",
		"A user's holds of one slot last at most twice the event's hold_minutes within an hour, in as many holds as they like. No minute of that is left until retry_at.",
		"Book the seats, which is always possible, or hold some after retry_at.")
	QuotaExceeded = define(http.StatusConflict, "quota_exceeded", "Quota exceeded",
		"The user has changed their bookings of one slot too often within an hour, or has used too many idempotency keys within a day. limit is how many the quota allows.",
		"Wait until retry_at. Cancelling, declining and leaving a waitlist are always possible.")
	DraftLimit = define(http.StatusConflict, "draft_limit", "Too many drafts",
		"The organizer has as many drafts as one may have (limit).",
		"Publish or delete a draft first.")
	HoldExpired = define(http.StatusConflict, "hold_expired", "Hold expired",
		"The hold was not confirmed in time, so it no longer keeps its seats.",
		"Hold or book seats again, if some are free.")
	OfferExpired = define(http.StatusConflict, "offer_expired", "Offer expired",
		"The offer was not accepted in time, so it no longer keeps its seats.",
		"Book again; with if_full: waitlist, you join the end of the queue if no seats are free for you.")
	LastAdministrator = define(http.StatusConflict, "last_administrator", "Last administrator",
		"The user is the only administrator. Without one, nobody could make another.",
		"Make somebody else an administrator first.")
	OrganizerHasEvents = define(http.StatusConflict, "organizer_has_events", "Organizer has events",
		"The user is the organizer of published events that have not ended, and nobody but administrators could manage them any more.",
		"Cancel these events first, or wait until they have ended.")
	EmailTaken = define(http.StatusConflict, "email_taken", "E-mail address taken",
		"A user with this e-mail address already exists.",
		"Log in, or use another address.")
)

// 412, 413, 415, 428: the request's headers and the size and type of its body.
var (
	VersionMismatch = define(http.StatusPreconditionFailed, "version_mismatch", "Version mismatch",
		"If-Match does not match the current state: the resource has changed since you read it.",
		"Read the resource again, review what changed, and repeat the edit with the new ETag.")
	BodyTooLarge = define(http.StatusRequestEntityTooLarge, "body_too_large", "Body too large",
		"The body is larger than 64 KiB.",
		"Send a smaller body.")
	UnsupportedMediaType = define(http.StatusUnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
		"The operation does not accept the body's Content-Type, or the body has a Content-Encoding.",
		"Send application/json without a Content-Encoding. PATCH also accepts application/merge-patch+json.")
	VersionRequired = define(http.StatusPreconditionRequired, "version_required", "Version required",
		"An edit must name the state that it is based on, so that two editors cannot silently overwrite each other.",
		"Read the resource, and send its ETag as If-Match.")
)

// 422: the request is well-formed, but invalid.
var (
	ValidationFailed = define(http.StatusUnprocessableEntity, "validation_failed", "Validation failed",
		"The body has missing, unknown or invalid values.",
		"See errors: each entry points to a value in the body and says what is accepted.")
	IdempotencyKeyReused = define(http.StatusUnprocessableEntity, "idempotency_key_reused", "Idempotency key reused",
		"A different request with this Idempotency-Key has succeeded before.",
		"Use a new key for each new request; reuse a key only to repeat the same request.")
	InvalidTimeRange = define(http.StatusUnprocessableEntity, "invalid_time_range", "Invalid time range",
		"An end is not after its start, a time is in the past where it must be in the future, or a time or a range is out of bounds.",
		"Send RFC 3339 times, each end after its start.")
	UnknownTimeZone = define(http.StatusUnprocessableEntity, "unknown_time_zone", "Unknown time zone",
		"The time zone is not a name in the IANA time zone database.",
		"Send a name such as Europe/Berlin or UTC.")
	SeatsExceedCapacity = define(http.StatusUnprocessableEntity, "seats_exceed_capacity", "Seats exceed capacity",
		"The booking asks for more seats than the slot has in total (capacity).",
		"Ask for fewer seats.")
)

// 500 and 503: the service cannot answer.
var (
	Internal = define(http.StatusInternalServerError, "internal", "Internal error",
		"An unexpected error occurred. Nothing was changed.",
		"Report the request_id.")
	RateLimited = define(http.StatusTooManyRequests, "rate_limited", "Too many requests",
		"The user, or the address of a request without a token, has made more requests of this class than RateLimit-Policy allows, in some time or at once. Nothing was changed.",
		"Wait for the time in Retry-After, then send the same request. RateLimit says in every answer how many requests are left.")
	LoginThrottled = define(http.StatusTooManyRequests, "login_throttled", "Too many wrong passwords",
		"Too many wrong passwords were sent for the account, or from the address of the request, so the next attempt has to wait. The password of this request was not looked at.",
		"Wait for the time in Retry-After, then send the right password. Each further wrong one doubles the time, up to 15 minutes; the right one ends it.")
	Overloaded = define(http.StatusServiceUnavailable, "overloaded", "Overloaded",
		"More requests are waiting than can be served in time. Nothing was changed.",
		"Try again after the time in Retry-After, with the same Idempotency-Key.")
	DatabaseUnavailable = define(http.StatusServiceUnavailable, "database_unavailable", "Database unavailable",
		"The database cannot be reached. Nothing was changed.",
		"Try again after the time in Retry-After, with the same Idempotency-Key.")
	Contention = define(http.StatusServiceUnavailable, "contention", "Contention",
		"Other requests kept the same seats locked, or kept changing the same booking, for too long; or the slot has just started, and its waitlist is still being ended. Nothing was changed.",
		"Try again after the time in Retry-After, with the same Idempotency-Key.")
	ShuttingDown = define(http.StatusServiceUnavailable, "shutting_down", "Shutting down",
		"This process is shutting down. Nothing was changed.",
		"Try again after the time in Retry-After; another process will answer.")
	OutcomeUnknown = define(http.StatusServiceUnavailable, "outcome_unknown", "Outcome unknown",
		"The connection to the database was lost during the commit, so the change may or may not have been made.",
		"Repeat the request with the same Idempotency-Key, or read the current state first.")
)
