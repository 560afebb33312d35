package eventbooking.client

import eventbooking.client.infrastructure.ApiResponse
import eventbooking.client.infrastructure.Success

// What the answers of the ...WithHttpInfo operations carry beside their bodies.

/** The body; null when there is none, as in a 304: the caller's copy is the present one. */
val <T : Any> ApiResponse<T?>.body: T? get() = (this as? Success<T?>)?.data

/** Names this state of the resource, for `ifMatch` and `ifNoneMatch`. */
val ApiResponse<*>.etag: String? get() = headers["etag"]?.firstOrNull()

/** Whether this is the first answer to an `Idempotency-Key` again, and nothing was done this time. */
val ApiResponse<*>.replayed: Boolean get() = headers["idempotent-replayed"]?.firstOrNull() == "true"
