package eventbooking.client

import eventbooking.client.infrastructure.Serializer
import eventbooking.client.models.Problem
import eventbooking.client.models.ProblemCode
import java.io.IOException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import okhttp3.Response

/**
 * The service refused. Match on [code], which says why:
 *
 * ```
 * try {
 *     api.bookings.createBooking(slot, BookingCreate())
 * } catch (e: ProblemException) {
 *     when (e.code) {
 *         ProblemCode.SlotFull -> if (e.problem.waitlistOpen == true) …
 *         ProblemCode.AlreadyBooked -> show(e.problem.bookingId)
 *         else -> throw e
 *     }
 * }
 * ```
 *
 * @property problem everything that was said about it; the members that belong to the code among it
 * @property members the same as it was sent, with members that a later version of the service may have added
 * @property retryAfter in how long it is worth trying again, for what is [Problem.retryable]
 */
class ProblemException internal constructor(
    val problem: Problem,
    val members: JsonObject,
    val retryAfter: Duration?,
) : RuntimeException("${problem.status} ${members.string("code")}: ${problem.detail} (request ${problem.requestId})") {

    /** Why. [ProblemCode.Unknown] is a code that is newer than this client: treat it like its [status]. */
    val code: ProblemCode get() = problem.code

    /** The [code] as it was sent, also when it is unknown. */
    val codeName: String get() = members.string("code")

    /** The HTTP status. */
    val status: Int get() = problem.status

    internal companion object {
        /** The problem that an answer carries, or null when it carries none; then its body is not touched. */
        fun of(response: Response): ProblemException? {
            if (response.body.contentType()?.subtype != "problem+json") return null
            val json = Serializer.kotlinxSerializationJson
            return try {
                val members = json.parseToJsonElement(response.body.string()).jsonObject
                val wait = response.header("Retry-After")?.toLongOrNull()?.seconds
                ProblemException(json.decodeFromJsonElement<Problem>(members), members, wait)
            } catch (e: IllegalArgumentException) { // What the parser throws.
                throw IOException("${response.code} with a problem that is none: ${e.message}", e)
            }
        }
    }
}

private fun JsonObject.string(name: String): String = getValue(name).jsonPrimitive.content
