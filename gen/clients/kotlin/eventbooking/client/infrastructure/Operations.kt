package eventbooking.client.infrastructure

/**
 * What the interceptors need to know about an operation of openapi.yaml.
 *
 * @property id the operationId
 * @property path the path, with its parameters in braces
 * @property takesToken whether it accepts a token
 * @property headers the request headers that it accepts, in lower case
 */
internal class Operation(
    val id: String,
    val method: String,
    val path: String,
    val takesToken: Boolean,
    vararg val headers: String,
)

/** All operations of openapi.yaml. */
internal val OPERATIONS: List<Operation> = listOf(
    Operation("loginUser", "POST", "/api/v1/auth/login", false),
    Operation("logoutUser", "POST", "/api/v1/auth/logout", true),
    Operation("registerUser", "POST", "/api/v1/auth/register", false),
    Operation("cancelBooking", "POST", "/api/v1/bookings/{booking_id}/cancel", true, "idempotency-key"),
    Operation("checkInBooking", "POST", "/api/v1/bookings/{booking_id}/check-in", true, "idempotency-key"),
    Operation("confirmBooking", "POST", "/api/v1/bookings/{booking_id}/confirm", true, "idempotency-key"),
    Operation("createBooking", "POST", "/api/v1/slots/{slot_id}/bookings", true, "idempotency-key"),
    Operation("createBookings", "POST", "/api/v1/bookings", true, "idempotency-key"),
    Operation("createHold", "POST", "/api/v1/slots/{slot_id}/holds", true, "idempotency-key"),
    Operation("getBooking", "GET", "/api/v1/bookings/{booking_id}", true, "if-none-match"),
    Operation("getBookingChain", "GET", "/api/v1/bookings/{booking_id}/chain", true),
    Operation("getBookingHistory", "GET", "/api/v1/bookings/{booking_id}/history", true),
    Operation("listConflicts", "GET", "/api/v1/me/conflicts", true),
    Operation("listEventBookings", "GET", "/api/v1/events/{event_id}/bookings", true),
    Operation("listMyBookings", "GET", "/api/v1/me/bookings", true),
    Operation("listSlotBookings", "GET", "/api/v1/slots/{slot_id}/bookings", true),
    Operation("moveBooking", "POST", "/api/v1/bookings/{booking_id}/move", true, "idempotency-key"),
    Operation("previewCancellation", "GET", "/api/v1/bookings/{booking_id}/cancellation-preview", true),
    Operation("undoCheckIn", "DELETE", "/api/v1/bookings/{booking_id}/check-in", true),
    Operation("updateBooking", "PATCH", "/api/v1/bookings/{booking_id}", true, "if-match"),
    Operation("cancelEvent", "POST", "/api/v1/events/{event_id}/cancel", true, "idempotency-key"),
    Operation("createEvent", "POST", "/api/v1/events", true, "idempotency-key"),
    Operation("deleteEvent", "DELETE", "/api/v1/events/{event_id}", true, "if-match"),
    Operation("getEvent", "GET", "/api/v1/events/{event_id}", true, "if-none-match"),
    Operation("listEvents", "GET", "/api/v1/events", true),
    Operation("publishEvent", "POST", "/api/v1/events/{event_id}/publish", true, "idempotency-key"),
    Operation("updateEvent", "PATCH", "/api/v1/events/{event_id}", true, "if-match"),
    Operation("changePassword", "PUT", "/api/v1/me/password", true),
    Operation("createToken", "POST", "/api/v1/me/tokens", true),
    Operation("deleteMe", "POST", "/api/v1/me/deletion", true),
    Operation("deleteToken", "DELETE", "/api/v1/me/tokens/{token_id}", true),
    Operation("getMe", "GET", "/api/v1/me", true, "if-none-match"),
    Operation("getToken", "GET", "/api/v1/me/tokens/{token_id}", true),
    Operation("listTokens", "GET", "/api/v1/me/tokens", true),
    Operation("updateMe", "PATCH", "/api/v1/me", true),
    Operation("getDocs", "GET", "/docs", false),
    Operation("getLiveness", "GET", "/livez", false),
    Operation("getProblem", "GET", "/problems/{code}", false),
    Operation("getReadiness", "GET", "/readyz", false),
    Operation("getSpecJson", "GET", "/openapi.json", false, "if-none-match"),
    Operation("getSpecYaml", "GET", "/openapi.yaml", false, "if-none-match"),
    Operation("cancelSlot", "POST", "/api/v1/slots/{slot_id}/cancel", true, "idempotency-key"),
    Operation("createSlot", "POST", "/api/v1/events/{event_id}/slots", true, "idempotency-key"),
    Operation("deleteSlot", "DELETE", "/api/v1/slots/{slot_id}", true, "if-match"),
    Operation("getSlot", "GET", "/api/v1/slots/{slot_id}", true, "if-none-match"),
    Operation("getSlotLedger", "GET", "/api/v1/slots/{slot_id}/ledger", true),
    Operation("listSlots", "GET", "/api/v1/events/{event_id}/slots", true),
    Operation("updateSlot", "PATCH", "/api/v1/slots/{slot_id}", true, "if-match"),
    Operation("getUser", "GET", "/api/v1/users/{user_id}", true, "if-none-match"),
    Operation("listUsers", "GET", "/api/v1/users", true),
    Operation("updateUser", "PATCH", "/api/v1/users/{user_id}", true),
    Operation("acceptOffer", "POST", "/api/v1/bookings/{booking_id}/accept", true, "idempotency-key"),
    Operation("declineOffer", "POST", "/api/v1/bookings/{booking_id}/decline", true, "idempotency-key"),
    Operation("getSlotWaitlist", "GET", "/api/v1/slots/{slot_id}/waitlist", true),
    Operation("getWaitlistPosition", "GET", "/api/v1/bookings/{booking_id}/waitlist-position", true),
    Operation("promoteSlot", "POST", "/api/v1/slots/{slot_id}/promote", true, "idempotency-key"),
    Operation("simulateSlot", "POST", "/api/v1/slots/{slot_id}/simulation", true),
)
