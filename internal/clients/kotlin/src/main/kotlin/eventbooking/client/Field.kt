package eventbooking.client

import kotlinx.serialization.KSerializer
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.builtins.nullable
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.encoding.Decoder
import kotlinx.serialization.encoding.Encoder

/**
 * A field of a request for which left out and `null` are two things, as in a merge patch: left out, it stays as it is;
 * `null` clears it.
 *
 * ```
 * EventPatch(location = "Great Hall", waitlistLimit = Field(null))    // no limit any more
 * EventPatch(location = "Great Hall", waitlistLimit = Field(50))
 * EventPatch(location = "Great Hall")                                 // whatever limit there is
 * ```
 */
@Serializable(with = FieldSerializer::class)
sealed interface Field<out T : Any> {
    /** Not sent. */
    data object LeftOut : Field<Nothing>

    /** Sent, with a [value] or as `null`. */
    data class Sent<out T : Any>(val value: T?) : Field<T>
}

/** A field that is sent, with a [value] or as `null`. */
fun <T : Any> Field(value: T?): Field<T> = Field.Sent(value)

internal class FieldSerializer<T : Any>(element: KSerializer<T>) : KSerializer<Field<T>> {
    private val value: KSerializer<T?> = element.nullable

    override val descriptor: SerialDescriptor = value.descriptor

    override fun serialize(encoder: Encoder, value: Field<T>) = when (value) {
        // Generated fields are left out by default, and defaults are not encoded.
        Field.LeftOut -> throw SerializationException("a field that is left out cannot be written")
        is Field.Sent -> encoder.encodeSerializableValue(this.value, value.value)
    }

    override fun deserialize(decoder: Decoder): Field<T> = Field.Sent(decoder.decodeSerializableValue(value))
}
