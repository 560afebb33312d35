package eventbooking.client

import eventbooking.client.models.Ability
import eventbooking.client.models.BookingBundleCreate
import eventbooking.client.models.BookingCreate
import eventbooking.client.models.BookingItem
import eventbooking.client.models.Cancellation
import eventbooking.client.models.Credentials
import eventbooking.client.models.EventCreate
import eventbooking.client.models.EventPatch
import eventbooking.client.models.HoldCreate
import eventbooking.client.models.IfFull
import eventbooking.client.models.ProblemCode
import eventbooking.client.models.SlotCreate
import eventbooking.client.models.SlotPatch
import eventbooking.client.models.TokenCreate
import eventbooking.client.models.UserCreate
import eventbooking.client.models.WaitlistMode
import java.util.UUID
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlinx.serialization.json.jsonPrimitive

/** Error responses are thrown as [ProblemException], with their code and its members. */
class ErrorsTest {
    @Test
    fun `a refused booking has the members of its code`() {
        val event = newEvent()
        val slot = newSlot(event, capacity = 2)
        val (first, second) = List(2) { newAttendee() }
        val booking = first.book(slot, seats = 2)

        val full = assertRefused(ProblemCode.SlotFull) { second.book(slot) }
        assertEquals(409, full.status)
        assertEquals(true, full.problem.waitlistOpen)
        assertEquals(booking.id, assertRefused(ProblemCode.AlreadyBooked) { first.book(slot) }.problem.bookingId)
        val overlap = assertRefused(ProblemCode.BookingOverlap) { first.book(newSlot(event, capacity = 5)) }
        assertEquals(listOf(booking.id), overlap.problem.bookingIds)
        assertEquals(2, assertRefused(ProblemCode.SeatsExceedCapacity) { second.book(slot, seats = 3) }.problem.capacity)
        val (one, two, three) = List(3) { newSlot(event, days = 40L + it, capacity = 20) }
        second.api.bookings.createHold(one.id, HoldCreate(10))
        second.api.bookings.createHold(two.id, HoldCreate(10))
        assertEquals(20, assertRefused(ProblemCode.HoldLimit) { second.api.bookings.createHold(three.id, HoldCreate(1)) }.problem.limit)
        assertEquals(10, assertRefused(ProblemCode.BookingSeatLimit) { first.book(three, seats = 11) }.problem.limit)
        val bundle = listOf(BookingItem(newSlot(event, days = 50).id), BookingItem(slot.id))
        assertEquals(1, assertRefused(ProblemCode.SlotFull) { second.api.bookings.createBookings(BookingBundleCreate(bundle)) }.problem.item)

        val cancelled = first.book(newSlot(event, days = 60)).also { first.api.bookings.cancelBooking(it.id) }
        val gone = assertRefused(ProblemCode.InvalidTransition) { first.api.waitlist.acceptOffer(cancelled.id) }
        assertEquals("cancelled", gone.problem.from)
        assertRefused(ProblemCode.WaitlistDisabled) {
            val short = newSlot(newEvent(WaitlistMode.Off), days = 70, capacity = 1)
            first.book(short)
            second.book(short, ifFull = IfFull.Waitlist)
        }
    }

    @Test
    fun `a problem of invalid input names the field`() {
        val anonymous = anonymous()
        val invalid = assertRefused(ProblemCode.ValidationFailed) { anonymous.api.auth.registerUser(UserCreate("new@test.com", "S", "short")) }
        assertEquals("/password", invalid.problem.errors?.single()?.pointer)
        val wrong = assertRefused(ProblemCode.InvalidParameter) { anonymous.api.events.listEvents(limit = 0) }
        assertEquals("limit", wrong.problem.errors?.single()?.parameter)
        assertRefused(ProblemCode.InvalidCursor) { anonymous.api.events.listEvents(cursor = "nonsense") }
        assertRefused(ProblemCode.CursorMismatch) {
            val cursor = anonymous.api.events.listEvents(limit = 1).nextCursor
            anonymous.api.events.listEvents(q = "concert", cursor = cursor)
        }
        assertRefused(ProblemCode.UnknownTimeZone) { organizer.api.events.createEvent(EventCreate("Nowhere", "Europe/Atlantis")) }
        assertRefused(ProblemCode.InvalidTimeRange) { organizer.api.slots.createSlot(newEvent().id, SlotCreate(inDays(2), inDays(1), 1)) }
        assertRefused(ProblemCode.EmailTaken) { anonymous.api.auth.registerUser(UserCreate("busy@test.com", "Not Busy", NEW_PASSWORD)) }
    }

