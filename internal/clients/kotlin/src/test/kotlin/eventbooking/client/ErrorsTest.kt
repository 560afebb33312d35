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

/** What goes wrong comes as a [ProblemException] with its code, and with the members that belong to it. */
class ErrorsTest {
    @Test
    fun `a booking that cannot be`() {
        val event = event()
        val slot = slot(event, capacity = 2)
        val (first, second) = List(2) { newcomer() }
        val booking = first.book(slot, seats = 2)

        val full = refused(ProblemCode.SlotFull) { second.book(slot) }
        assertEquals(409, full.status)
        assertEquals(true, full.problem.waitlistOpen)
        assertEquals(booking.id, refused(ProblemCode.AlreadyBooked) { first.book(slot) }.problem.bookingId)
        val overlap = refused(ProblemCode.BookingOverlap) { first.book(slot(event, capacity = 5)) }
        assertEquals(listOf(booking.id), overlap.problem.bookingIds)
        assertEquals(2, refused(ProblemCode.SeatsExceedCapacity) { second.book(slot, seats = 3) }.problem.capacity)
        val (one, two) = List(2) { slot(event, days = 40L + it, capacity = 20) }
        second.api.bookings.createHold(one.id, HoldCreate(11))
        assertEquals(20, refused(ProblemCode.HoldLimit) { second.api.bookings.createHold(two.id, HoldCreate(11)) }.problem.limit)
        val bundle = listOf(BookingItem(slot(event, days = 50).id), BookingItem(slot.id))
        assertEquals(1, refused(ProblemCode.SlotFull) { second.api.bookings.createBookings(BookingBundleCreate(bundle)) }.problem.item)

        val cancelled = first.book(slot(event, days = 60)).also { first.api.bookings.cancelBooking(it.id) }
        val gone = refused(ProblemCode.InvalidTransition) { first.api.waitlist.acceptOffer(cancelled.id) }
        assertEquals("cancelled", gone.problem.from)
        refused(ProblemCode.WaitlistDisabled) {
            val short = slot(event(WaitlistMode.Off), days = 70, capacity = 1)
            first.book(short)
            second.book(short, ifFull = IfFull.Waitlist)
        }
    }

    @Test
    fun `input that is not accepted says where`() {
        val nobody = somebody()
        val invalid = refused(ProblemCode.ValidationFailed) { nobody.api.auth.registerUser(UserCreate("somebody@test.com", "S", "short")) }
        assertEquals("/password", invalid.problem.errors?.single()?.pointer)
        val wrong = refused(ProblemCode.InvalidParameter) { nobody.api.events.listEvents(limit = 0) }
        assertEquals("limit", wrong.problem.errors?.single()?.parameter)
        refused(ProblemCode.InvalidCursor) { nobody.api.events.listEvents(cursor = "nonsense") }
        refused(ProblemCode.CursorMismatch) {
            val cursor = nobody.api.events.listEvents(limit = 1).nextCursor
            nobody.api.events.listEvents(q = "concert", cursor = cursor)
        }
        refused(ProblemCode.UnknownTimeZone) { organizer.api.events.createEvent(EventCreate("Nowhere", "Europe/Atlantis")) }
        refused(ProblemCode.InvalidTimeRange) { organizer.api.slots.createSlot(event().id, SlotCreate(inDays(2), inDays(1), 1)) }
        refused(ProblemCode.EmailTaken) { nobody.api.auth.registerUser(UserCreate("busy@test.com", "Not Busy", "password")) }
    }

    @Test
    fun `who may not`() {
        val person = newcomer()
        val token = somebody().api.me
        refused(ProblemCode.TokenMissing) { token.getMe() }
        refused(ProblemCode.TokenInvalid) { EventBooking(Service.shared.url) { "evb_nonsense" }.me.getMe() }
        refused(ProblemCode.InvalidCredentials) { somebody(person.email, "wrong password") }
        refused(ProblemCode.NotPermitted) { person.api.users.listUsers() }
        refused(ProblemCode.AbilityMissing) {
            val weak = person.api.me.createToken(TokenCreate("Weak", setOf(Ability.MeRead))).token
            EventBooking(Service.shared.url) { weak }.bookings.listMyBookings()
        }
        val booking = newcomer().book(slot())
        val absent = refused(ProblemCode.NotFound) { person.api.bookings.getBooking(booking.id) }
        assertTrue(absent.message!!.contains("404 not_found"), absent.message)
        assertTrue(absent.message!!.contains(absent.problem.requestId), absent.message)
    }

    @Test
    fun `an edit of what has changed`() {
        val slot = slot(capacity = 2)
        newcomer().book(slot, seats = 2)
        val slots = organizer.api.slots
        refused(ProblemCode.VersionRequired) { slots.updateSlot(slot.id, SlotPatch(capacity = 3)) }
        refused(ProblemCode.VersionMismatch) { slots.updateSlot(slot.id, SlotPatch(capacity = 3), "\"77.1\"") }
        val tag = slots.getSlotWithHttpInfo(slot.id, null).etag
        assertEquals(2, refused(ProblemCode.CapacityBelowTaken) { slots.updateSlot(slot.id, SlotPatch(capacity = 1), tag) }.problem.seatsTaken)
        refused(ProblemCode.EventHasBookings) { slots.deleteSlot(slot.id, tag) }
        val event = organizer.api.events.cancelEvent(slot.eventId, Cancellation("Ill."))
        val over = refused(ProblemCode.InvalidTransition) { organizer.api.events.updateEvent(event.id, EventPatch(title = "Again"), "*") }
        assertEquals("cancelled", over.problem.from)
    }

    @Test
    fun `a key of one's own, and what it was used for`() {
        val person = newcomer()
        val slot = slot()
        val key = UUID.randomUUID().toString()
        val first = person.api.bookings.createBookingWithHttpInfo(slot.id, BookingCreate(), key)
        val again = person.api.bookings.createBookingWithHttpInfo(slot.id, BookingCreate(), key)
        assertEquals(assertNotNull(first.body), again.body)
        assertEquals(listOf(false, true), listOf(first.replayed, again.replayed))
        refused(ProblemCode.IdempotencyKeyReused) { person.api.bookings.createBooking(slot.id, BookingCreate(2), key) }
        refused(ProblemCode.IdempotencyKeyInvalid) { person.api.bookings.createBooking(slot.id, BookingCreate(), "k".repeat(256)) }
    }

    @Test
    fun `codes and values of a later version are kept`() {
        Wire(Service.shared.address).use { wire ->
            val person = newcomer(wire.url)
            val slot = slot(capacity = 1)
            // The answers of the service, with words that it may learn one day; as long as the old ones, for Content-Length.
            wire.rewrite = { it.replace("slot_full", "slot_gone").replace("waitlist_open", "whitelist_too").replace("confirmed", "pencilled") }
            val booking = person.book(slot)
            assertEquals("Unknown", booking.status.name)

            val e = refused(ProblemCode.Unknown) { newcomer(wire.url).book(slot) }
            assertEquals("slot_gone", e.codeName)
            assertEquals(409, e.status)
            assertEquals("true", e.members.getValue("whitelist_too").jsonPrimitive.content)
        }
    }

    @Test
    fun `a login is not helped by the token that it is to replace`() {
        // A provider that logs in by the client that asks it: once, because logging in needs no token.
        var asked = 0
        lateinit var api: EventBooking
        api = EventBooking(Service.shared.url) {
            asked++
            api.auth.loginUser(Credentials("busy@test.com", "password")).token
        }
        assertEquals("busy@test.com", api.me.getMe().email)
        assertEquals(1, asked)
    }
}
