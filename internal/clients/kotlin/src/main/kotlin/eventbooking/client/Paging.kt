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
 * Returns all items of a list. Each page is fetched when its first item is needed:
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

/** Returns all slots of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateSlots")
fun paginate(fetch: (cursor: String?) -> SlotList): Sequence<Slot> = items(fetch, SlotList::data, SlotList::nextCursor)

/** Returns all bookings of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateBookings")
fun paginate(fetch: (cursor: String?) -> BookingList): Sequence<Booking> = items(fetch, BookingList::data, BookingList::nextCursor)

/** Returns all entries of a waitlist. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateWaitlist")
fun paginate(fetch: (cursor: String?) -> WaitlistEntryList): Sequence<WaitlistEntry> =
    items(fetch, WaitlistEntryList::data, WaitlistEntryList::nextCursor)

/** Returns all entries of a ledger. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateLedger")
fun paginate(fetch: (cursor: String?) -> LedgerEntryList): Sequence<LedgerEntry> =
    items(fetch, LedgerEntryList::data, LedgerEntryList::nextCursor)

/** Returns all tokens of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateTokens")
fun paginate(fetch: (cursor: String?) -> TokenList): Sequence<Token> = items(fetch, TokenList::data, TokenList::nextCursor)

/** Returns all users of a list. */
@OverloadResolutionByLambdaReturnType
@JvmName("paginateUsers")
fun paginate(fetch: (cursor: String?) -> UserList): Sequence<User> = items(fetch, UserList::data, UserList::nextCursor)

private fun <P, T> items(fetch: (String?) -> P, data: (P) -> List<T>, next: (P) -> String?): Sequence<T> = sequence {
    var cursor: String? = null
    do {
        val page = fetch(cursor)
        yieldAll(data(page))
        // Otherwise a page that leads to itself would repeat forever.
        val following = next(page).also { check(it == null || it != cursor) { "the page at $it leads to itself: pass the cursor on" } }
        cursor = following
    } while (cursor != null)
}
