import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: a handler that throws closes the connection: no status, no log line. The client's GET is then sent again by
 * itself, so a handler that fails runs up to five times. An {@code Error} does not even close it up to 26: the client
 * waits forever.
 *
 * <p>Holds for: every JDK (measured: the handler runs 2 times on 21 and 25, 5 times on 26 and 27).
 * Cure: the outermost filter, or the handler, turns what is thrown into a 500 and reports it: {@code HttpMiddleware}.
 *
 * <p>Run: {@code java examples/traps/HandlerThrows.java}
 */
public final class HandlerThrows {

    private HandlerThrows() {
    }

    // @start region="wrong"
    static HttpHandler wrong(AtomicInteger runs) {
        return exchange -> {
            runs.incrementAndGet();
            throw new IllegalStateException("no such order");
        };
    }
    // @end region="wrong"

    // @start region="right"
    /** Answers 500 for what {@code handler} throws, unless it has begun to answer. */
    static HttpHandler right(HttpHandler handler) {
        return exchange -> {
            try {
                handler.handle(exchange);
            } catch (IOException | RuntimeException | Error e) {
                System.out.println("       logged: " + exchange.getRequestMethod() + " " + exchange.getRequestURI()
                        + ": " + e);
                if (exchange.getResponseCode() == -1) {
                    exchange.sendResponseHeaders(500, -1);
                }
            } finally {
                // not try (exchange): that closes before it catches, and no answer can be sent any more
                exchange.close();
            }
        };
    }
    // @end region="right"

    public static void main(String[] args) throws Exception {
        int jdk = Runtime.version().feature();
        var runs = new AtomicInteger();
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Thread::startVirtualThread);
        server.createContext("/wrong", wrong(runs));
        server.createContext("/right", right(wrong(runs)));
        server.createContext("/error", exchange -> {
            throw new StackOverflowError("made up");
        });
        server.start();
        var base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> { }); // the Error below is meant
        try {
            HttpClient client = HttpClient.newHttpClient();
            try {
                client.send(HttpRequest.newBuilder(base.resolve("/wrong")).build(), BodyHandlers.ofString());
                check(false, "no answer");
            } catch (IOException e) {
                System.out.println("wrong: JDK " + jdk + ", client sees \"" + e.getMessage() + "\", handler ran "
                        + runs + " times for one GET");
                check(runs.get() == (jdk < 26 ? 2 : 5), "the client repeats a GET");
            }
            String seen;
            try {
                client.send(HttpRequest.newBuilder(base.resolve("/error")).timeout(Duration.ofMillis(300)).build(),
                        BodyHandlers.ofString());
                seen = "an answer";
            } catch (HttpTimeoutException e) {
                seen = "nothing";
            } catch (IOException e) {
                seen = e.getMessage();
            }
            System.out.println("wrong: an Error in the handler, client sees " + seen + " within 300 ms");
            runs.set(0);
            int status = client.send(HttpRequest.newBuilder(base.resolve("/right")).build(), BodyHandlers.ofString())
                    .statusCode();
            System.out.println("right: client sees status " + status + ", handler ran " + runs + " time");
            check(status == 500 && runs.get() == 1, "an answer, once");
            client.shutdownNow();
        } finally {
            server.stop(0);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
