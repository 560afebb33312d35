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
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import okhttp3.OkHttpClient

/** One request as it went over the wire, and how it was answered. */
internal data class Seen(val operation: String, val status: Int, val key: String?, val code: String?, val atMillis: Long)

/** A client, and what it sent: every attempt is an entry of [seen]. */
internal class Person(val api: EventBooking, val seen: List<Seen>, val email: String = "", val id: UUID? = null, val token: String? = null)

private fun recording(seen: MutableList<Seen>): OkHttpClient = OkHttpClient.Builder().addNetworkInterceptor { chain ->
    val request = chain.request()
    val response = chain.proceed(request)
    val problem = Regex(""""code":"([a-z_]+)"""").find(if (response.code >= 400) response.peekBody(1 shl 16).string() else "")
    val operation = checkNotNull(request.operation()) { "no operation for ${request.method} ${request.url}" }
    seen += Seen(operation.id, response.code, request.header("Idempotency-Key"), problem?.groupValues?.get(1), System.nanoTime() / 1_000_000)
    response
}.build()

/** Somebody who logs in at [url]; without an e-mail address, somebody without a token. */
internal fun somebody(email: String? = null, password: String = "password", url: String = Service.shared.url, retries: Retries = Retries()): Person {
    val seen = CopyOnWriteArrayList<Seen>()
    var token: String? = null
    val api = EventBooking(url, recording(seen), retries) { token }
    if (email == null) return Person(api, seen)
    val login = api.auth.loginUser(Credentials(email, password))
    token = login.token
    return Person(api, seen, email, login.user.id, token)
}

/** A new attendee, of whom nobody else knows. */
internal fun newcomer(url: String = Service.shared.url, retries: Retries = Retries()): Person {
    val email = "${UUID.randomUUID()}@test.com"
    somebody(url = url).api.auth.registerUser(UserCreate(email, "New Comer", "password"))
    return somebody(email, url = url, retries = retries)
}

internal val organizer: Person by lazy { somebody("organizer@test.com") }

internal val admin: Person by lazy { somebody("admin@test.com") }

internal fun inDays(days: Long): OffsetDateTime = OffsetDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS).plusDays(days)

/** A published event of the organizer's. */
internal fun event(mode: WaitlistMode = WaitlistMode.Automatic, title: String = "Kotlin evening"): Event {
    val draft = organizer.api.events.createEvent(EventCreate(title, "Europe/Berlin", waitlistMode = mode))
    return organizer.api.events.publishEvent(draft.id)
}

/** A slot of two hours, some days from now. */
internal fun slot(event: Event = event(), days: Long = 30, capacity: Int = 10): Slot =
    organizer.api.slots.createSlot(event.id, SlotCreate(inDays(days), inDays(days).plusHours(2), capacity))

internal fun Person.book(slot: Slot, seats: Int = 1, ifFull: IfFull = IfFull.Reject): Booking =
    api.bookings.createBooking(slot.id, BookingCreate(seats, ifFull))

/** That [call] is refused with this code. */
internal fun refused(code: ProblemCode, call: () -> Any?): ProblemException {
    val e = assertFailsWith<ProblemException> { call() }
    assertEquals(code, e.code, e.message)
    return e
}

/** What [look] finds, as soon as that is [enough]: for what happens in the background. */
internal fun <T> eventually(look: () -> T, enough: (T) -> Boolean): T {
    repeat(100) {
        val found = look()
        if (enough(found)) return found
        Thread.sleep(100)
    }
    throw AssertionError("after ten seconds still ${look()}")
}

/** Whether a thread that sends a request has been refused, and pauses before the next attempt. */
internal fun Thread.waitsToRepeat(): Boolean =
    // The compiler adds to the name of a function that takes a Duration.
    stackTrace.any { it.className == RetryInterceptor::class.qualifiedName && it.methodName.startsWith("sleep") }
