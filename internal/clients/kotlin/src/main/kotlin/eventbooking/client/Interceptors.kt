package eventbooking.client

import eventbooking.client.infrastructure.OPERATIONS
import eventbooking.client.infrastructure.Operation
import eventbooking.client.models.ProblemCode
import java.io.IOException
import java.io.InterruptedIOException
import java.net.ConnectException
import java.net.SocketTimeoutException
import java.util.UUID
import kotlin.time.Duration
import okhttp3.Interceptor
import okhttp3.Request
import okhttp3.Response

// The manners of the client, the outermost first. They know operations by the table that is generated from the contract.

private const val KEY = "Idempotency-Key"

/** Gives a request that takes an `Idempotency-Key` one, unless the caller brought one; outside of the retries, which keep it. */
internal object KeyInterceptor : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        val wanted = request.header(KEY) == null && request.operation()?.headers?.contains(KEY.lowercase()) == true
        return chain.proceed(if (wanted) request.newBuilder().header(KEY, UUID.randomUUID().toString()).build() else request)
    }
}

/** Sends again what may succeed then, as [Retries] tells. */
internal class RetryInterceptor(private val retries: Retries) : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        var attempt = 0
        while (true) {
            attempt++
            val wait = try {
                return chain.proceed(request)
            } catch (e: ProblemException) {
                retries.waitAfter(attempt, e.retryAfter)?.takeIf { worthRepeating(request, e) } ?: throw e
            } catch (e: IOException) {
                retries.waitAfter(attempt, null)?.takeIf { worthRepeating(request, e) } ?: throw e
            }
            sleep(wait)
            if (chain.call().isCanceled()) throw IOException("Canceled")
        }
    }

    private fun worthRepeating(request: Request, e: ProblemException): Boolean =
        e.problem.retryable && (e.code != ProblemCode.OutcomeUnknown || harmlessTwice(request))

    private fun worthRepeating(request: Request, e: IOException): Boolean = when (e) {
        is ConnectException -> true // Nothing was sent.
        is SocketTimeoutException -> harmlessTwice(request)
        is InterruptedIOException -> false // The caller does not want to wait any longer.
        else -> harmlessTwice(request)
    }

    /** Whether sending it twice has no second effect, and no other answer. */
    private fun harmlessTwice(request: Request): Boolean = request.method == "GET" || request.header(KEY) != null

    private fun sleep(wait: Duration) {
        try {
            Thread.sleep(wait.inWholeMilliseconds)
        } catch (e: InterruptedException) {
            Thread.currentThread().interrupt()
            throw InterruptedIOException("interrupted before the request was sent again").apply { initCause(e) }
        }
    }
}

/** Asks for the token each time that a request is sent, so that one that was renewed meanwhile is used. */
internal class TokenInterceptor(private val token: () -> String?) : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        // Not for what needs none: a provider that logs in by this client would ask itself for a token.
        val token = (if (request.operation()?.takesToken == true) token() else null) ?: return chain.proceed(request)
        return chain.proceed(request.newBuilder().header("Authorization", "Bearer $token").build())
    }
}

/** Makes exceptions of problems, and of what a gateway says when it cannot reach the service. */
internal object AnswerInterceptor : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val response = chain.proceed(chain.request())
        ProblemException.of(response)?.let { throw it }
        if (response.code in 502..504) {
            response.close()
            throw IOException("${response.code} ${response.message}, not from the service itself but from something before it")
        }
        // The generated code reads text under this name only.
        if (response.body.contentType()?.type == "text") {
            return response.newBuilder().header("Content-Type", "text/plain").build()
        }
        return response
    }
}

private val ROUTES: List<Pair<Operation, Regex>> = OPERATIONS.map { operation ->
    val segments = operation.path.split('/').joinToString("/") { if (it.startsWith("{")) "[^/]+" else Regex.escape(it) }
    // The base URL may have a path of its own.
    operation to Regex(".*$segments")
}

/** The operation that a request calls, or null when it is none of the contract's. */
internal fun Request.operation(): Operation? =
    ROUTES.find { (operation, path) -> operation.method == method && path.matches(url.encodedPath) }?.first
