package eventbooking.client

import Login
import eventbooking.client.models.BookingStatus
import eventbooking.client.models.Credentials
import eventbooking.client.models.EventPatch
import firstBooking
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.Path
import kotlin.io.path.extension
import kotlin.io.path.readLines
import kotlin.io.path.readText
import kotlin.io.path.walk
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds

/** The code in the README compiles, and does what the README says. */
class ReadmeTest {
    private val url = Service.shared.url

    @Test
    fun `the first booking is confirmed`() {
        assertEquals(BookingStatus.Confirmed, firstBooking(url)?.status)
    }

    @Test
    fun `the code for tokens, lists, retries and edits works`() {
        val token = Login(url, Credentials("busy@test.com", "password"))()
        val api =
            EventBooking(url, retries = Retries(attempts = 10, longestWait = 30.seconds)) { token }
        val once =
            EventBooking(url, retries = Retries(attempts = 1)) { token } // no retries
        assertEquals(api.me.getMe(), once.me.getMe())

        val waited =
            paginate { cursor -> api.bookings.listMyBookings(status = listOf(BookingStatus.Waitlisted), cursor = cursor) }
                .sumOf { it.seats }
        assertTrue(waited > 0, "busy@test.com has a booking in every status")

        edit(organizer.api, newEvent().id)
    }

    private fun edit(api: EventBooking, id: java.util.UUID) {
        val read = api.events.getEventWithHttpInfo(id, null)
        api.events.updateEvent(id, EventPatch(location = "Great Hall", waitlistLimit = Field(null)), read.etag)
        assertEquals("Great Hall", api.events.getEvent(id).location)
    }

    @OptIn(ExperimentalPathApi::class)
    @Test
    fun `every line of code in the README is also in the tests`() {
        val tests = Path("src/test/kotlin").walk().filter { it.extension == "kt" }.flatMap { it.readLines() }.map { it.trim() }.toSet()
        val blocks = Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL).findAll(Path("README.md").readText()).toList()
        assertTrue(blocks.size >= 5)
        blocks.flatMap { it.groupValues[1].lines() }.map { it.trim() }.filter { it.isNotEmpty() }.forEach { assertContains(tests, it) }
    }
}
