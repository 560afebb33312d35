package eventbooking.client

import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How often, and after what waits, a request is retried. Retried are:
 *
 * - `retryable` problems, respecting `Retry-After`;
 * - lost responses and `outcome_unknown`, but only of reads and of POSTs with an `Idempotency-Key`, which have one
 *   effect however often they are sent. Any other request may have had its effect: the caller must check;
 * - requests that were not sent, because there was no connection.
 *
 * @property attempts how often a request is sent at most, including the first time
 * @property firstWait the approximate wait before the second attempt; it doubles with each further one
 * @property longestWait the limit of that wait; a longer `Retry-After` ends the attempts
 */
class Retries(
    val attempts: Int = 4,
    val firstWait: Duration = 200.milliseconds,
    val longestWait: Duration = 10.seconds,
) {
    init {
        require(attempts >= 1) { "attempts is $attempts; the minimum is 1, which disables retries" }
        require(firstWait.isPositive() && longestWait >= firstWait) { "firstWait must be positive, and longestWait at least as long" }
    }

    /** The wait after an attempt (1 is the first), or null to give up. */
    internal fun waitAfter(attempt: Int, retryAfter: Duration?): Duration? {
        if (attempt >= attempts || (retryAfter ?: Duration.ZERO) > longestWait) return null
        // 2^20 exceeds any sensible limit, and cannot overflow.
        val backoff = minOf(firstWait * (1 shl minOf(attempt - 1, 20)), longestWait)
        // Random, so that clients that failed together do not retry together.
        return (retryAfter ?: Duration.ZERO) + backoff * Random.nextDouble(0.5, 1.0)
    }
}
