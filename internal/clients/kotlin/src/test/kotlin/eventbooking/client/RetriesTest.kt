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
import java.util.concurrent.atomic.AtomicInteger
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

/** Requests are retried when the network or the service fails, if that is safe, and have one effect. */
class RetriesTest {
    private val quick = Retries(attempts = 4, firstWait = 20.milliseconds)

    /** How many bookings of a slot were confirmed, according to its ledger. */
    private fun confirmations(slot: Slot): Int =
        paginate { organizer.api.slots.getSlotLedger(slot.id, cursor = it) }.count { it.kind == LedgerKind.Confirmed }

    @Test
    fun `a booking whose response is lost is made once and returned`() {
        Proxy(Service.shared.address).use { proxy ->
            val user = newAttendee(proxy.url, quick)
            val slot = newSlot()
            proxy.loseResponseTo("/bookings")
            val response = user.api.bookings.createBookingWithHttpInfo(slot.id, BookingCreate(2), null)
            assertEquals(2, assertNotNull(response.body).seats)
            assertTrue(response.replayed, "the second attempt gets the first one's response")
            assertEquals(1, confirmations(slot))
        }
    }

    @Test
    fun `a read whose response is lost is retried`() {
        Proxy(Service.shared.address).use { proxy ->
            val user = newAttendee(proxy.url, quick)
            proxy.loseResponseTo("/api/v1/me")
            assertEquals(user.email, user.api.me.getMe().email)
        }
    }

    @Test
    fun `a write without a key is not retried if its response is lost`() {
        Proxy(Service.shared.address).use { proxy ->
            val user = newAttendee(proxy.url, quick)
            val tokens = user.api.me.listTokens().data.size
            proxy.loseResponseTo("POST /api/v1/me/tokens")
            assertFailsWith<IOException> { user.api.me.createToken(TokenCreate("Once", setOf(Ability.All))) }
            assertEquals(tokens + 1, user.api.me.listTokens().data.size)

            proxy.loseResponseTo("PATCH /api/v1/me")
            assertFailsWith<IOException> { user.api.me.updateMe(ProfilePatch(name = "Once")) }
            assertEquals("Once", user.api.me.getMe().name)
        }
    }

    @Test
    fun `retries end after the last attempt`() {
        Proxy(Service.shared.address).use { proxy ->
            proxy.cut = true
            val api = EventBooking(proxy.url, retries = Retries(attempts = 3, firstWait = 20.milliseconds))
            assertFailsWith<IOException> { api.events.listEvents() }
            assertEquals(3, proxy.connections.get())
        }
    }

    @Test
    fun `an error that is not retryable is not retried, and every call has its own key`() {
        val user = newAttendee()
        val slot = newSlot()
        user.book(slot)
        assertRefused(ProblemCode.AlreadyBooked) { user.book(slot) }
        val (first, second) = user.attempts.filter { it.operation == "createBooking" }
        assertNotEquals(first.key, second.key)
    }

    @Test
    fun `retries outlast a restart of the service`() {
        Service().use { service ->
            val retries = Retries(attempts = 100, firstWait = 200.milliseconds, longestWait = 500.milliseconds)
            val organizer = logIn("organizer@test.com", url = service.url)
            val event = organizer.api.events.listEvents(organizerId = organizer.id, available = true).data.first()
            val slot = paginate { organizer.api.slots.listSlots(event.id, cursor = it) }.first { it.seatsAvailable > 0 }
            val user = newAttendee(service.url, retries)

            service.stop()
            val caller = Thread.currentThread()
            val restart = thread { eventually({ caller.isWaitingToRetry() }) { it }; service.start() }
            // A PATCH is retried if it was not sent, because there was no connection.
            val unconnected = EventBooking(service.url, retries = retries) { user.token }
            assertEquals("Patient", unconnected.me.updateMe(ProfilePatch(name = "Patient")).name)
            restart.join()

            service.stop()
            val again = thread { service.start() }
            val booking = user.book(slot)
            again.join()
            assertEquals(listOf(booking.id), user.api.bookings.listMyBookings().data.map { it.id })
        }
    }

    /** Runs [test] with a second process whose connections to the first one's database go through a proxy. */
    private fun withDatabaseProxy(test: (Service, Proxy) -> Unit) = Proxy(Service.shared.postgres()).use { proxy ->
        Service("postgres://eventbooking@127.0.0.1:${proxy.port}/eventbooking?sslmode=disable").use { test(it, proxy) }
    }

