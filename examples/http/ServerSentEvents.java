import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * aiohttp: {@code aiohttp_sse.sse_response} and {@code aiohttp_sse_client.EventSource}. Final API, JDK 21 and later.
 *
 * <p>Use for a stream of events from server to client over plain HTTP. The client reconnects by itself, after any
 * failure and after silence, and says which event it saw last ({@code Last-Event-ID}, if it is ASCII), so that the
 * server can continue there. Do not use where the client talks too ({@code WebSocketClient}).
 *
 * <p>A client is for one thread, except {@link #close}; interrupting that thread ends {@link #next}. A {@link Sender}
 * is thread-safe.
 *
 * <p>Run: {@code java examples/http/ServerSentEvents.java}
 */
public final class ServerSentEvents implements AutoCloseable {

    private static final Duration LONGEST_DELAY = Duration.ofMinutes(1);
    private static final Duration LEAST_DELAY = Duration.ofMillis(100);
    // as a request's timeout, more fails on 21 and 25
    private static final Duration LONGEST_IDLE = Duration.ofDays(365);

    /** @param type {@code message} if the server names none; @param id the last one seen, empty if there was none */
    public record Event(String type, String data, String id) {
        public Event {
            Objects.requireNonNull(type, "type");
            Objects.requireNonNull(data, "data");
            Objects.requireNonNull(id, "id");
        }
    }

    // @start region="client"
    private final HttpClient client;
    private final HttpRequest request;
    private final Duration idle;
    private final int limit;
    private final CountDownLatch closed = new CountDownLatch(1);
    private InputStream body;
    private Thread watcher;
    private volatile InputStream closeable;
    private volatile long waitingSince; // of a read; 0: none is waiting
    private Duration delay = Duration.ofSeconds(3);
    private int failures;
    private String lastId = "";
    private boolean skipLineFeed;

    /**
     * Connects at the first {@link #next}.
     *
     * @param client  on HTTP/1.1, unless you trust the server
     * @param request a GET; Accept and Last-Event-ID are added
     * @param idle    after this time without a byte or a heartbeat it reconnects; make it longer than the server's
     *                heartbeat
     * @param limit   bytes of an event; a longer event ends the connection
     */
    public ServerSentEvents(HttpClient client, HttpRequest request, Duration idle, int limit) {
        this.client = Objects.requireNonNull(client, "client");
        this.request = Objects.requireNonNull(request, "request");
        Objects.requireNonNull(idle, "idle");
        this.idle = idle.compareTo(LONGEST_IDLE) < 0 ? idle : LONGEST_IDLE;
        this.limit = limit;
        if (idle.isNegative() || idle.isZero() || limit < 1) {
            throw new IllegalArgumentException("idle is " + idle + ", limit " + limit + ": must be more than nothing");
        }
    }

    /**
     * Waits for the next event, as long as it takes. Reconnects when needed, after the server's {@code retry} or 3
     * seconds, doubled at each further failure: at least 100 ms, which doubles too, and at most a minute.
     *
     * @return empty if the server has said that there are no more (204), or after {@link #close}
     * @throws IOException          the server answers with something other than events: reconnecting would not help
     * @throws InterruptedException the caller was interrupted; the connection is closed
     */
    public Optional<Event> next() throws IOException, InterruptedException {
        while (closed.getCount() > 0) {
            try {
                if (body == null && !connect()) {
                    return Optional.empty();
                }
                var event = readEvent();
                if (event.isPresent()) {
                    failures = 0;
                    return event;
                }
            } catch (NoEventsException e) {
                disconnect();
                throw e;
            } catch (IOException e) {
                if (Thread.interrupted()) { // a read that is interrupted throws this, with the flag set
                    disconnect();
                    throw new InterruptedException();
                }
            } catch (InterruptedException e) {
                disconnect();
                throw e;
            }
            disconnect();
            long least = delay.compareTo(LEAST_DELAY) < 0 ? LEAST_DELAY.toNanos() : delay.toNanos();
            long wait = Math.min(least << Math.min(failures++, 10), LONGEST_DELAY.toNanos());
            closed.await(wait, TimeUnit.NANOSECONDS);
        }
        return Optional.empty();
    }

    /** The server's answer is not a stream of events. */
    public static final class NoEventsException extends IOException {
        private static final long serialVersionUID = 1;

        private NoEventsException(String message) {
            super(message);
        }
    }

    private boolean connect() throws IOException, InterruptedException {
        var builder = HttpRequest.newBuilder(request, (name, value) -> true).setHeader("Accept",
                "text/event-stream").timeout(idle);
        if (lastId.matches("[ -~]+")) { // HttpClient refuses or garbles the rest
            builder.setHeader("Last-Event-ID", lastId);
        }
        var response = send(client, builder.build());
        body = new BufferedInputStream(response.body());
        closeable = response.body();
        // close() may have come before there was anything to close
        if (closed.getCount() == 0 || response.statusCode() == 204) {
            disconnect();
            return false;
        }
        if (response.statusCode() >= 500 || response.statusCode() == 429) {
            throw new IOException("busy"); // comes back later
        }
        String type = response.headers().firstValue("Content-Type").orElse("");
        if (response.statusCode() != 200 || !type.toLowerCase(Locale.ROOT).startsWith("text/event-stream")) {
            throw new NoEventsException(request.uri() + " answered " + response.statusCode() + " " + type);
        }
        skipLineFeed = false;
        InputStream watched = response.body();
        watcher = Thread.ofVirtual().name("sse-idle").start(() -> watch(watched));
        return true;
    }

    /** Like {@code client.send}, which leaks the body if it is interrupted just as the headers arrive (21 to 27). */
    private static HttpResponse<InputStream> send(HttpClient client, HttpRequest request) throws IOException,
            InterruptedException {
        var opened = new CompletableFuture<InputStream>();
        try {
            return client.send(request, headers -> {
                var subscriber = BodySubscribers.ofInputStream();
                subscriber.getBody().thenAccept(opened::complete);
                return subscriber;
            });
        } catch (IllegalArgumentException e) { // a Content-Length that is no number, on 21 to 26
            throw new IOException(e);
        } catch (Throwable e) {
            opened.thenAccept(body -> { // now, or once there is one
                try {
                    body.close();
                } catch (IOException closed) {
                    e.addSuppressed(closed);
                }
            });
            throw e;
        }
    }

    /** Closes a connection on which a read waits too long; reads themselves have no time limit. */
    private void watch(InputStream watched) {
        try {
            long pause = Math.max(1_000_000, idle.toNanos() / 10);
            do {
                long since = waitingSince;
                if (since != 0 && System.nanoTime() - since > idle.toNanos()) {
                    watched.close();
                    return;
                }
            } while (!closed.await(pause, TimeUnit.NANOSECONDS)); // after close() nobody may call next()
        } catch (IOException | InterruptedException e) {
            // the connection is closed
        }
    }

    private void disconnect() throws IOException {
        InputStream old = body;
        body = null;
        closeable = null;
        if (watcher != null) {
            watcher.interrupt();
            watcher = null;
        }
        if (old != null) {
            old.close();
        }
    }

    /** Empty at the end of the stream; what came after the last empty line is dropped. */
    private Optional<Event> readEvent() throws IOException {
        var data = new StringBuilder();
        String type = "";
        String id = lastId;
        for (String line = readLine(); line != null; line = readLine()) {
            if (line.isEmpty()) {
                lastId = id;
                if (!data.isEmpty()) {
                    data.setLength(data.length() - 1);
                    return Optional.of(new Event(type.isEmpty() ? "message" : type, data.toString(), id));
                }
                type = "";
                continue;
            }
            int colon = line.indexOf(':'); // at 0: a comment, a heartbeat
            String field = colon < 0 ? line : line.substring(0, colon);
            String value = colon < 0 ? "" : line.substring(line.startsWith(" ", colon + 1) ? colon + 2 : colon + 1);
            switch (field) {
                case "data" -> data.append(value).append('\n');
                case "event" -> type = value;
                case "id" -> id = value.indexOf('\0') < 0 ? value : id;
                case "retry" -> delay = value.matches("\\d{1,9}") ? Duration.ofMillis(Long.parseLong(value)) : delay;
                default -> { }
            }
            if (data.length() > limit) {
                throw new NoEventsException("an event of more than " + limit + " bytes");
            }
        }
        return Optional.empty();
    }

    /** A line ends with LF, CR or both. Null at the end of the stream. */
    private String readLine() throws IOException {
        var line = new ByteArrayOutputStream();
        while (true) {
            waitingSince = System.nanoTime() | 1;
            int b = body.read();
            waitingSince = 0;
            if (b == '\n' && skipLineFeed) {
                skipLineFeed = false;
                continue;
            }
            skipLineFeed = b == '\r';
            if (b == '\n' || b == '\r') {
                String text = line.toString(StandardCharsets.UTF_8);
                return text.startsWith("\uFEFF") ? text.substring(1) : text;
            }
            if (b < 0) {
                return null;
            }
            if (line.size() == limit) {
                throw new NoEventsException("a line of more than " + limit + " bytes");
            }
            line.write(b);
        }
    }

    /** From any thread: {@link #next} returns empty; if it is connecting, once the answer has come. */
    @Override
    public void close() throws IOException {
        closed.countDown();
        InputStream current = closeable;
        if (current != null) {
            current.close();
        }
    }
    // @end region="client"

    // @start region="server"
    /**
     * The server's end of a stream: made by a handler, used until {@link IOException} says that the client has left.
     */
    public static final class Sender {
        private final HttpExchange exchange;
        private final ReentrantLock lock = new ReentrantLock();

        /** @param retry how long the client should wait before it reconnects, at most 11 days */
        public Sender(HttpExchange exchange, Duration retry) throws IOException {
            this.exchange = Objects.requireNonNull(exchange, "exchange");
            long millis = Math.clamp(TimeUnit.MILLISECONDS.convert(Objects.requireNonNull(retry, "retry")), 0,
                    999_999_999);
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            exchange.sendResponseHeaders(200, 0); // 0: chunked, no end known
            write("retry: " + millis + "\n\n"); // from 25 on the headers wait in a buffer until the first flush
        }

        public void send(Event event) throws IOException {
            var text = new StringBuilder(event.id.isEmpty() ? "" : "id: " + oneLine(event.id) + "\n")
                    .append("event: ").append(oneLine(event.type)).append('\n');
            for (String line : event.data.split("\r\n|\r|\n", -1)) {
                text.append("data: ").append(line).append('\n');
            }
            write(text.append('\n').toString());
        }

        /** Call it every 15 seconds or so of silence: else neither side learns that the other has gone. */
        public void heartbeat() throws IOException {
            write(":\n\n");
        }

        private void write(String text) throws IOException {
            lock.lock();
            try {
                exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
                exchange.getResponseBody().flush();
            } finally {
                lock.unlock();
            }
        }

        private static String oneLine(String text) {
            return text.replaceAll("[\r\n]", " ");
        }
    }
    // @end region="server"

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        server.createContext("/events", exchange -> {
            try (exchange) {
                int from = Integer
                        .parseInt(Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Last-Event-ID"),
                                "0"));
                if (from == 6) {
                    exchange.sendResponseHeaders(204, -1);
                    return;
                }
                // @start region="sender"
                var sender = new Sender(exchange, Duration.ofMillis(20));
                for (int id = from + 1; id <= from + 2; id++) { // two, then the connection breaks off
                    sender.send(new Event("count", "line one\nline " + id, Integer.toString(id)));
                }
                // @end region="sender"
            }
        });
        server.start();
        var request = HttpRequest
                .newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/events")).build();
        List<String> seen = new ArrayList<>();
        try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            // @start region="use"
            try (var events = new ServerSentEvents(client, request, Duration.ofSeconds(30), 1_000_000)) {
                for (var event = events.next(); event.isPresent(); event = events.next()) {
                    System.out.println(event.get());
                    seen.add(event.get().id());
                }
            }
            // @end region="use"
        } finally {
            server.stop(0);
        }
        check(seen.equals(List.of("1", "2", "3", "4", "5", "6")), "each event once, over three connections");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
