package eventbooking.client

import eventbooking.client.apis.AuthApi
import eventbooking.client.apis.BookingsApi
import eventbooking.client.apis.EventsApi
import eventbooking.client.apis.MeApi
import eventbooking.client.apis.ServiceApi
import eventbooking.client.apis.SlotsApi
import eventbooking.client.apis.UsersApi
import eventbooking.client.apis.WaitlistApi
import okhttp3.OkHttpClient

/**
 * The event booking API: one property for each of its parts, with all operations of the contract.
 *
 * ```
 * var token: String? = null
 * val api = EventBooking("http://127.0.0.1:8000") { token }
 * token = api.auth.loginUser(Credentials("busy@test.com", "password")).token
 * api.bookings.listMyBookings()
 * ```
 *
 * Whatever operation is called:
 *
 * - a refusal is thrown as [ProblemException], with its code; without any answer it is an [java.io.IOException];
 * - a POST that may have an `Idempotency-Key` gets one, and keeps it when it is sent again;
 * - what may succeed later is sent again, within the bounds of [Retries] and only if that cannot do harm.
 *
 * Calls block, and end early when their thread is interrupted. One instance serves any number of threads.
 *
 * @param baseUrl where the service is, without `/api/v1`
 * @param http for time-outs, proxies and interceptors of your own; its connections are shared
 * @param retries how often, and after which waits, requests are sent again
 * @param token asked before every request that needs one: the token to send, or null to send none
 */
class EventBooking(
    baseUrl: String,
    http: OkHttpClient = OkHttpClient(),
    retries: Retries = Retries(),
    token: () -> String? = { null },
) {
    private val calls: OkHttpClient = http.newBuilder()
        // Repeating is decided in one place: OkHttp would also repeat what must not be.
        .retryOnConnectionFailure(false)
        .addInterceptor(KeyInterceptor)
        .addInterceptor(RetryInterceptor(retries))
        .addInterceptor(TokenInterceptor(token))
        .addInterceptor(AnswerInterceptor)
        .build()

    /** Getting a token, and giving it back. */
    val auth: AuthApi = AuthApi(baseUrl, calls)

    /** The user who is asking: profile, password, tokens. */
    val me: MeApi = MeApi(baseUrl, calls)

    /** For administrators: who there is, and in which role. */
    val users: UsersApi = UsersApi(baseUrl, calls)

    /** What people attend. */
    val events: EventsApi = EventsApi(baseUrl, calls)

    /** The dated sessions of an event. */
    val slots: SlotsApi = SlotsApi(baseUrl, calls)

    /** Claims on seats of a slot. */
    val bookings: BookingsApi = BookingsApi(baseUrl, calls)

    /** Who waits for a slot, and why; offers. */
    val waitlist: WaitlistApi = WaitlistApi(baseUrl, calls)

    /** Health, documentation and the description of problems. */
    val service: ServiceApi = ServiceApi(baseUrl, calls)
}
