package eventbooking.client

import java.io.IOException
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.SocketAddress
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteRecursively
import kotlin.io.path.exists
import kotlin.io.path.readLines
import kotlin.streams.asSequence

/**
 * A process of the real service, with a seeded database of its own; built, started and ended by the tests.
 *
 * @param databaseUrl another database than its own
 */
internal class Service(private val databaseUrl: String? = null) : AutoCloseable {
    private val data: Path = Files.createTempDirectory("eventbooking").also {
        // PostgreSQL runs as another user when we are root.
        Files.setPosixFilePermissions(it, PosixFilePermissions.fromString("rwxr-xr-x"))
    }
    private val port: Int = ServerSocket(0).use { it.localPort }
    private val log: Path = data.resolve("log")
    private var process: Process? = null

    val address = InetSocketAddress("127.0.0.1", port)
    val url = "http://127.0.0.1:$port"

    init {
        // Also when the tests are broken off.
        Runtime.getRuntime().addShutdownHook(thread(start = false) { close() })
        start()
    }

    /** Starts the process, and returns when it is ready. */
    fun start() {
        val process = ProcessBuilder(binary.toString(), "serve", "--seed-if-empty")
            .apply {
                environment()["ADDR"] = "127.0.0.1:$port"
                environment()["DATA_DIR"] = data.resolve("pg").toString()
                environment()["DATABASE_URL"] = databaseUrl.orEmpty()
                // A second process on the same database only answers.
                environment()["WORKERS"] = (databaseUrl == null).toString()
            }
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start()
        this.process = process
        val ready = HttpRequest.newBuilder(URI("$url/readyz")).build()
        repeat(600) {
            check(process.isAlive) { "the service ended:\n${tail()}" }
            val status = runCatching { HttpClient.newHttpClient().send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() }
            if (status.getOrNull() == 200) return
            Thread.sleep(200)
        }
        error("the service is not ready after two minutes:\n${tail()}")
    }

    /** Ends the process, as a supervisor would. */
    fun stop() {
        val process = this.process ?: return
        process.destroy()
        if (!process.waitFor(40, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
        this.process = null
    }

    @OptIn(ExperimentalPathApi::class)
    override fun close() {
        stop()
        if (data.exists()) data.deleteRecursively()
    }

    /** Where its PostgreSQL listens. */
    fun postgres(): SocketAddress = Files.walk(data.resolve("pg")).use { files ->
        UnixDomainSocketAddress.of(files.asSequence().first { Regex("""\.s\.PGSQL\.\d+""").matches(it.fileName.toString()) })
    }

    private fun tail(): String = log.readLines().takeLast(20).joinToString("\n")

    companion object {
        /** The one that all tests share. */
        val shared: Service by lazy { Service() }

        private val root: Path = generateSequence(Path.of("").toAbsolutePath()) { it.parent }.first { it.resolve("openapi.yaml").exists() }

        private val binary: Path by lazy {
            val binary = Path.of("target", "eventbooking").toAbsolutePath()
            binary.parent.createDirectories()
            val build = ProcessBuilder("go", "build", "-o", binary.toString(), "./cmd/eventbooking")
                .directory(root.toFile()).redirectErrorStream(true).start()
            val said = build.inputStream.bufferedReader().readText()
            check(build.waitFor() == 0) { "go build failed:\n$said" }
            binary
        }
    }
}

/** A wire to [upstream] on which things go wrong: a real network's faults, when the test wants them. */
internal class Wire(private val upstream: SocketAddress) : AutoCloseable {
    private val door: ServerSocketChannel = ServerSocketChannel.open().bind(InetSocketAddress("127.0.0.1", 0))
    private val lostRequest = AtomicReference<String?>(null)
    private val lostAnswer = AtomicReference<String?>(null)
    private val open = ConcurrentHashMap.newKeySet<SocketChannel>()

    val port: Int = (door.localAddress as InetSocketAddress).port
    val url = "http://127.0.0.1:$port"

    /** How many connections there were. */
    val connections = AtomicInteger()

    /** Whether connections are ended as soon as they are made. */
    @Volatile
    var cut = false
        set(value) {
            field = value
            if (value) open.toList().forEach { it.close() }
        }

    /** What becomes of an answer on its way. */
    @Volatile
    var rewrite: (String) -> String = { it }

    /** The next request that contains [text] arrives, and its answer does not: the connection ends instead. */
    fun loseAnswerTo(text: String) = lostRequest.set(text)

    /** The next answer that contains [text] does not arrive: the connection ends instead. */
    fun loseAnswer(text: String) = lostAnswer.set(text)

    init {
        thread(isDaemon = true) {
            while (door.isOpen) {
                val near = runCatching { door.accept() }.getOrNull() ?: break
                connections.incrementAndGet()
                if (cut) near.close() else connect(near)
            }
        }
    }

    private fun connect(near: SocketChannel) {
        val far = SocketChannel.open(if (upstream is UnixDomainSocketAddress) StandardProtocolFamily.UNIX else StandardProtocolFamily.INET)
        open += near
        try {
            far.connect(upstream)
        } catch (e: IOException) {
            near.close()
            return
        }
        val lost = AtomicBoolean()
        pump(near, far) { bytes ->
            if (lostRequest.metIn(bytes)) lost.set(true)
            bytes
        }
        pump(far, near) { bytes -> if (lost.get() || lostAnswer.metIn(bytes)) null else rewrite(bytes) }
    }

    /** Whether this is what was waited for; once. */
    private fun AtomicReference<String?>.metIn(bytes: String): Boolean {
        val text = get()
        return text != null && text in bytes && compareAndSet(text, null)
    }

    /** Carries bytes from one side to the other, until an end or a null from [through] closes both. */
    private fun pump(from: SocketChannel, to: SocketChannel, through: (String) -> String?) = thread(isDaemon = true) {
        runCatching {
            val buffer = ByteBuffer.allocate(1 shl 16)
            while (from.read(buffer.clear()) >= 0) {
                buffer.flip()
                // ISO 8859-1 has a character for every byte.
                val bytes = through(Charsets.ISO_8859_1.decode(buffer).toString()) ?: break
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
        door.close()
        open.toList().forEach { it.close() }
    }
}
