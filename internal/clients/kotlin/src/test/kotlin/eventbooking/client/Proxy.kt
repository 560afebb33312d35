package eventbooking.client

import java.io.IOException
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread

/** A TCP proxy to [upstream] that loses or changes responses, or cuts connections, when told to. */
internal class Proxy(private val upstream: SocketAddress) : AutoCloseable {
    private val server: ServerSocketChannel = ServerSocketChannel.open().bind(InetSocketAddress("127.0.0.1", 0))
    private val lostRequest = AtomicReference<String?>(null)
    private val lostResponse = AtomicReference<String?>(null)
    private val open = ConcurrentHashMap.newKeySet<SocketChannel>()

    val port: Int = (server.localAddress as InetSocketAddress).port
    val url = "http://127.0.0.1:$port"

    /** How many connections have been accepted. */
    val connections = AtomicInteger()

    /** Whether to close all connections: the open ones at once, new ones when they are made. */
    @Volatile
    var cut = false
        set(value) {
            field = value
            if (value) open.toList().forEach { it.close() }
        }

    /** Rewrites every chunk of a response. */
    @Volatile
    var rewrite: (String) -> String = { it }

    /** Passes on the next request that contains [text], but closes the connection instead of passing on the response. */
    fun loseResponseTo(text: String) = lostRequest.set(text)

    /** Closes the connection instead of passing on the next response that contains [text]. */
    fun loseResponse(text: String) = lostResponse.set(text)

    init {
        thread(isDaemon = true) {
            while (server.isOpen) {
                val client = runCatching { server.accept() }.getOrNull() ?: break
                connections.incrementAndGet()
                if (cut) client.close() else connect(client)
            }
        }
    }

    private fun connect(client: SocketChannel) {
        val upstreamSocket = SocketChannel.open(if (upstream is UnixDomainSocketAddress) StandardProtocolFamily.UNIX else StandardProtocolFamily.INET)
        open += client
        try {
            upstreamSocket.connect(upstream)
        } catch (e: IOException) {
            client.close()
            return
        }
        val lost = AtomicBoolean()
        pump(client, upstreamSocket) { bytes ->
            if (lostRequest.matchOnce(bytes)) lost.set(true)
            bytes
        }
        pump(upstreamSocket, client) { bytes -> if (lost.get() || lostResponse.matchOnce(bytes)) null else rewrite(bytes) }
    }

    /** Whether [bytes] contain the text; true only once. */
    private fun AtomicReference<String?>.matchOnce(bytes: String): Boolean {
        val text = get()
        return text != null && text in bytes && compareAndSet(text, null)
    }

    /** Copies bytes, passed through [transform], until the stream ends or [transform] returns null; then closes both sides. */
    private fun pump(from: SocketChannel, to: SocketChannel, transform: (String) -> String?) = thread(isDaemon = true) {
        runCatching {
            val buffer = ByteBuffer.allocate(1 shl 16)
            while (from.read(buffer.clear()) >= 0) {
                buffer.flip()
                // ISO 8859-1 maps every byte to a character and back.
                val bytes = transform(Charsets.ISO_8859_1.decode(buffer).toString()) ?: break
                val out = Charsets.ISO_8859_1.encode(bytes)
                while (out.hasRemaining()) to.write(out)
            }
        }
        from.close()
        to.close()
        open -= from
        open -= to
    }

    override fun close() {
        server.close()
        open.toList().forEach { it.close() }
    }
}
