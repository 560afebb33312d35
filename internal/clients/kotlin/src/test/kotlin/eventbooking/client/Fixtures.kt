package eventbooking.client

import eventbooking.client.models.Booking
import eventbooking.client.models.BookingCreate
import eventbooking.client.models.Credentials
import eventbooking.client.models.Event
import eventbooking.client.models.EventCreate
import eventbooking.client.models.IfFull
import eventbooking.client.models.ProblemCode
import eventbooking.client.models.Slot
import eventbooking.client.models.SlotCreate
import eventbooking.client.models.UserCreate
import eventbooking.client.models.WaitlistMode
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.temporal.ChronoUnit
import java.util.UUID
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.random.Random
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import okhttp3.OkHttpClient

/** One attempt of a request, and its response. */
internal data class Attempt(val operation: String, val status: Int, val key: String?, val code: String?, val atMillis: Long)

/** A user's client, and its recorded attempts. */
internal class TestUser(val api: EventBooking, val attempts: List<Attempt>, val email: String = "", val id: UUID? = null, val token: String? = null)

/** From an address of its own, as a proxy would pass it on: the people of the tests are not all behind one. */
private fun recording(attempts: MutableList<Attempt>, address: String = "198.18.${Random.nextInt(256)}.${Random.nextInt(256)}"): OkHttpClient = OkHttpClient.Builder().addNetworkInterceptor { chain ->
    val request = chain.request().newBuilder().header("X-Forwarded-For", address).build()
    val response = chain.proceed(request)
    val problem = Regex(""""code":"([a-z_]+)"""").find(if (response.code >= 400) response.peekBody(1 shl 16).string() else "")
    val operation = checkNotNull(request.operation()) { "no operation for ${request.method} ${request.url}" }
    attempts += Attempt(operation.id, response.code, request.header("Idempotency-Key"), problem?.groupValues?.get(1), System.nanoTime() / 1_000_000)
    response
}.build()

/** A client without a token. */
internal fun anonymous(url: String = Service.shared.url): TestUser {
    val attempts = CopyOnWriteArrayList<Attempt>()
    return TestUser(EventBooking(url, recording(attempts)), attempts)
}

/** Logs a user in. */
internal fun logIn(email: String, password: String = "password", url: String = Service.shared.url, retries: Retries = Retries()): TestUser {
    val attempts = CopyOnWriteArrayList<Attempt>()
    var token: String? = null
    val api = EventBooking(url, recording(attempts), retries) { token }
    val login = api.auth.loginUser(Credentials(email, password))
    token = login.token
    return TestUser(api, attempts, email, login.user.id, token)
}

/** The password of new users: that of the seeded ones is refused as too easy to guess. */
internal const val NEW_PASSWORD = "correct horse battery"

/** Registers a new attendee, used by this test only. */
internal fun newAttendee(url: String = Service.shared.url, retries: Retries = Retries()): TestUser {
    val email = "${UUID.randomUUID()}@test.com"
    anonymous(url).api.auth.registerUser(UserCreate(email, "New Comer", NEW_PASSWORD))
    return logIn(email, NEW_PASSWORD, url = url, retries = retries)
}

internal val organizer: TestUser by lazy { logIn("organizer@test.com") }

internal val admin: TestUser by lazy { logIn("admin@test.com") }

internal fun inDays(days: Long): OffsetDateTime = OffsetDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS).plusDays(days)

/** Publishes an event of [organizer], without slots: the one that publishing needs is deleted again. */
internal fun newEvent(mode: WaitlistMode = WaitlistMode.Automatic, title: String = "Kotlin evening"): Event {
    val draft = organizer.api.events.createEvent(EventCreate(title, "Europe/Berlin", waitlistMode = mode))
    val first = newSlot(draft)
    return organizer.api.events.publishEvent(draft.id).also { organizer.api.slots.deleteSlot(first.id, "*") }
}

/** Creates a slot of two hours, [days] from now. */
internal fun newSlot(event: Event = newEvent(), days: Long = 30, capacity: Int = 10): Slot =
    organizer.api.slots.createSlot(event.id, SlotCreate(inDays(days), inDays(days).plusHours(2), capacity))

internal fun TestUser.book(slot: Slot, seats: Int = 1, ifFull: IfFull = IfFull.Reject): Booking =
    api.bookings.createBooking(slot.id, BookingCreate(seats, ifFull))

/** Asserts that [call] fails with a problem of this code, and returns it. */
internal fun assertRefused(code: ProblemCode, call: () -> Any?): ProblemException {
    val e = assertFailsWith<ProblemException> { call() }
    assertEquals(code, e.code, e.message)
    return e
}

/** Calls [poll] until its result satisfies [isDone], for ten seconds, and returns that result. */
internal fun <T> eventually(poll: () -> T, isDone: (T) -> Boolean): T {
    repeat(100) {
        val result = poll()
        if (isDone(result)) return result
        Thread.sleep(100)
    }
    throw AssertionError("timed out after ten seconds, with ${poll()}")
}

/** Whether the thread is waiting between two attempts of a request. */
internal fun Thread.isWaitingToRetry(): Boolean =
    // startsWith, because the compiler adds a suffix to the names of functions that take a Duration.
    stackTrace.any { it.className == RetryInterceptor::class.qualifiedName && it.methodName.startsWith("sleep") }
