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

/** Lists are walked page by page, and no further than one wants. */
class PagingTest {
    @Test
    fun `all items, in order, a page at a time`() {
        val event = event()
        val slots = List(5) { slot(event, days = 10L + it) }
        val nobody = somebody()
        val all = paginate { cursor -> nobody.api.slots.listSlots(event.id, limit = 2, cursor = cursor) }
        assertEquals(0, nobody.seen.size, "nothing is fetched before it is asked for")
        assertEquals(slots[1].id, all.drop(1).first().id)
        assertEquals(1, nobody.seen.size, "one page is enough for two")
        assertEquals(slots.map { it.id }, all.map { it.id }.toList())
        assertEquals(1 + 3, nobody.seen.size)
    }

    @Test
    fun `every list of the contract can be walked`() {
        val apis = listOf(AuthApi::class, BookingsApi::class, EventsApi::class, MeApi::class, ServiceApi::class, SlotsApi::class, UsersApi::class, WaitlistApi::class)
        val lists = apis.flatMap { it.java.methods.toList() }.map { it.returnType }
            .filter { type -> type.methods.any { it.name == "getNextCursor" } }
        val walked = Class.forName("eventbooking.client.PagingKt").methods.filter { it.name.startsWith("paginate") }
            .map { (it.genericParameterTypes[0] as ParameterizedType).actualTypeArguments[1] }
        assertEquals(lists.map { it.name }.toSet(), walked.map { it.typeName.removePrefix("? extends ") }.toSet())
    }
}
