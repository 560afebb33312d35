package eventbooking.client

import eventbooking.client.infrastructure.OPERATIONS
import eventbooking.client.models.Ability
import eventbooking.client.models.BookingBundleCreate
import eventbooking.client.models.BookingCancellation
import eventbooking.client.models.BookingCreate
import eventbooking.client.models.BookingItem
import eventbooking.client.models.BookingMove
import eventbooking.client.models.BookingPatch
import eventbooking.client.models.BookingStatus
import eventbooking.client.models.BookingWhen
import eventbooking.client.models.Cancellation
import eventbooking.client.models.Deletion
import eventbooking.client.models.EventCreate
import eventbooking.client.models.EventPatch
import eventbooking.client.models.EventStatus
import eventbooking.client.models.EventWhen
import eventbooking.client.models.HoldCreate
import eventbooking.client.models.IfFull
import eventbooking.client.models.LedgerKind
import eventbooking.client.models.PasswordChange
import eventbooking.client.models.ProblemCode
import eventbooking.client.models.ProfilePatch
import eventbooking.client.models.SimulationCreate
import eventbooking.client.models.SlotCreate
import eventbooking.client.models.SlotEditStatus
import eventbooking.client.models.SlotPatch
import eventbooking.client.models.SlotStatus
import eventbooking.client.models.TokenCreate
import eventbooking.client.models.UserCreate
import eventbooking.client.models.UserPatch
import eventbooking.client.models.UserRole
import eventbooking.client.models.WaitlistMode
import java.util.UUID
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.AfterAll

/** Calls every operation of the contract successfully. */
class OperationsTest {
    companion object {
        private val users = mutableListOf<TestUser>()

        private fun attendee(): TestUser = newAttendee().also { users += it }

        @AfterAll
        @JvmStatic
        fun `every operation was called, with a key where the contract has one`() {
            val attempts = (users + organizer + admin).flatMap { it.attempts }
            assertEquals(emptyList(), attempts.filter { it.status == 429 }, "requests that met a rate limit")
            val done = attempts.filter { it.status < 400 }.map { it.operation }.toSet()
            assertEquals(OPERATIONS.map { it.id }.toSet(), done, "operations of the contract, and those called successfully")

            val keyed = contract().filterValues { it }.keys
            attempts.forEach { assertEquals(it.operation in keyed, it.key != null, "a key for ${it.operation}") }
        }

        /** The operationIds of the running service, and whether each accepts an Idempotency-Key. */
        private fun contract(): Map<String, Boolean> = anonymous().api.service.getSpecJson().getValue("paths").jsonObject.values
            .flatMap { path -> path.jsonObject.values.filterIsInstance<JsonObject>().filter { "operationId" in it } }
            .associate { operation ->
                val parameters = operation["parameters"]?.jsonArray.orEmpty().map { it.jsonObject["\$ref"]?.jsonPrimitive?.content }
                operation.getValue("operationId").jsonPrimitive.content to ("#/components/parameters/IdempotencyKey" in parameters)
            }
    }

    private val events get() = organizer.api.events
    private val slots get() = organizer.api.slots

    @Test
    fun `the client has the operations of the service`() {
        assertEquals(contract().keys, OPERATIONS.map { it.id }.toSet())
    }

    @Test
    fun `users can edit their profile, password and tokens, and delete themselves`() {
        val user = attendee()
        val api = user.api
        val me = api.me.getMeWithHttpInfo(null)
        assertEquals(user.email, me.body?.email)
        val unchanged = api.me.getMeWithHttpInfo(me.etag)
        assertEquals(304, unchanged.statusCode)
        assertNull(unchanged.body)
        assertEquals("Newest Comer", api.me.updateMe(ProfilePatch(name = "Newest Comer")).name)

        val forever = api.me.createToken(TokenCreate("Phone", setOf(Ability.BookingsRead), expiresAt = Field(null), currentPassword = NEW_PASSWORD))
        assertNull(forever.expiresAt)
        assertNotNull(api.me.createToken(TokenCreate("Tablet", setOf(Ability.All))).expiresAt)
        assertEquals(listOf("Tablet", "Phone", "Login", "Login"), paginate { api.me.listTokens(2, it) }.map { it.name }.toList())
        assertEquals("Phone", api.me.getToken(forever.id).name)
        api.me.deleteToken(forever.id)
        assertEquals(3, api.me.listTokens().data.size)

        api.me.changePassword(PasswordChange(NEW_PASSWORD, "battery staple"))
        val again = logIn(user.email, "battery staple").also { users += it }
        again.api.auth.logoutUser()
        assertRefused(ProblemCode.TokenInvalid) { again.api.me.getMe() }
        api.me.deleteMe(Deletion("battery staple"))
        assertRefused(ProblemCode.TokenInvalid) { api.me.getMe() }

        val anonymous = anonymous().also { users += it }
        assertEquals("B", anonymous.api.auth.registerUser(UserCreate("${UUID.randomUUID()}@test.com", "B", NEW_PASSWORD)).user.name)
    }

