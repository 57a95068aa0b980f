import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * aiohttp: {@code web.Application()}, {@code app.add_routes}, {@code app['db']}, {@code web.run_app}. Final API, JDK 21 and later.
 *
 * <p>Use for a service of a few endpoints: tests, tools, health and metrics, a small API behind a proxy. It speaks HTTP/1.1. Do not use at
 * the edge of a network, or for HTTP/2, routing by pattern, uploads of forms: that is a framework's job.
 *
 * <p>Thread-safe. A handler runs in a thread of its own and may block. What an application shares is a field of the object whose methods
 * are the handlers ({@code Shop} below). {@code HttpExchange.setAttribute} is shared by all requests of a context on 21 and 25, by none from
 * 26 on.
 *
 * <p>Run: {@code java examples/http/SimpleHttpServer.java}
 */
public final class SimpleHttpServer implements AutoCloseable {

    /** Answers; what it throws becomes a 500. */
    @FunctionalInterface
    public interface Handler {
        Answer handle(HttpExchange request) throws Exception;
    }

    public record Answer(int status, String contentType, byte[] body) {
        public static Answer text(int status, String text) {
            return new Answer(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private final HttpServer server;
    private final ExecutorService executor;
    private final Duration grace;

    // @start region="server"
    static { // read once in a JVM, when the first server is created
        System.setProperty("sun.net.httpserver.nodelay", "true"); // else a kept connection stalls 40 ms a request, on 21
        System.setProperty("sun.net.httpserver.maxReqTime", "30"); // seconds to send a request; the default is for ever
        System.setProperty("sun.net.httpserver.maxIdleConnections", "1000"); // kept alive; the default is 200
    }

    /**
     * Listens when it returns. Paths are prefixes, the longest one wins.
     *
     * @param filters around every handler, the first one outermost: {@code HttpMiddleware}
     * @param grace   how long {@link #close} lets requests end
     */
    public SimpleHttpServer(InetSocketAddress address, Map<String, Handler> handlers, List<Filter> filters, Duration grace)
            throws IOException {
        this.server = HttpServer.create(address, 1000);
        this.grace = grace;
        this.executor = Runtime.version().feature() >= 24 ? Executors.newVirtualThreadPerTaskExecutor()
                : Executors.newFixedThreadPool(200); // there a client that stops in mid-request pins its virtual thread's carrier
        server.setExecutor(executor);
        handlers.forEach((path, handler) ->
                server.createContext(path, exchange -> answer(exchange, handler)).getFilters().addAll(filters));
        server.start();
    }

    private static void answer(HttpExchange exchange, Handler handler) throws IOException {
        try {
            Answer answer;
            try {
                answer = Objects.requireNonNull(handler.handle(exchange), "the handler's answer");
            } catch (Exception | Error e) { // else the connection is closed without an answer, and after an Error not even that
                if (e instanceof InterruptedException) {
                    Thread.currentThread().interrupt();
                }
                System.getLogger("http").log(System.Logger.Level.ERROR, exchange.getRequestMethod() + " " + exchange.getRequestURI(), e);
                answer = Answer.text(500, "internal error");
            }
            boolean none = exchange.getRequestMethod().equals("HEAD") || answer.body.length == 0; // 0 would mean: chunked
            exchange.getResponseHeaders().set("Content-Type", answer.contentType);
            exchange.sendResponseHeaders(answer.status, none ? -1 : answer.body.length);
            if (!none) {
                exchange.getResponseBody().write(answer.body);
            }
        } finally {
            exchange.close(); // not try (exchange): that would close before it catches
        }
    }
    // @end region="server"

    public URI uri() {
        return URI.create("http://" + server.getAddress().getHostString() + ":" + server.getAddress().getPort());
    }

    // @start region="close"
    /**
     * Accepts no more, gives requests {@code grace} to end (whole seconds; all of it if a client has stopped in mid-request), then
     * interrupts their threads, and returns when they have ended.
     */
    @Override
    public void close() {
        server.stop(Math.clamp(grace.toSeconds(), 0, Integer.MAX_VALUE)); // neither interrupts handlers nor ends the executor
        executor.shutdownNow();
        executor.close();
    }
    // @end region="close"

    // @start region="state"
    /** An application: what its requests share is in its fields, made before the server and closed after it. */
    private static final class Shop {
        private final Map<String, AtomicInteger> stock = new ConcurrentHashMap<>();
        private final LongAdder requests = new LongAdder();

        private Answer order(HttpExchange request) throws IOException {
            requests.increment();
            String item = new String(request.getRequestBody().readNBytes(100), StandardCharsets.UTF_8);
            AtomicInteger left = stock.get(item);
            if (left == null) {
                return Answer.text(404, "no " + item);
            }
            boolean sold = left.getAndUpdate(n -> Math.max(0, n - 1)) > 0; // requests run in parallel: one step, not read and write
            return sold ? Answer.text(200, "one " + item) : Answer.text(409, "sold out");
        }
    }
    // @end region="state"

    public static void main(String[] args) throws Exception {
        var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        // @start region="use"
        var shop = new Shop();
        shop.stock.put("tea", new AtomicInteger(5));
        Map<String, SimpleHttpServer.Handler> routes = Map.of(
                "/orders", shop::order,
                "/stats", request -> Answer.text(200, shop.requests + " requests"),
                "/broken", request -> Answer.text(200, shop.stock.get("coffee").toString()));
        try (var server = new SimpleHttpServer(loopback, routes, List.of(), Duration.ofSeconds(5));
             var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            // @end region="use"
            int sold = 0;
            try (var buyers = Executors.newVirtualThreadPerTaskExecutor()) {
                var orders = Stream.generate(() -> buyers.submit(() -> send(client, server.uri().resolve("/orders"), "tea"))).limit(20).toList();
                for (var order : orders) {
                    sold += order.get().equals("200 one tea") ? 1 : 0;
                }
            }
            String stats = send(client, server.uri().resolve("/stats"), "");
            System.out.println("20 buyers, 5 in stock, sold " + sold + "; " + stats);
            check(sold == 5 && stats.equals("200 20 requests"), "shared state");
            Logger.getLogger("http").setLevel(Level.OFF); // the next one would log its failure
            String broken = send(client, server.uri().resolve("/broken"), "");
            System.out.println("a handler that throws answers " + broken);
            check(broken.equals("500 internal error"), "an answer");
        }
    }

    private static String send(HttpClient client, URI uri, String body) throws IOException, InterruptedException {
        var response = client.send(HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
        return response.statusCode() + " " + response.body();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
