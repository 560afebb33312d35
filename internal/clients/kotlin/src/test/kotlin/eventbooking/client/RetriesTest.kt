package eventbooking.client

import eventbooking.client.models.Ability
import eventbooking.client.models.BookingCreate
import eventbooking.client.models.LedgerKind
import eventbooking.client.models.ProblemCode
import eventbooking.client.models.ProfilePatch
import eventbooking.client.models.Slot
import eventbooking.client.models.TokenCreate
import java.io.IOException
import java.io.InterruptedIOException
import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** What is sent again when the network or the service fails, what is not, and that there is one effect. */
class RetriesTest {
    private val quick = Retries(attempts = 4, firstWait = 20.milliseconds)

    /** How many bookings a slot has seen, by its ledger. */
    private fun bookedIn(slot: Slot): Int =
        paginate { organizer.api.slots.getSlotLedger(slot.id, cursor = it) }.count { it.kind == LedgerKind.Confirmed }

    @Test
    fun `a booking whose answer is lost is made once, and answered`() {
        Wire(Service.shared.address).use { wire ->
            val person = newcomer(wire.url, quick)
            val slot = slot()
            wire.loseAnswerTo("/bookings")
            val answer = person.api.bookings.createBookingWithHttpInfo(slot.id, BookingCreate(2), null)
            assertEquals(2, assertNotNull(answer.body).seats)
            assertTrue(answer.replayed, "the second attempt gets the first one's answer")
            assertEquals(1, bookedIn(slot))
        }
    }

    @Test
    fun `a read whose answer is lost is read again`() {
        Wire(Service.shared.address).use { wire ->
            val person = newcomer(wire.url, quick)
            wire.loseAnswerTo("/api/v1/me")
            assertEquals(person.email, person.api.me.getMe().email)
        }
    }

    @Test
    fun `what has no key is not sent again when its answer is lost`() {
        Wire(Service.shared.address).use { wire ->
            val person = newcomer(wire.url, quick)
            val tokens = person.api.me.listTokens().data.size
            wire.loseAnswerTo("POST /api/v1/me/tokens")
            assertFailsWith<IOException> { person.api.me.createToken(TokenCreate("Once", setOf(Ability.All))) }
            assertEquals(tokens + 1, person.api.me.listTokens().data.size)

            wire.loseAnswerTo("PATCH /api/v1/me")
            assertFailsWith<IOException> { person.api.me.updateMe(ProfilePatch(name = "Once")) }
            assertEquals("Once", person.api.me.getMe().name)
        }
    }

    @Test
    fun `attempts are bounded`() {
        Wire(Service.shared.address).use { wire ->
            wire.cut = true
            val api = EventBooking(wire.url, retries = Retries(attempts = 3, firstWait = 20.milliseconds))
            assertFailsWith<IOException> { api.events.listEvents() }
            assertEquals(3, wire.connections.get())
        }
    }

    @Test
    fun `a refusal is not sent again, and every call has a key of its own`() {
        val person = newcomer()
        val slot = slot()
        person.book(slot)
        refused(ProblemCode.AlreadyBooked) { person.book(slot) }
        val (first, second) = person.seen.filter { it.operation == "createBooking" }
        assertNotEquals(first.key, second.key)
    }

    @Test
    fun `a service that is restarted meanwhile`() {
        Service().use { service ->
            val retries = Retries(attempts = 100, firstWait = 200.milliseconds, longestWait = 500.milliseconds)
            val organizer = somebody("organizer@test.com", url = service.url)
            val event = organizer.api.events.listEvents(organizerId = organizer.id, available = true).data.first()
            val slot = paginate { organizer.api.slots.listSlots(event.id, cursor = it) }.first { it.seatsAvailable > 0 }
            val person = newcomer(service.url, retries)

            service.stop()
            val asking = Thread.currentThread()
            val restart = thread { eventually({ asking.waitsToRepeat() }) { it }; service.start() }
            // A PATCH that was not sent, for want of a connection, is sent when there is one.
            val unconnected = EventBooking(service.url, retries = retries) { person.token }
            assertEquals("Patient", unconnected.me.updateMe(ProfilePatch(name = "Patient")).name)
            restart.join()

            service.stop()
            val again = thread { service.start() }
            val booking = person.book(slot)
            again.join()
            assertEquals(listOf(booking.id), person.api.bookings.listMyBookings().data.map { it.id })
        }
    }

    /** A second process, with a wire to the database of the first. */
    private fun withDatabaseWire(test: (Service, Wire) -> Unit) = Wire(Service.shared.postgres()).use { wire ->
        Service("postgres://eventbooking@127.0.0.1:${wire.port}/eventbooking?sslmode=disable").use { test(it, wire) }
    }

    @Test
    fun `a database that is away for a while`() = withDatabaseWire { service, wire ->
        val person = newcomer(service.url, Retries(attempts = 20, firstWait = 20.milliseconds))
        val slot = slot()
        wire.cut = true
        val back = thread { eventually({ person.seen.count { it.operation == "createBooking" } }) { it > 0 }; wire.cut = false }
        person.book(slot)
        back.join()
        assertEquals(1, bookedIn(slot))

        val attempts = person.seen.filter { it.operation == "createBooking" }
        assertEquals("database_unavailable", attempts.first().code)
        assertEquals(201, attempts.last().status)
        assertEquals(1, attempts.map { it.key }.distinct().size, "one key for all attempts")
        attempts.zipWithNext { one, next ->
            assertTrue(next.atMillis - one.atMillis >= 1000, "Retry-After is a second, and it came after ${next.atMillis - one.atMillis} ms")
        }

        wire.cut = true
        val impatient = EventBooking(service.url, retries = Retries(longestWait = 500.milliseconds))
        val started = TimeSource.Monotonic.markNow()
        val e = assertFailsWith<ProblemException> { impatient.events.listEvents() }
        assertTrue(e.problem.retryable && e.retryAfter == 1.seconds, "$e, retry after ${e.retryAfter}")
        assertTrue(started.elapsedNow() < 30.seconds)
    }

    @Test
    fun `an outcome that the service does not know`() = withDatabaseWire { service, wire ->
        val person = newcomer(service.url, quick)
        val slot = slot()
        person.api.me.getMe()
        // What PostgreSQL says when it has committed.
        wire.loseAnswer("COMMIT\u0000")
        person.book(slot)
        assertEquals(1, bookedIn(slot))
        val attempts = person.seen.filter { it.operation == "createBooking" }
        assertEquals(listOf("outcome_unknown", null), attempts.map { it.code })
        assertEquals(1, attempts.map { it.key }.distinct().size)
    }

    @Test
    fun `whoever is interrupted does not wait`() {
        Wire(Service.shared.address).use { wire ->
            val person = newcomer(wire.url, Retries(firstWait = 5.minutes, longestWait = 10.minutes))
            wire.cut = true
            var thrown: Throwable? = null
            val waiting = thread { thrown = runCatching { person.api.me.getMe() }.exceptionOrNull() }
            eventually({ waiting.waitsToRepeat() }) { it }
            waiting.interrupt()
            waiting.join(10_000)
            assertTrue(thrown is InterruptedIOException, "$thrown")
        }
    }
}