    @Test
    fun `missing authentication and missing permission have different codes`() {
        val user = newAttendee()
        val unauthenticated = anonymous().api.me
        assertRefused(ProblemCode.TokenMissing) { unauthenticated.getMe() }
        assertRefused(ProblemCode.TokenInvalid) { EventBooking(Service.shared.url) { "evb_nonsense" }.me.getMe() }
        assertRefused(ProblemCode.InvalidCredentials) { logIn(user.email, "wrong password") }
        assertRefused(ProblemCode.NotPermitted) { user.api.users.listUsers() }
        assertRefused(ProblemCode.AbilityMissing) {
            val weak = user.api.me.createToken(TokenCreate("Weak", setOf(Ability.MeRead))).token
            EventBooking(Service.shared.url) { weak }.bookings.listMyBookings()
        }
        val booking = newAttendee().book(newSlot())
        val absent = assertRefused(ProblemCode.NotFound) { user.api.bookings.getBooking(booking.id) }
        assertTrue(absent.message!!.contains("404 not_found"), absent.message)
        assertTrue(absent.message!!.contains(absent.problem.requestId), absent.message)
    }

    @Test
    fun `edits need the current version, and must fit the bookings`() {
        val slot = newSlot(capacity = 2)
        newAttendee().book(slot, seats = 2)
        val slots = organizer.api.slots
        assertRefused(ProblemCode.VersionRequired) { slots.updateSlot(slot.id, SlotPatch(capacity = 3)) }
        assertRefused(ProblemCode.VersionMismatch) { slots.updateSlot(slot.id, SlotPatch(capacity = 3), "\"77.1\"") }
        val tag = slots.getSlotWithHttpInfo(slot.id, null).etag
        assertEquals(2, assertRefused(ProblemCode.CapacityBelowTaken) { slots.updateSlot(slot.id, SlotPatch(capacity = 1), tag) }.problem.seatsTaken)
        assertRefused(ProblemCode.EventHasBookings) { slots.deleteSlot(slot.id, tag) }
        val event = organizer.api.events.cancelEvent(slot.eventId, Cancellation("Ill."))
        val over = assertRefused(ProblemCode.InvalidTransition) { organizer.api.events.updateEvent(event.id, EventPatch(title = "Again"), "*") }
        assertEquals("cancelled", over.problem.from)
    }

    @Test
    fun `the same key returns the first response, and is refused for another request`() {
        val user = newAttendee()
        val slot = newSlot()
        val key = UUID.randomUUID().toString()
        val first = user.api.bookings.createBookingWithHttpInfo(slot.id, BookingCreate(), key)
        val again = user.api.bookings.createBookingWithHttpInfo(slot.id, BookingCreate(), key)
        assertEquals(assertNotNull(first.body), again.body)
        assertEquals(listOf(false, true), listOf(first.replayed, again.replayed))
        assertRefused(ProblemCode.IdempotencyKeyReused) { user.api.bookings.createBooking(slot.id, BookingCreate(2), key) }
        assertRefused(ProblemCode.IdempotencyKeyInvalid) { user.api.bookings.createBooking(slot.id, BookingCreate(), "k".repeat(256)) }
    }

    @Test
    fun `unknown codes, values and members of a later version are kept`() {
        Proxy(Service.shared.address).use { proxy ->
            val user = newAttendee(proxy.url)
            val slot = newSlot(capacity = 1)
            // Replaced by texts of the same length, so that Content-Length stays correct.
            proxy.rewrite = { it.replace("slot_full", "slot_gone").replace("waitlist_open", "whitelist_too").replace("confirmed", "pencilled") }
            val booking = user.book(slot)
            assertEquals("Unknown", booking.status.name)

            val e = assertRefused(ProblemCode.Unknown) { newAttendee(proxy.url).book(slot) }
            assertEquals("slot_gone", e.codeName)
            assertEquals(409, e.status)
            assertEquals("true", e.members.getValue("whitelist_too").jsonPrimitive.content)
        }
    }

    @Test
    fun `a token provider can log in with the client that calls it`() {
        var calls = 0
        lateinit var api: EventBooking
        api = EventBooking(Service.shared.url) {
            calls++
            api.auth.loginUser(Credentials("busy@test.com", "password")).token
        }
        assertEquals("busy@test.com", api.me.getMe().email)
        assertEquals(1, calls, "calls of the provider: logging in needs no token")
    }
}
