package eventbooking.client

import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.SocketAddress
import java.net.UnixDomainSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteRecursively
import kotlin.io.path.exists
import kotlin.io.path.readLines
import kotlin.streams.asSequence

/**
 * A process of the real service, built and started by the tests, with its own seeded database.
 *
 * @param databaseUrl the database to use instead of its own
 * @param settings further environment variables
 */
internal class Service(private val databaseUrl: String? = null, private val settings: Map<String, String> = emptyMap()) : AutoCloseable {
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
        // Also if the tests are interrupted.
        Runtime.getRuntime().addShutdownHook(thread(start = false) { close() })
        start()
    }

    /** Starts the process, and waits until it is ready. */
    fun start() {
        val process = ProcessBuilder(binary.toString(), "serve", "--seed-if-empty")
            .apply {
                environment()["ADDR"] = "127.0.0.1:$port"
                environment()["DATA_DIR"] = data.resolve("pg").toString()
                environment()["DATABASE_URL"] = databaseUrl.orEmpty()
                // Only one process per database runs workers.
                environment()["WORKERS"] = (databaseUrl == null).toString()
                // If root runs the tests, their directories are root's.
                environment()["RUN_AS"] = "root"
                // The limits are on, as by default. The tests' people say from which address they come.
                environment()["TRUSTED_PROXIES"] = "127.0.0.1/32"
                environment() += settings
            }
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start()
        this.process = process
        val ready = HttpRequest.newBuilder(URI("$url/readyz")).build()
        repeat(600) {
            check(process.isAlive) { "the service exited:\n${tail()}" }
            val status = runCatching { HttpClient.newHttpClient().send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() }
            if (status.getOrNull() == 200) return
            Thread.sleep(200)
        }
        error("the service is not ready after two minutes:\n${tail()}")
    }

    /** Stops the process gracefully, or kills it after 40 seconds. */
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

    /** The Unix socket of its PostgreSQL. */
    fun postgres(): SocketAddress = Files.walk(data.resolve("pg")).use { files ->
        UnixDomainSocketAddress.of(files.asSequence().first { Regex("""\.s\.PGSQL\.\d+""").matches(it.fileName.toString()) })
    }

    private fun tail(): String = log.readLines().takeLast(20).joinToString("\n")

    companion object {
        /** The service that all tests share. */
        val shared: Service by lazy { Service() }

        private val root: Path = generateSequence(Path.of("").toAbsolutePath()) { it.parent }.first { it.resolve("openapi.yaml").exists() }

        private val binary: Path by lazy {
            val binary = Path.of("target", "eventbooking").toAbsolutePath()
            binary.parent.createDirectories()
            val build = ProcessBuilder("go", "build", "-o", binary.toString(), "./cmd/eventbooking")
                .directory(root.toFile()).redirectErrorStream(true).start()
            val output = build.inputStream.bufferedReader().readText()
            check(build.waitFor() == 0) { "go build failed:\n$output" }
            binary
        }
    }
}
