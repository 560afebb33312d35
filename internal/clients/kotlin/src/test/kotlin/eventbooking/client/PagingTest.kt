package eventbooking.client

import eventbooking.client.apis.AuthApi
import eventbooking.client.apis.BookingsApi
import eventbooking.client.apis.EventsApi
import eventbooking.client.apis.MeApi
import eventbooking.client.apis.ServiceApi
import eventbooking.client.apis.SlotsApi
import eventbooking.client.apis.UsersApi
import eventbooking.client.apis.WaitlistApi
import java.lang.reflect.ParameterizedType
import kotlin.test.Test
import kotlin.test.assertEquals

/** [paginate] fetches lists page by page, as far as needed. */
class PagingTest {
    @Test
    fun `paginate returns all items in order and fetches each page when it is needed`() {
        val event = newEvent()
        val slots = List(5) { newSlot(event, days = 10L + it) }
        val anonymous = anonymous()
        val all = paginate { cursor -> anonymous.api.slots.listSlots(event.id, limit = 2, cursor = cursor) }
        assertEquals(0, anonymous.attempts.size, "nothing is fetched before an item is needed")
        assertEquals(slots[1].id, all.drop(1).first().id)
        assertEquals(1, anonymous.attempts.size, "two items need one page")
        assertEquals(slots.map { it.id }, all.map { it.id }.toList())
        assertEquals(1 + 3, anonymous.attempts.size)
    }

    @Test
    fun `paginate accepts every list of the contract`() {
        val apis = listOf(AuthApi::class, BookingsApi::class, EventsApi::class, MeApi::class, ServiceApi::class, SlotsApi::class, UsersApi::class, WaitlistApi::class)
        val lists = apis.flatMap { it.java.methods.toList() }.map { it.returnType }
            .filter { type -> type.methods.any { it.name == "getNextCursor" } }
        val walked = Class.forName("eventbooking.client.PagingKt").methods.filter { it.name.startsWith("paginate") }
            .map { (it.genericParameterTypes[0] as ParameterizedType).actualTypeArguments[1] }
        assertEquals(lists.map { it.name }.toSet(), walked.map { it.typeName.removePrefix("? extends ") }.toSet())
    }
}
