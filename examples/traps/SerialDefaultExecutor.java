import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Trap: an {@code HttpServer} without an executor runs every handler on the one thread that also accepts connections:
 * one after the other, and one slow handler stops the server.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27: five requests of 100 ms take 500 ms). Cure: {@code
 * setExecutor} before {@code start}. On 21 clients that stop in mid-request pin the carriers of virtual threads:
 * {@code SimpleHttpServer}.
 *
 * <p>Run: {@code java examples/traps/SerialDefaultExecutor.java}
 */
public final class SerialDefaultExecutor {

    private static final int REQUESTS = 5;

    private SerialDefaultExecutor() {
    }

    // @start region="wrong"
    static HttpServer wrong() throws IOException {
        return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    }
    // @end region="wrong"

    // @start region="right"
    static HttpServer right() throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        return server;
    }
    // @end region="right"

    /** Most handlers at once, of requests sent at once. */
    private static int atOnce(String name, HttpServer server) {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        server.createContext("/", exchange -> {
            try (exchange) {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                Thread.sleep(100);
                running.decrementAndGet();
                exchange.sendResponseHeaders(204, -1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
                    .build();
            client.sendAsync(request, BodyHandlers.discarding()).join(); // loads the classes
            long start = System.nanoTime();
            var calls = Stream.generate(() -> client.sendAsync(request, BodyHandlers.discarding())).limit(REQUESTS)
                    .toList();
            calls.forEach(CompletableFuture::join);
            System.out.println(name + REQUESTS + " requests of 100 ms: at most " + most + " handlers at once, "
                    + (System.nanoTime() - start) / 1_000_000 + " ms");
            return most.get();
        } finally {
            server.stop(0);
        }
    }

    public static void main(String[] args) throws Exception {
        check(atOnce("wrong: no executor,  ", wrong()) == 1, "one after the other");
        check(atOnce("right: an executor,  ", right()) > 1, "side by side");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