    @Test
    fun `an administrator can find a user and make them an organizer`() {
        val user = attendee()
        val found = admin.api.users.listUsers(email = user.email).data.single()
        assertEquals(UserRole.Attendee, admin.api.users.getUser(found.id).role)
        assertEquals(UserRole.Organizer, admin.api.users.updateUser(found.id, UserPatch(UserRole.Organizer)).role)
        assertEquals(UserRole.Organizer, user.api.me.getMe().role)
    }

    @Test
    fun `an organizer can create, edit, publish, cancel and delete events and slots`() {
        val title = "Quintet ${UUID.randomUUID()}"
        val draft = events.createEvent(EventCreate(title, "Europe/Berlin", waitlistLimit = Field(5), holdMinutes = 15))
        assertEquals(EventStatus.Draft, draft.status)
        assertEquals(5, draft.waitlistLimit)

        val read = events.getEventWithHttpInfo(draft.id, null)
        val edited = events.updateEvent(draft.id, EventPatch(location = "Great Hall", waitlistLimit = Field(null)), read.etag)
        assertNull(edited.waitlistLimit, "null clears")
        assertEquals("Great Hall" to 15, edited.location to edited.holdMinutes, "what is left out stays")
        assertEquals(304, events.getEventWithHttpInfo(draft.id, events.getEventWithHttpInfo(draft.id, null).etag).statusCode)

        val first = newSlot(draft, days = 10, capacity = 3)
        val second = newSlot(draft, days = 11)
        events.publishEvent(draft.id)
        val anonymous = anonymous().also { users += it }
        assertEquals(draft.id, anonymous.api.events.listEvents(q = title, `when` = EventWhen.Upcoming, available = true).data.single().id)
        assertEquals(listOf(first.id, second.id), paginate { slots.listSlots(draft.id, 1, it) }.map { it.id }.toList())

        val tag = slots.getSlotWithHttpInfo(first.id, null).etag
        val closed = slots.updateSlot(first.id, SlotPatch(capacity = 4, status = SlotEditStatus.Closed), tag)
        assertEquals(4 to SlotStatus.Closed, closed.capacity to closed.status)
        assertEquals(LedgerKind.Opened, paginate { slots.getSlotLedger(first.id, 1, it) }.first().kind)

        slots.deleteSlot(second.id, slots.getSlotWithHttpInfo(second.id, null).etag)
        assertEquals(SlotStatus.Cancelled, slots.cancelSlot(first.id, Cancellation("The hall is flooded.")).status)
        assertEquals("Ill.", events.cancelEvent(draft.id, Cancellation("Ill.")).cancellationReason)

        val other = events.createEvent(EventCreate("Never to be", "UTC"))
        events.deleteEvent(other.id, "*")
        assertRefused(ProblemCode.NotFound) { events.getEvent(other.id) }
    }

