import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * aiohttp: {@code @web.middleware} and {@code client_max_size}. Final API, JDK 21 and later.
 *
 * <p>Use as filters of every context of an {@code HttpServer}, in this order: log, errors, concurrency, authentication,
 * body. The first one added is the outermost. Do not use for what only one handler needs: write that in the handler.
 *
 * <p>Thread-safe: a filter is shared by all requests. A filter that does not call {@code chain.doFilter} has answered.
 *
 * <p>Run: {@code java examples/http/HttpMiddleware.java}
 */
public final class HttpMiddleware {

    private HttpMiddleware() {
    }

    private interface Step {
        void handle(HttpExchange exchange, Filter.Chain chain) throws IOException;
    }

    private static Filter filter(String description, Step step) {
        return new Filter() {
            @Override
            public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
                step.handle(exchange, chain);
            }

            @Override
            public String description() {
                return description;
            }
        };
    }

    // @start region="log"
    /**
     * Logs a line for each request when it is over, even if it failed: {@code GET /path 200 12 ms}, without the query,
     * which may hold secrets. What {@code log} throws goes to the thread's uncaught handler.
     */
    public static Filter log(Consumer<? super String> log) {
        Objects.requireNonNull(log, "log");
        return filter("log", (exchange, chain) -> {
            long start = System.nanoTime();
            try {
                chain.doFilter(exchange);
            } finally {
                int status = exchange.getResponseCode(); // -1: none was sent
                String line = exchange.getRequestMethod() + " " + exchange.getRequestURI().getRawPath() + " " + status
                        + " "
                        + (System.nanoTime() - start) / 1_000_000 + " ms";
                guarded(() -> log.accept(line));
            }
        });
    }
    // @end region="log"

    // @start region="errors"
    /**
     * Answers 500 for what is thrown further in, 413 for a body over its limit; then reports it (not the 413). If the
     * answer has begun, it cuts the connection, so the client sees that the answer is incomplete. It closes the
     * exchange, so handlers need not: {@code try (exchange)} in a handler would close before anything is caught, and
     * end a half-written chunked answer as if it were complete. What {@code report} throws goes to the thread's
     * uncaught handler.
     */
    public static Filter errors(BiConsumer<? super HttpExchange, ? super Throwable> report) {
        Objects.requireNonNull(report, "report");
        return filter("errors", (exchange, chain) -> {
            Throwable failure = null;
            try {
                chain.doFilter(exchange);
            } catch (Throwable e) {
                failure = e;
            }
            try {
                if (failure == null) {
                    uninterrupted(exchange::close); // writes what is left in a buffer
                } else if (exchange.getResponseCode() == -1) {
                    answer(exchange, failure instanceof BodyTooLargeException ? 413 : 500);
                } else {
                    // makes the server cut the connection, which an Error would not, on 21 to 26
                    throw new IOException(failure);
                }
            } finally {
                if (failure != null && !(failure instanceof BodyTooLargeException)) {
                    Throwable reported = failure;
                    guarded(() -> report.accept(exchange, reported));
                }
            }
        });
    }
    // @end region="errors"

    // @start region="concurrency"
    /**
     * Lets at most {@code limit} requests further in; the next one gets 503 at once, as in a queue it would only grow
     * old. A place is free a moment after its answer was sent.
     */
    public static Filter concurrency(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + ": must be 1 or more");
        }
        var permits = new Semaphore(limit);
        return filter("concurrency", (exchange, chain) -> {
            if (!permits.tryAcquire()) {
                exchange.getResponseHeaders().set("Retry-After", "1");
                answer(exchange, 503);
                return;
            }
            try {
                chain.doFilter(exchange);
            } finally {
                permits.release();
            }
        });
    }
    // @end region="concurrency"

    // @start region="authentication"
    /**
     * Answers 401 unless the request has {@code Authorization: Bearer token}. The time this takes does not reveal how
     * much was right.
     */
    public static Filter bearer(String token) {
        byte[] expected = sha256("Bearer " + Objects.requireNonNull(token, "token"));
        return filter("bearer", (exchange, chain) -> {
            String given = exchange.getRequestHeaders().getFirst("Authorization");
            if (given == null || !MessageDigest.isEqual(expected, sha256(given))) { // hashed: equal lengths, too
                exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
                answer(exchange, 401);
                return;
            }
            chain.doFilter(exchange);
        });
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
    // @end region="authentication"

    // @start region="body"
    /** Thrown by a read of a request's body beyond the limit. Do not catch it: {@link #errors} answers 413. */
    public static final class BodyTooLargeException extends IOException {
        private static final long serialVersionUID = 1;
    }

    /** Limits the body, announced or chunked; the server does not. For a limit in time use {@code BoundedBody}. */
    public static Filter bodyLimit(long limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit is " + limit + ": must be 0 or more");
        }
        return filter("body limit", (exchange, chain) -> {
            String length = exchange.getRequestHeaders().getFirst("Content-Length");
            if (length != null && Long.parseLong(length) > limit) {
                throw new BodyTooLargeException(); // before a byte of it is read
            }
            exchange.setStreams(new Limited(exchange.getRequestBody(), limit), null);
            chain.doFilter(exchange);
        });
    }

    private static final class Limited extends InputStream { // no FilterInputStream: its skip and reset would not count
        private final InputStream in;
        private long left;

        private Limited(InputStream in, long limit) {
            this.in = in;
            left = limit;
        }

        @Override
        public int read() throws IOException {
            int b = in.read();
            count(b < 0 ? 0 : 1);
            return b;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int n = in.read(buffer, offset, length);
            count(Math.max(0, n));
            return n;
        }

        @Override
        public int available() throws IOException {
            return in.available();
        }

        @Override
        public void close() throws IOException {
            in.close();
        }

        private void count(int bytes) throws IOException {
            left -= bytes;
            if (left < 0) {
                throw new BodyTooLargeException();
            }
        }
    }
    // @end region="body"

    @FunctionalInterface
    private interface Sending {
        void run() throws IOException;
    }

    /** A write with the interrupt flag set would close the connection: the flag is set again afterwards. */
    private static void uninterrupted(Sending sending) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            sending.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        uninterrupted(() -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
    }

    private static void guarded(Runnable told) {
        try {
            told.run();
        } catch (Throwable e) {
            Thread thread = Thread.currentThread();
            try {
                thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
            } catch (Throwable ignored) {
                // as the JVM does
            }
        }
    }

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        List<String> lines = Collections.synchronizedList(new ArrayList<>());
        var inside = new CountDownLatch(2);
        var release = new CountDownLatch(1);
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory())); // virtual from 24 on
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }).getFilters().addAll(filters(lines, 100));
        server.createContext("/broken", exchange -> {
            throw new IllegalStateException("broken");
        }).getFilters().addAll(filters(lines, 100));
        server.createContext("/wait", exchange -> {
            inside.countDown();
            await(release);
            exchange.sendResponseHeaders(200, -1);
        }).getFilters().addAll(filters(lines, 2));
        server.start();
        var base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        try (var client = HttpClient.newHttpClient(); var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            check(send(client, base, "secret", BodyPublishers.ofString("hello")) == 200, "served");
            check(send(client, base, "guess", BodyPublishers.noBody()) == 401, "not authenticated");
            check(send(client, base, "secret", BodyPublishers.ofByteArray(new byte[1001])) == 413, "announced");
            check(send(client, base, "secret",
                    BodyPublishers.ofInputStream(() -> InputStream.nullInputStream())) == 200, "chunked");
            check(send(client, base.resolve("/broken"), "secret", BodyPublishers.noBody()) == 500, "an answer");
            var waiting = Stream
                    .generate(() -> callers
                            .submit(() -> send(client, base.resolve("/wait"), "secret", BodyPublishers.noBody())))
                    .limit(2).toList();
            inside.await();
            check(send(client, base.resolve("/wait"), "secret", BodyPublishers.noBody()) == 503, "two are inside");
            release.countDown();
            for (var call : waiting) {
                check(call.get() == 200, "served");
            }
            while (lines.size() < 8) { // a line may come a moment after its answer
                Thread.sleep(1);
            }
        } finally {
            server.stop(0);
        }
        lines.forEach(System.out::println);
        check(lines.stream().map(line -> line.split(" ")[2]).sorted().toList()
                .equals(List.of("200", "200", "200", "200", "401", "413", "500", "503")), "each is logged");
    }

    private static List<Filter> filters(List<String> lines, int limit) {
        // @start region="use"
        return List.of(
                HttpMiddleware.log(lines::add),
                HttpMiddleware
                        .errors((exchange, failure) -> System.out.println(exchange.getRequestURI() + ": " + failure)),
                HttpMiddleware.concurrency(limit),
                HttpMiddleware.bearer("secret"),
                HttpMiddleware.bodyLimit(1000));
        // @end region="use"
    }

    private static int send(HttpClient client, URI uri, String token, BodyPublisher body) throws IOException,
            InterruptedException {
        var request = HttpRequest.newBuilder(uri).header("Authorization", "Bearer " + token).POST(body).build();
        return client.send(request, BodyHandlers.discarding()).statusCode();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException(e));
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
