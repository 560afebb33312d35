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
 * A client of the event booking API, with one property per group of operations.
 *
 * ```
 * var token: String? = null
 * val api = EventBooking("http://127.0.0.1:8000") { token }
 * token = api.auth.loginUser(Credentials("busy@test.com", "password")).token
 * api.bookings.listMyBookings()
 * ```
 *
 * For every operation:
 *
 * - an error response is thrown as a [ProblemException] with its code; if there is no response, an
 *   [java.io.IOException] is thrown;
 * - a POST that accepts an `Idempotency-Key` gets one, the same for all its attempts;
 * - a request that may succeed later is retried as [Retries] says, if repeating it is safe.
 *
 * Calls block until they are done or their thread is interrupted. An instance is safe for use by multiple threads.
 *
 * @param baseUrl the address of the service, without `/api/v1`
 * @param http sets timeouts, proxies and further interceptors; its connection pool is shared
 * @param retries how often, and after what waits, requests are retried
 * @param token called for every attempt that needs a token; returns the token to send, or null to send none
 */
class EventBooking(
    baseUrl: String,
    http: OkHttpClient = OkHttpClient(),
    retries: Retries = Retries(),
    token: () -> String? = { null },
) {
    private val calls: OkHttpClient = http.newBuilder()
        // RetryInterceptor decides what is retried: OkHttp would also retry requests that are not safe to repeat.
        .retryOnConnectionFailure(false)
        .addInterceptor(KeyInterceptor)
        .addInterceptor(RetryInterceptor(retries))
        .addInterceptor(TokenInterceptor(token))
        .addInterceptor(ErrorInterceptor)
        .build()

    /** Registration, login and logout. */
    val auth: AuthApi = AuthApi(baseUrl, calls)

    /** The authenticated user: profile, password, tokens. */
    val me: MeApi = MeApi(baseUrl, calls)

    /** Users and their roles, for administrators. */
    val users: UsersApi = UsersApi(baseUrl, calls)

    /** Events: listing, and managing one's own. */
    val events: EventsApi = EventsApi(baseUrl, calls)

    /** Slots, the times of an event that can be booked. */
    val slots: SlotsApi = SlotsApi(baseUrl, calls)

    /** Bookings and holds of seats in a slot. */
    val bookings: BookingsApi = BookingsApi(baseUrl, calls)

    /** Waitlists: positions, reasons, offers and promotions. */
    val waitlist: WaitlistApi = WaitlistApi(baseUrl, calls)

    /** Health, documentation and descriptions of problems. */
    val service: ServiceApi = ServiceApi(baseUrl, calls)
}
