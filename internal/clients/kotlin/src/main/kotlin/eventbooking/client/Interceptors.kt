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
import kotlin.time.Duration.Companion.seconds
import okhttp3.Interceptor
import okhttp3.Request
import okhttp3.Response

// In the order in which EventBooking adds them, the outermost first. They look operations up in OPERATIONS, which is
// generated from openapi.yaml.

private const val KEY = "Idempotency-Key"

/** Adds an `Idempotency-Key` if the operation accepts one and the caller set none. Before the retries, so that they keep it. */
internal object KeyInterceptor : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        val isMissing = request.header(KEY) == null && request.operation()?.headers?.contains(KEY.lowercase()) == true
        return chain.proceed(if (isMissing) request.newBuilder().header(KEY, UUID.randomUUID().toString()).build() else request)
    }
}

/** Sends a request again if that may succeed, as [Retries] says. */
internal class RetryInterceptor(private val retries: Retries) : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        var attempt = 0
        while (true) {
            attempt++
            val wait = try {
                return chain.proceed(request)
            } catch (e: ProblemException) {
                retries.waitAfter(attempt, e.retryAfter)?.takeIf { isWorthRetrying(request, e) } ?: throw e
            } catch (e: IOException) {
                retries.waitAfter(attempt, (e as? ProxyException)?.retryAfter)?.takeIf { isWorthRetrying(request, e) } ?: throw e
            }
            sleep(wait)
            if (chain.call().isCanceled()) throw IOException("Canceled")
        }
    }

    private fun isWorthRetrying(request: Request, e: ProblemException): Boolean =
        e.problem.retryable && (e.code != ProblemCode.OutcomeUnknown || isRepeatable(request))

    private fun isWorthRetrying(request: Request, e: IOException): Boolean = when (e) {
        is ConnectException -> true // Nothing was sent.
        is SocketTimeoutException -> isRepeatable(request)
        is InterruptedIOException -> false // The caller interrupted the call.
        else -> isRepeatable(request)
    }

    /** Whether sending it twice has one effect and the same response. */
    private fun isRepeatable(request: Request): Boolean = request.method == "GET" || request.header(KEY) != null

    private fun sleep(wait: Duration) {
        try {
            Thread.sleep(wait.inWholeMilliseconds)
        } catch (e: InterruptedException) {
            Thread.currentThread().interrupt()
            throw InterruptedIOException("interrupted while waiting to retry").apply { initCause(e) }
        }
    }
}

/** Adds the token. Inside the retries, so that an attempt uses a token that was renewed since the last one. */
internal class TokenInterceptor(private val token: () -> String?) : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        // Only if the operation needs one: a provider that logs in with this client would otherwise call itself.
        val token = (if (request.operation()?.takesToken == true) token() else null) ?: return chain.proceed(request)
        return chain.proceed(request.newBuilder().header("Authorization", "Bearer $token").build())
    }
}

/** A proxy in front of the service could not pass a request on, or does not want to. */
internal class ProxyException(response: Response) : IOException("${response.code} ${response.message} from a proxy in front of the service") {
    val retryAfter: Duration? = response.retryAfter()
}

/** The wait that a response asks for, or null if it asks for none. */
internal fun Response.retryAfter(): Duration? = header("Retry-After")?.toLongOrNull()?.seconds

/** Throws problems as [ProblemException], and a proxy's 429, 502, 503 and 504 as [IOException]. */
internal object ErrorInterceptor : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val response = chain.proceed(chain.request())
        ProblemException.of(response)?.let { throw it }
        if (response.code == 429 || response.code in 502..504) {
            response.close()
            throw ProxyException(response)
        }
        // The generated code only reads text of this type.
        if (response.body.contentType()?.type == "text") {
            return response.newBuilder().header("Content-Type", "text/plain").build()
        }
        return response
    }
}

private val ROUTES: List<Pair<Operation, Regex>> = OPERATIONS.map { operation ->
    val segments = operation.path.split('/').joinToString("/") { if (it.startsWith("{")) "[^/]+" else Regex.escape(it) }
    // The base URL may have a path, too.
    operation to Regex(".*$segments")
}

/** The operation that a request calls, or null if openapi.yaml has no such operation. */
internal fun Request.operation(): Operation? =
    ROUTES.find { (operation, path) -> operation.method == method && path.matches(url.encodedPath) }?.first
