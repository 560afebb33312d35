@file:OptIn(ExperimentalTypeInference::class)

package eventbooking.client

import eventbooking.client.models.Booking
import eventbooking.client.models.BookingList
import eventbooking.client.models.Event
import eventbooking.client.models.EventList
import eventbooking.client.models.LedgerEntry
import eventbooking.client.models.LedgerEntryList
import eventbooking.client.models.Slot
import eventbooking.client.models.SlotList
import eventbooking.client.models.Token
import eventbooking.client.models.TokenList
import eventbooking.client.models.User
import eventbooking.client.models.UserList
import eventbooking.client.models.WaitlistEntry
import eventbooking.client.models.WaitlistEntryList
import kotlin.experimental.ExperimentalTypeInference

/**
 * All items of a list, whatever list it is. A page is fetched when its first item is asked for:
 *
 * ```
 * paginate { cursor -> api.events.listEvents(available = true, cursor = cursor) }
 *     .filter { it.location.endsWith("Berlin") }
 *     .take(10)
 * ```
 */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateEvents")
fun paginate(fetch: (cursor: String?) -> EventList): Sequence<Event> = items(fetch, EventList::data, EventList::nextCursor)

/** All slots of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateSlots")
fun paginate(fetch: (cursor: String?) -> SlotList): Sequence<Slot> = items(fetch, SlotList::data, SlotList::nextCursor)

/** All bookings of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateBookings")
fun paginate(fetch: (cursor: String?) -> BookingList): Sequence<Booking> = items(fetch, BookingList::data, BookingList::nextCursor)

/** All places of a queue. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateWaitlist")
fun paginate(fetch: (cursor: String?) -> WaitlistEntryList): Sequence<WaitlistEntry> =
    items(fetch, WaitlistEntryList::data, WaitlistEntryList::nextCursor)

/** All entries of a ledger. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateLedger")
fun paginate(fetch: (cursor: String?) -> LedgerEntryList): Sequence<LedgerEntry> =
    items(fetch, LedgerEntryList::data, LedgerEntryList::nextCursor)

/** All tokens of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateTokens")
fun paginate(fetch: (cursor: String?) -> TokenList): Sequence<Token> = items(fetch, TokenList::data, TokenList::nextCursor)

/** All users of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateUsers")
fun paginate(fetch: (cursor: String?) -> UserList): Sequence<User> = items(fetch, UserList::data, UserList::nextCursor)

private fun <P, T> items(fetch: (String?) -> P, data: (P) -> List<T>, next: (P) -> String?): Sequence<T> = sequence {
    var cursor: String? = null
    do {
        val page = fetch(cursor)
        yieldAll(data(page))
        // A page that leads to itself would have no end.
        val following = next(page).also { check(it == null || it != cursor) { "the page after $it is itself" } }
        cursor = following
    } while (cursor != null)
}
