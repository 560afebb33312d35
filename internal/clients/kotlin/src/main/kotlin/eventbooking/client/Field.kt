package eventbooking.client

import kotlinx.serialization.KSerializer
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.builtins.nullable
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.encoding.Decoder
import kotlinx.serialization.encoding.Encoder

/**
 * A field of a request that distinguishes omitted from `null`, as a merge patch does: an omitted field stays as it is,
 * `null` clears it.
 *
 * ```
 * EventPatch(location = "Great Hall", waitlistLimit = Field(null))    // removes the limit
 * EventPatch(location = "Great Hall", waitlistLimit = Field(50))
 * EventPatch(location = "Great Hall")                                 // keeps the limit
 * ```
 */
@Serializable(with = FieldSerializer::class)
sealed interface Field<out T : Any> {
    /** Omitted from the request. */
    data object LeftOut : Field<Nothing>

    /** Sent with a [value], or as `null`. */
    data class Sent<out T : Any>(val value: T?) : Field<T>
}

/** Returns a field that is sent with a [value], or as `null`. */
fun <T : Any> Field(value: T?): Field<T> = Field.Sent(value)

internal class FieldSerializer<T : Any>(element: KSerializer<T>) : KSerializer<Field<T>> {
    private val value: KSerializer<T?> = element.nullable

    override val descriptor: SerialDescriptor = value.descriptor

    override fun serialize(encoder: Encoder, value: Field<T>) = when (value) {
        // Cannot happen in generated classes: LeftOut is their default, and defaults are not encoded.
        Field.LeftOut -> throw SerializationException("an omitted field cannot be encoded")
        is Field.Sent -> encoder.encodeSerializableValue(this.value, value.value)
    }

    override fun deserialize(decoder: Decoder): Field<T> = Field.Sent(decoder.decodeSerializableValue(value))
}