    @Test
    fun `an attendee can book, change, move and cancel, and read the history`() {
        val user = attendee()
        val event = newEvent()
        val evening = newSlot(event, days = 20)
        val later = newSlot(event, days = 21)
        val bookings = user.api.bookings

        val response = bookings.createBookingWithHttpInfo(evening.id, BookingCreate(seats = 2), null)
        val booking = assertNotNull(response.body)
        assertEquals(BookingStatus.Confirmed, booking.status)
        assertFalse(response.replayed)
        assertTrue(bookings.getBookingWithHttpInfo(booking.id, response.etag).statusCode == 304)
        assertEquals(booking, bookings.getBooking(booking.id))
        assertEquals(booking.id, bookings.listMyBookings(listOf(BookingStatus.Confirmed, BookingStatus.Held), BookingWhen.Upcoming).data.single().id)
        assertEquals(booking.id, bookings.listConflicts(inDays(20), inDays(20).plusMinutes(1)).data.single().id)

        assertEquals(3, bookings.updateBooking(booking.id, BookingPatch(seats = 3), response.etag).seats)
        assertEquals(3, bookings.previewCancellation(booking.id).seatsFreed)
        val moved = bookings.moveBooking(booking.id, BookingMove(later.id))
        assertEquals(booking.id, moved.movedFromBookingId)
        assertNotNull(organizer.api.bookings.checkInBooking(moved.id).checkedInAt)
        assertNull(organizer.api.bookings.undoCheckIn(moved.id).checkedInAt)
        assertEquals(BookingStatus.Cancelled, bookings.cancelBooking(moved.id).status)
        assertContains(paginate { bookings.getBookingHistory(moved.id, 1, it) }.map { it.kind }.toList(), LedgerKind.Cancelled)
        assertFalse(bookings.getBookingChain(moved.id).truncated)

        assertEquals(2, organizer.api.bookings.listEventBookings(event.id).data.size)
        assertEquals(booking.id, organizer.api.bookings.listSlotBookings(evening.id, listOf(BookingStatus.Cancelled)).data.single().id)
    }

    @Test
    fun `holds can be confirmed, and several slots booked together`() {
        val user = attendee()
        val event = newEvent()
        val held = user.api.bookings.createHold(newSlot(event, days = 20).id, HoldCreate(seats = 2))
        assertNotNull(held.expiresAt)
        assertEquals(BookingStatus.Confirmed, user.api.bookings.confirmBooking(held.id).status)
        val items = listOf(BookingItem(newSlot(event, days = 22).id), BookingItem(newSlot(event, days = 23).id, seats = 2))
        assertEquals(listOf(1, 2), user.api.bookings.createBookings(BookingBundleCreate(items)).data.map { it.seats })
    }

    @Test
    fun `a declined offer goes to the next in line, who can accept it`() {
        val slot = newSlot(newEvent(WaitlistMode.Offer), capacity = 1)
        val (first, second, third) = List(3) { attendee() }
        val taken = first.book(slot)
        val waiting = second.book(slot, ifFull = IfFull.Waitlist)
        val behind = third.book(slot, seats = 1, ifFull = IfFull.Waitlist)
        assertEquals(listOf(1, 2), listOf(waiting, behind).map { it.waitlistPosition })
        assertEquals(1, third.api.waitlist.getWaitlistPosition(behind.id).bookingsAhead)
        assertEquals(
            listOf(waiting.id, behind.id),
            paginate { organizer.api.waitlist.getSlotWaitlist(slot.id, 1, it) }.map { it.booking.id }.toList(),
        )
        assertTrue(organizer.api.waitlist.promoteSlot(slot.id).promoted.isEmpty())
        assertTrue(organizer.api.waitlist.simulateSlot(slot.id, SimulationCreate(cancellationRate = 0.5, runs = 2)).estimate)

        first.api.bookings.cancelBooking(taken.id, bookingCancellation = BookingCancellation("Ill."))
        fun offered(user: TestUser, booking: UUID) =
            eventually({ user.api.bookings.getBooking(booking).status }) { it == BookingStatus.Offered }
        offered(second, waiting.id)
        assertEquals(BookingStatus.Cancelled, second.api.waitlist.declineOffer(waiting.id).status)
        offered(third, behind.id)
        assertEquals(BookingStatus.Confirmed, third.api.waitlist.acceptOffer(behind.id).status)
    }

    @Test
    fun `a waitlisted booking can stop accepting fewer seats`() {
        val user = attendee()
        val slot = newSlot(capacity = 2)
        attendee().book(slot, seats = 2)
        val waiting = user.api.bookings.createBooking(slot.id, BookingCreate(2, IfFull.Waitlist, seatsMin = 1))
        assertEquals(1, waiting.seatsMin)
        assertNull(user.api.bookings.updateBooking(waiting.id, BookingPatch(seatsMin = Field(null))).seatsMin)
    }

    @Test
    fun `health, documentation and problem descriptions can be read`() {
        val anonymous = anonymous().also { users += it }
        val service = anonymous.api.service
        assertEquals("alive", service.getLiveness().status)
        assertTrue(service.getReadiness().checks.isNotEmpty())
        assertContains(service.getSpecYaml().readText(), "openapi: 3.0.3")
        assertEquals("3.0.3", service.getSpecJson().getValue("openapi").jsonPrimitive.content)
        assertContains(service.getDocs(), "<html")
        assertEquals(409, service.getProblem("slot_full").status)
    }
}
