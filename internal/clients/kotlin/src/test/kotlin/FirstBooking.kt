import eventbooking.client.EventBooking
import eventbooking.client.ProblemException
import eventbooking.client.models.Booking
import eventbooking.client.models.BookingCreate
import eventbooking.client.models.Credentials
import eventbooking.client.models.IfFull
import eventbooking.client.models.ProblemCode
import eventbooking.client.models.SlotStatus
import eventbooking.client.paginate

fun firstBooking(url: String = "http://127.0.0.1:8000"): Booking? {
    var token: String? = null
    val api = EventBooking(url) { token }
    token = api.auth.loginUser(Credentials("admin@example.com", "password123")).token

    val event = paginate { cursor -> api.events.listEvents(available = true, cursor = cursor) }.first()
    val slot = paginate { cursor -> api.slots.listSlots(event.id, cursor = cursor) }
        .first { it.status == SlotStatus.Open && it.seatsAvailable > 0 }

    return try {
        api.bookings.createBooking(slot.id, BookingCreate(seats = 1, ifFull = IfFull.Waitlist))
            .also { println("${it.status}: ${event.title}, ${it.startsAt}") }
    } catch (e: ProblemException) {
        when (e.code) {
            ProblemCode.AlreadyBooked -> api.bookings.getBooking(e.problem.bookingId!!)
            ProblemCode.SlotFull -> null // somebody else was faster
            else -> throw e
        }
    }
}
