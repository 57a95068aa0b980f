import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Trap: {@code BodyHandlers.ofInputStream} and {@code ofLines} hand the connection over with the body. A caller that
 * looks at the status and leaves keeps the connection, forever; one that closes without reading loses it. Only one that
 * reads to the end gives it back.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27: 20 calls hold 20 connections). {@code HttpClient.close()} then
 * never returns. Cure: read it, in {@code try (var body = response.body())}; {@code BodyHandlers.discarding()} if
 * nobody wants it.
 *
 * <p>Run: {@code java examples/traps/ResponseNeverClosed.java}
 */
public final class ResponseNeverClosed {

    private static final int CALLS = 20;

    private ResponseNeverClosed() {
    }

    // @start region="wrong"
    static int wrong(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        return client.send(request, BodyHandlers.ofInputStream()).statusCode();
    }
    // @end region="wrong"

    static int closed(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        var response = client.send(request, BodyHandlers.ofInputStream());
        response.body().close();
        return response.statusCode();
    }

    // @start region="right"
    static int right(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        var response = client.send(request, BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            body.skip(Long.MAX_VALUE); // or what the caller wants of it, to the end
            return response.statusCode();
        }
    }
    // @end region="right"

    private interface Call {
        int status(HttpClient client, HttpRequest request) throws IOException, InterruptedException;
    }

    /** Connections that the calls have opened. */
    private static int connections(String name, Call call) throws IOException, InterruptedException {
        Set<InetSocketAddress> seen = ConcurrentHashMap.newKeySet();
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Thread::startVirtualThread);
        server.createContext("/", exchange -> {
            try (exchange) {
                seen.add(exchange.getRemoteAddress());
                exchange.sendResponseHeaders(200, 200_000);
                exchange.getResponseBody().write(new byte[200_000]);
            }
        });
        server.start();
        var client = HttpClient.newHttpClient();
        try {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
                    .build();
            for (int i = 0; i < CALLS; i++) {
                call.status(client, request);
            }
            client.shutdown();
            boolean ends = client.awaitTermination(Duration.ofMillis(200));
            System.out.println(name + CALLS + " calls opened " + seen.size() + " connections; all of them ended: "
                    + ends);
            return seen.size();
        } finally {
            client.shutdownNow();
            server.stop(0);
        }
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("sun.net.httpserver.nodelay", "true");
        int wrong = connections("wrong: neither read nor closed, ", ResponseNeverClosed::wrong);
        int closed = connections("       closed, not read,        ", ResponseNeverClosed::closed);
        int right = connections("right: read and closed,         ", ResponseNeverClosed::right);
        check(wrong == CALLS, "each call takes a connection and keeps it");
        check(closed > 1, "a connection whose body was not read is not used again");
        check(right == 1, "a body read to its end gives the connection back");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
