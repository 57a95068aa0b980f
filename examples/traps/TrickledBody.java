import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Trap: {@code HttpRequest.timeout} ends when the headers have come. A server that sends its body a byte at a time,
 * or stops in the middle, keeps the caller as long as it likes. ({@code orTimeout} on {@code sendAsync} ends the wait
 * and leaves the connection open.)
 *
 * <p>Holds for: JDK 21 and 25 (measured). From 26 on the timeout covers the body (measured on 26, 27). Cure: the call
 * in its own thread, interrupted at the deadline: {@code SharedHttpClient}, {@code Timeout}.
 *
 * <p>Run: {@code java examples/traps/TrickledBody.java}
 */
public final class TrickledBody {

    private TrickledBody() {
    }

    // @start region="wrong"
    static String wrong(HttpClient client, URI page, Duration timeout) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(page).timeout(timeout).build(), BodyHandlers.ofString()).body();
    }
    // @end region="wrong"

    // @start region="right"
    static String right(HttpClient client, URI page, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                return executor.submit(() -> client.send(HttpRequest.newBuilder(page).build(), BodyHandlers.ofString())
                        .body())
                        .get(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
            } finally {
                executor.shutdownNow(); // interrupts send(), which closes the connection
            }
        }
    }
    // @end region="right"

    public static void main(String[] args) throws Exception {
        int jdk = Runtime.version().feature();
        var timeout = Duration.ofMillis(300);
        try (var server = new ServerSocket(0, 50,
                InetAddress.getLoopbackAddress()); var client = HttpClient.newHttpClient()) {
            Thread.startVirtualThread(() -> trickle(server));
            var page = URI.create("http://127.0.0.1:" + server.getLocalPort());
            wrong(client, page.resolve("/quick"), Duration.ofSeconds(30)); // loads the classes
            long start;
            boolean timedOut;
            int tries = 0;
            do { // again where this machine was too busy: the headers were late, or the client was
                start = System.nanoTime();
                try {
                    wrong(client, page, timeout);
                    timedOut = false;
                } catch (HttpTimeoutException e) {
                    timedOut = true;
                } catch (IOException e) { // from 26 on, now and then the timeout is a cause only
                    timedOut = true;
                }
            } while (timedOut != jdk >= 26 && ++tries < 10);
            long wrong = (System.nanoTime() - start) / 1_000_000;
            System.out.println("wrong: request.timeout of 300 ms, JDK " + jdk + ": "
                    + (timedOut ? "timed out" : "returned") + " after " + wrong + " ms");
            check(timedOut == jdk >= 26, "the timeout covers the body from 26 on");
            start = System.nanoTime();
            try {
                right(client, page.resolve("/long"), timeout);
                check(false, "the deadline holds");
            } catch (TimeoutException e) {
                System.out.println("right: interrupted at the deadline: timed out after "
                        + (System.nanoTime() - start) / 1_000_000 + " ms");
            }
            check(timedOut || wrong >= 1000, "the body took as long as the server liked");
        }
    }

    /** Ten bytes, one every 100 ms; of /quick all at once, of /long a thousand. */
    private static void trickle(ServerSocket server) {
        try {
            while (true) {
                var socket = server.accept();
                Thread.startVirtualThread(() -> {
                    try (socket) {
                        byte[] request = new byte[4096];
                        int length = socket.getInputStream().read(request);
                        var asked = new String(request, 0, Math.max(0, length));
                        int bytes = asked.startsWith("GET /long") ? 1_000 : 10;
                        var out = socket.getOutputStream();
                        out.write(("HTTP/1.1 200 OK\r\nContent-Length: " + bytes + "\r\nConnection: close\r\n\r\n")
                                .getBytes());
                        for (int i = 0; i < bytes; i++) {
                            Thread.sleep(asked.startsWith("GET /quick") ? 0 : 100);
                            out.write('x');
                        }
                    } catch (IOException | InterruptedException e) {
                        // the client has left
                    }
                });
            }
        } catch (IOException e) {
            // closed
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
