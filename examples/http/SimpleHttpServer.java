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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * aiohttp: {@code web.Application()}, {@code app.add_routes}, {@code app['db']}, {@code web.run_app}. Final API, JDK 21
 * and later.
 *
 * <p>Use for a service of a few endpoints: tests, tools, health and metrics, a small API behind a proxy. It speaks
 * HTTP/1.1. Do not use at the edge of a network, or for HTTP/2, routing by pattern or form uploads: use a framework.
 *
 * <p>It has the limits of {@code HttpServer}. Before 24 a slow client costs a platform thread (there are 200 here),
 * because reads pin a virtual thread. And nothing tells a handler that its client has gone: only the first or second
 * flushed write fails. Where either matters, use this project's service skeleton, which has its own server.
 *
 * <p>Thread-safe. A handler runs in its own thread and may block. Keep shared state in fields of the object whose
 * methods are the handlers ({@code Shop} below). {@code HttpExchange.setAttribute} is shared by all requests of a
 * context on 21 and 25, by none from 26 on.
 *
 * <p>Run: {@code java examples/http/SimpleHttpServer.java}
 */
public final class SimpleHttpServer implements AutoCloseable {

    /** Answers a request; what it throws becomes a 500. */
    @FunctionalInterface
    public interface Handler {
        Answer handle(HttpExchange request) throws Exception;
    }

    /** @param status 200 to 599 */
    public record Answer(int status, String contentType, byte[] body) {
        public Answer {
            Objects.requireNonNull(contentType, "contentType");
            Objects.requireNonNull(body, "body");
            if (status < 200 || status > 599) {
                throw new IllegalArgumentException("status is " + status + ": must be 200 to 599");
            }
        }

        public static Answer text(int status, String text) {
            return new Answer(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private final HttpServer server;
    private final ExecutorService executor;
    private final int graceSeconds;
    private final AtomicBoolean closed = new AtomicBoolean();
    // its wait swallows interrupts
    private final Thread stopping = Thread.ofPlatform().name("http-stop").unstarted(this::stop);
    private final ThreadLocal<Boolean> inside = new ThreadLocal<>();

    // @start region="server"
    static { // read once in a JVM, when the first server is created
        // else a kept connection stalls 40 ms a request, on 21
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("sun.net.httpserver.maxReqTime", "30"); // seconds to send a request; the default is for ever
        System.setProperty("sun.net.httpserver.maxIdleConnections", "1000"); // kept alive; the default is 200
    }

    /**
     * Listens when it returns. Paths are prefixes, the longest one wins.
     *
     * @param filters around every handler, the first one outermost: {@code HttpMiddleware}
     * @param grace   how long {@link #close} lets requests end, rounded up to seconds
     */
    public SimpleHttpServer(InetSocketAddress address, Map<String, Handler> handlers, List<Filter> filters,
            Duration grace)
            throws IOException {
        Objects.requireNonNull(address, "address");
        var routes = Map.copyOf(Objects.requireNonNull(handlers, "handlers"));
        var around = List.copyOf(Objects.requireNonNull(filters, "filters"));
        long seconds = Math.clamp(Objects.requireNonNull(grace, "grace").getSeconds(), 0, 1_000_000);
        graceSeconds = (int) seconds + (grace.isNegative() || grace.getNano() == 0 ? 0 : 1);
        executor = Runtime.version().feature() >= 24 ? Executors.newVirtualThreadPerTaskExecutor()
                : Executors.newFixedThreadPool(200);
        server = HttpServer.create();
        try {
            routes.forEach((path, handler) ->
                    server.createContext(path, exchange -> answer(exchange, handler)).getFilters().addAll(around));
            server.setExecutor(task -> executor.execute(() -> {
                inside.set(true);
                try {
                    task.run();
                } finally {
                    inside.remove();
                }
            }));
            server.bind(address, 1000); // after the contexts: a server that was never started keeps its port
            server.start();
        } catch (Throwable e) { // a path without a slash, a port in use
            executor.shutdown();
            throw e;
        }
    }

    private static void answer(HttpExchange exchange, Handler handler) throws IOException {
        Answer answer;
        Throwable failure = null;
        try {
            answer = Objects.requireNonNull(handler.handle(exchange), "the handler's answer");
            exchange.getResponseHeaders().set("Content-Type", answer.contentType);
        } catch (Throwable e) { // else the connection is closed without an answer, and after an Error not even that
            failure = e;
            answer = Answer.text(500, "internal error");
            exchange.getResponseHeaders().set("Content-Type", answer.contentType);
        }
        boolean interrupted = Thread.interrupted(); // a write with the flag set closes the connection
        try {
            boolean none = answer.body.length == 0 || answer.status == 204 || answer.status == 304
                    || exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(answer.status, none ? -1 : answer.body.length); // 0 would mean: chunked
            if (!none) {
                exchange.getResponseBody().write(answer.body);
            }
        } finally {
            exchange.close(); // not try (exchange): that would close before it catches
            if (interrupted || failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            if (failure != null) {
                System.getLogger("http").log(System.Logger.Level.ERROR,
                        exchange.getRequestMethod() + " " + exchange.getRequestURI(), failure);
            }
        }
    }
    // @end region="server"

    public URI uri() {
        return URI.create("http://" + server.getAddress().getHostString() + ":" + server.getAddress().getPort());
    }

    // @start region="close"
    /**
     * Accepts no more, gives requests {@code grace} to end (all of it if a client has stopped in mid-request), then
     * interrupts their threads, once, and returns when they have ended. An interrupt of the caller does not end the
     * wait; its flag is kept. Later calls wait, too.
     *
     * @throws IllegalStateException if called by a handler or filter: it would wait for itself
     */
    @Override
    public void close() {
        if (inside.get() != null) {
            throw new IllegalStateException("close() within a request would wait for itself");
        }
        boolean interrupted = Thread.interrupted();
        if (closed.compareAndSet(false, true)) {
            stopping.start();
        }
        for (boolean ended = false; !ended; ) {
            try {
                ended = executor.awaitTermination(Long.MAX_VALUE / 2, TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void stop() {
        server.stop(graceSeconds); // neither interrupts handlers nor ends the executor
        executor.shutdownNow();
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
            // requests run in parallel: one step, not read and write
            boolean sold = left.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
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
                var orders = Stream
                        .generate(() -> buyers.submit(() -> send(client, server.uri().resolve("/orders"), "tea")))
                                .limit(20).toList();
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
        var response = client.send(HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString(body)).build(),
                BodyHandlers.ofString());
        return response.statusCode() + " " + response.body();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
