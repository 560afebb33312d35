package eventbooking.client

import eventbooking.client.infrastructure.Serializer
import eventbooking.client.models.Problem
import eventbooking.client.models.ProblemCode
import java.io.IOException
import kotlin.time.Duration
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import okhttp3.Response

/**
 * An error response of the service. Match on [code], which says why:
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
 * @property problem the problem document, including the members specific to its code
 * @property members the same document as received, including members that are newer than this client
 * @property retryAfter the wait before another attempt that the response asks for, or null if it asks for none
 */
class ProblemException internal constructor(
    val problem: Problem,
    val members: JsonObject,
    val retryAfter: Duration?,
) : RuntimeException("${problem.status} ${members.string("code")}: ${problem.detail} (request ${problem.requestId})") {

    /** Why the request failed. [ProblemCode.Unknown] stands for a code newer than this client: treat it by its [status]. */
    val code: ProblemCode get() = problem.code

    /** The [code] as received, even if it is unknown. */
    val codeName: String get() = members.string("code")

    /** The HTTP status. */
    val status: Int get() = problem.status

    internal companion object {
        /**
         * Returns the problem in a response, or null if there is none; the body is then left unread.
         *
         * @throws IOException if the problem is malformed
         */
        fun of(response: Response): ProblemException? {
            if (response.body.contentType()?.subtype != "problem+json") return null
            val json = Serializer.kotlinxSerializationJson
            return try {
                val members = json.parseToJsonElement(response.body.string()).jsonObject
                ProblemException(json.decodeFromJsonElement<Problem>(members), members, response.retryAfter())
            } catch (e: IllegalArgumentException) { // What the parser throws.
                throw IOException("${response.code} with a malformed problem: ${e.message}", e)
            }
        }
    }
}

private fun JsonObject.string(name: String): String = getValue(name).jsonPrimitive.content