    @Test
    fun `retries outlast a database outage and respect Retry-After`() = withDatabaseProxy { service, proxy ->
        val user = newAttendee(service.url, Retries(attempts = 20, firstWait = 20.milliseconds))
        val slot = newSlot()
        proxy.cut = true
        val back = thread { eventually({ user.attempts.count { it.operation == "createBooking" } }) { it > 0 }; proxy.cut = false }
        user.book(slot)
        back.join()
        assertEquals(1, confirmations(slot))

        val attempts = user.attempts.filter { it.operation == "createBooking" }
        assertEquals("database_unavailable", attempts.first().code)
        assertEquals(201, attempts.last().status)
        assertEquals(1, attempts.map { it.key }.distinct().size, "one key for all attempts")
        attempts.zipWithNext { one, next ->
            assertTrue(next.atMillis - one.atMillis >= 1000, "Retry-After is 1 s, but the wait was ${next.atMillis - one.atMillis} ms")
        }

        proxy.cut = true
        val impatient = EventBooking(service.url, retries = Retries(longestWait = 500.milliseconds))
        val started = TimeSource.Monotonic.markNow()
        val e = assertFailsWith<ProblemException> { impatient.events.listEvents() }
        assertTrue(e.problem.retryable && e.retryAfter == 1.seconds, "$e, retry after ${e.retryAfter}")
        assertTrue(started.elapsedNow() < 30.seconds)
    }

    /** Runs [test] with a second process on the first one's database, with limits. */
    private fun withLimits(limits: String, test: (Service) -> Unit) = Proxy(Service.shared.postgres()).use { proxy ->
        Service("postgres://eventbooking@127.0.0.1:${proxy.port}/eventbooking?sslmode=disable", mapOf("RATE_LIMITS" to limits)).use(test)
    }

    @Test
    fun `a rate limit is waited for as Retry-After says, also by a write without a key`() = withLimits("reads=1/2s,writes=1/2s,bookings=1/24h") { service ->
        val user = newAttendee(service.url, quick)
        for ((operation, call) in listOf("getMe" to { user.api.me.getMe() }, "createToken" to { user.api.me.createToken(TokenCreate("Patient", setOf(Ability.All))) })) {
            call()
            call()
            val (_, refused, next) = user.attempts.filter { it.operation == operation }
            assertEquals(listOf("rate_limited", null), listOf(refused.code, next.code))
            assertTrue(next.atMillis - refused.atMillis >= 1000, "$operation: Retry-After is 1 or 2 s, but the wait was ${next.atMillis - refused.atMillis} ms")
        }
        val slot = newSlot()
        user.book(slot)
        val e = assertRefused(ProblemCode.RateLimited) { user.book(newSlot(days = 40)) }
        assertTrue(assertNotNull(e.retryAfter) > 10.seconds)
        assertEquals(2, user.attempts.count { it.operation == "createBooking" })
    }

    @Test
    fun `a proxy's rate limit is waited for`() {
        Proxy(Service.shared.address).use { proxy ->
            val user = newAttendee(proxy.url, quick)
            val refusals = AtomicInteger()
            proxy.rewrite = {
                if (refusals.getAndIncrement() > 0) it
                else it.replace("HTTP/1.1 200 OK", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1").replace("application/json", "text/html")
            }
            assertEquals(user.email, user.api.me.getMe().email)
            val (refused, next) = user.attempts.filter { it.operation == "getMe" }
            assertEquals(listOf(429, 200), listOf(refused.status, next.status))
            assertTrue(next.atMillis - refused.atMillis >= 1000)
        }
    }

    @Test
    fun `after outcome_unknown, retrying with the same key returns the outcome`() = withDatabaseProxy { service, proxy ->
        val user = newAttendee(service.url, quick)
        val slot = newSlot()
        user.api.me.getMe()
        // PostgreSQL's message that it has committed.
        proxy.loseResponse("COMMIT\u0000")
        user.book(slot)
        assertEquals(1, confirmations(slot))
        val attempts = user.attempts.filter { it.operation == "createBooking" }
        assertEquals(listOf("outcome_unknown", null), attempts.map { it.code })
        assertEquals(1, attempts.map { it.key }.distinct().size)
    }

    @Test
    fun `an interrupt ends the wait between attempts`() {
        Proxy(Service.shared.address).use { proxy ->
            val user = newAttendee(proxy.url, Retries(firstWait = 5.minutes, longestWait = 10.minutes))
            proxy.cut = true
            var thrown: Throwable? = null
            val waiting = thread { thrown = runCatching { user.api.me.getMe() }.exceptionOrNull() }
            eventually({ waiting.isWaitingToRetry() }) { it }
            waiting.interrupt()
            waiting.join(10_000)
            assertTrue(thrown is InterruptedIOException, "$thrown")
        }
    }
}
