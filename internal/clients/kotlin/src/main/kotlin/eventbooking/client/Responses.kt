package eventbooking.client

import eventbooking.client.infrastructure.ApiResponse
import eventbooking.client.infrastructure.Success

// What the responses of the ...WithHttpInfo operations have.

/** The body, or null if there is none, as in a 304 (the resource has not changed). */
val <T : Any> ApiResponse<T?>.body: T? get() = (this as? Success<T?>)?.data

/** The version of the resource, for `ifMatch` and `ifNoneMatch`. */
val ApiResponse<*>.etag: String? get() = headers["etag"]?.firstOrNull()

/** Whether this is a replay of the first success with the same `Idempotency-Key`: this request had no effect. */
val ApiResponse<*>.replayed: Boolean get() = headers["idempotent-replayed"]?.firstOrNull() == "true"
