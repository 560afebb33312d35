package eventbooking.client

import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How often, and after which waits, a request is sent again. Which ones are is not a setting:
 *
 * - what the service calls `retryable`, with its `Retry-After` respected;
 * - what nobody answered, and `outcome_unknown`: reads, and POSTs with an `Idempotency-Key`, which have one effect
 *   however often they are sent. Anything else may have had its effect, and is the caller's to look at;
 * - whatever could not be sent at all, because there was no connection.
 *
 * @property attempts how often a request is sent at most, the first time included
 * @property firstWait about how long to wait before the second attempt; the wait doubles with each further one
 * @property longestWait what the wait does not grow beyond; a `Retry-After` that is longer ends the attempts
 */
class Retries(
    val attempts: Int = 4,
    val firstWait: Duration = 200.milliseconds,
    val longestWait: Duration = 10.seconds,
) {
    init {
        require(attempts >= 1) { "attempts is $attempts; 1 is the least, and means: never again" }
        require(firstWait.isPositive() && longestWait >= firstWait) { "firstWait must be positive, and longestWait not shorter" }
    }

    /** How long to wait after the attempt of this number (1 is the first), or null to give up. */
    internal fun waitAfter(attempt: Int, retryAfter: Duration?): Duration? {
        if (attempt >= attempts || (retryAfter ?: Duration.ZERO) > longestWait) return null
        // 2^20 is beyond any sensible bound, and safe from overflow.
        val backoff = minOf(firstWait * (1 shl minOf(attempt - 1, 20)), longestWait)
        // Scattered, so that those who failed together do not come back together.
        return (retryAfter ?: Duration.ZERO) + backoff * Random.nextDouble(0.5, 1.0)
    }
}
