import eventbooking.client.EventBooking
import eventbooking.client.models.Credentials
import eventbooking.client.models.LoginResult
import java.time.OffsetDateTime

class Login(private val url: String, private val credentials: Credentials) : () -> String {
    private var login: LoginResult? = null

    @Synchronized
    override fun invoke(): String {
        val fresh = login?.takeIf { it.expiresAt > OffsetDateTime.now().plusMinutes(1) }
            ?: EventBooking(url).auth.loginUser(credentials)
        login = fresh
        return fresh.token
    }
}
