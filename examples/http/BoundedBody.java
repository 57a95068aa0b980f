import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * aiohttp: {@code client_max_size}, {@code StreamReader(limit)} and {@code ClientTimeout(total, sock_read)} for a body.
 * Final API, JDK 21 and later.
 *
 * <p>Use for every body from a stranger: an answer to {@code HttpClient}, even with {@code sendAsync} ({@link #bytes}),
 * a request to your server ({@link #reading}), and an answer that your server writes to a client that may not read
 * ({@link #writing}). Do not use where a thread waits for the whole exchange anyway: {@code SharedHttpClient} has
 * limits. {@code BodyHandlers.limiting} (25 and later) limits bytes, not time.
 *
 * <p>Handlers are thread-safe; a stream is for one thread at a time. One daemon thread serves all limits of the
 * program; it ends ten seconds after the last.
 *
 * <p>Run: {@code java examples/http/BoundedBody.java}
 */
public final class BoundedBody {

    private BoundedBody() {
    }

    // @start region="limits"
    /**
     * @param bytes   the most that is allowed
     * @param total   for the whole body, from the headers on
     * @param silence for the wait for the next bytes; for {@link #writing} until 16 KB have been taken
     */
    public record Limits(long bytes, Duration total, Duration silence) {
        public Limits {
            Objects.requireNonNull(total, "total");
            Objects.requireNonNull(silence, "silence");
            if (bytes < 0 || total.isNegative() || total.isZero() || silence.isNegative() || silence.isZero()) {
                throw new IllegalArgumentException("bytes is " + bytes + ", total " + total + ", silence " + silence
                        + ": must be 0 or more, and longer than nothing");
            }
        }

        /** Negative or zero: too late. */
        private long left(long start, long latest) {
            long now = System.nanoTime();
            return Math.min(nanos(total) - (now - start), nanos(silence) - (now - latest));
        }

        private String exceeded(long start) {
            return System.nanoTime() - start >= nanos(total) ? "body not complete within " + total
                    : "nothing moved for " + silence;
        }

        private static long nanos(Duration duration) {
            return Math.min(TimeUnit.NANOSECONDS.convert(duration), Long.MAX_VALUE / 2); // saturates
        }
    }

    /** The body has more bytes than the limit; a server answers 413. */
    public static final class TooLargeException extends IOException {
        private static final long serialVersionUID = 1;

        private TooLargeException(long limit) {
            super("body of more than " + limit + " bytes");
        }
    }

    private static final ScheduledThreadPoolExecutor TIMER = new ScheduledThreadPoolExecutor(1,
            Thread.ofPlatform().daemon().name("body-limits").factory());

    static {
        TIMER.setRemoveOnCancelPolicy(true);
        TIMER.setKeepAliveTime(10, TimeUnit.SECONDS);
        TIMER.allowCoreThreadTimeOut(true);
    }
    // @end region="limits"

    // @start region="client"
    /**
     * The body in memory. Over a limit the exchange ends at once with {@link TooLargeException} or
     * {@link HttpTimeoutException} ({@code send} may wrap it in an {@link IOException}), and its connection is closed.
     */
    public static BodyHandler<byte[]> bytes(Limits limits) {
        Objects.requireNonNull(limits, "limits");
        return answer -> new Bytes(limits);
    }

    private static final class Bytes implements BodySubscriber<byte[]> {
        private final CompletableFuture<byte[]> result = new CompletableFuture<>();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private final Limits limits;
        private final long start = System.nanoTime();
        private volatile long latest = start;
        private volatile Future<?> timer;
        private volatile IOException exceeded;
        private Flow.Subscription subscription;

        private Bytes(Limits limits) {
            this.limits = limits;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return result;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            look();
            result.whenComplete((bytes, failure) -> timer.cancel(false));
            subscription.request(Long.MAX_VALUE);
        }

        private void look() {
            long left = limits.left(start, latest);
            if (result.isDone()) {
                return;
            }
            if (left > 0) {
                timer = TIMER.schedule(this::look, left, TimeUnit.NANOSECONDS);
            } else { // not in this thread: dependents of the result may block
                Thread.startVirtualThread(() -> fail(new HttpTimeoutException(limits.exceeded(start))));
            }
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            latest = System.nanoTime();
            for (var buffer : buffers) {
                if (result.isDone()) {
                    return;
                }
                if (buffer.remaining() > Math.min(limits.bytes, Integer.MAX_VALUE - 8) - body.size()) {
                    fail(new TooLargeException(limits.bytes));
                    return;
                }
                byte[] part = new byte[buffer.remaining()];
                buffer.get(part);
                body.writeBytes(part);
            }
        }

        private void fail(IOException failure) {
            exceeded = failure;
            subscription.cancel(); // closes the connection, which may come back as an error
            result.completeExceptionally(failure);
        }

        @Override
        public void onError(Throwable failure) {
            result.completeExceptionally(exceeded == null ? failure : exceeded);
        }

        @Override
        public void onComplete() {
            result.complete(body.toByteArray());
        }
    }
    // @end region="client"

    // @start region="server"
    /**
     * A request's body, or any stream whose reads heed an interrupt: {@code HttpServer}'s, and a socket's read by a
     * virtual thread (for one read by a platform thread there is {@code setSoTimeout}). Total counts from here on. A
     * read over a limit throws {@link TooLargeException}, or is interrupted and throws {@link SocketTimeoutException}:
     * then the connection is closed, and nothing can be answered. The interrupt flag is not left set by it.
     */
    public static InputStream reading(InputStream in, Limits limits) {
        Objects.requireNonNull(in, "in");
        Objects.requireNonNull(limits, "limits");
        long start = System.nanoTime();
        return new InputStream() {
            private long count;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                int n = within(limits, start, () -> in.read(buffer, offset, length));
                count += Math.max(n, 0);
                if (count > limits.bytes) {
                    throw new TooLargeException(limits.bytes);
                }
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
        };
    }

    /** An answer's body for a client that may not read; {@code limits} as for {@link #reading}. */
    public static OutputStream writing(OutputStream out, Limits limits) {
        Objects.requireNonNull(out, "out");
        Objects.requireNonNull(limits, "limits");
        long start = System.nanoTime();
        return new OutputStream() {
            private long count;

            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] buffer, int offset, int length) throws IOException {
                Objects.checkFromIndexSize(offset, length, buffer.length);
                count += length;
                if (count > limits.bytes) {
                    throw new TooLargeException(limits.bytes);
                }
                for (int i = 0; i < length; i += 16 * 1024) {
                    int from = offset + i;
                    int part = Math.min(length - i, 16 * 1024);
                    within(limits, start, () -> {
                        out.write(buffer, from, part);
                        return null;
                    });
                }
            }

            @Override
            public void flush() throws IOException {
                within(limits, start, () -> {
                    out.flush();
                    return null;
                });
            }

            @Override
            public void close() throws IOException {
                within(limits, start, () -> {
                    out.close();
                    return null;
                });
            }
        };
    }

    @FunctionalInterface
    private interface Transfer<T> {
        T run() throws IOException;
    }

    private static <T> T within(Limits limits, long start, Transfer<T> transfer) throws IOException {
        long left = limits.left(start, System.nanoTime());
        if (left <= 0) {
            throw new SocketTimeoutException(limits.exceeded(start));
        }
        var watch = new Watch();
        var timer = TIMER.schedule(watch::interrupt, left, TimeUnit.NANOSECONDS);
        try {
            return transfer.run();
        } catch (IOException e) {
            if (watch.end()) {
                var late = new SocketTimeoutException(limits.exceeded(start));
                late.initCause(e);
                throw late;
            }
            throw e;
        } finally {
            watch.end();
            timer.cancel(false);
        }
    }

    /** Interrupts a thread once, and not after the end. */
    private static final class Watch {
        private final ReentrantLock lock = new ReentrantLock();
        private final Thread thread = Thread.currentThread();
        private boolean ended;
        private boolean interrupted;

        private void interrupt() {
            lock.lock();
            try {
                if (!ended) {
                    interrupted = true;
                    thread.interrupt();
                }
            } finally {
                lock.unlock();
            }
        }

        private boolean end() {
            lock.lock();
            try {
                if (!ended && interrupted) {
                    Thread.interrupted(); // was for this transfer alone
                }
                ended = true;
                return interrupted;
            } finally {
                lock.unlock();
            }
        }
    }
    // @end region="server"

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // @start region="use"
        var limits = new BoundedBody.Limits(1_000_000, Duration.ofSeconds(30), Duration.ofMillis(200));
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/upload", exchange -> {
            try {
                byte[] body = BoundedBody.reading(exchange.getRequestBody(), limits).readAllBytes();
                exchange.sendResponseHeaders(200, 0);
                BoundedBody.writing(exchange.getResponseBody(), limits).write(body);
            } catch (TooLargeException e) {
                exchange.sendResponseHeaders(413, -1);
            } finally {
                exchange.close();
            }
        });
        // @end region="use"
        server.createContext("/endless", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 0);
                while (true) {
                    exchange.getResponseBody().write(new byte[10_000]);
                }
            }
        });
        server.createContext("/silent", exchange -> {
            exchange.sendResponseHeaders(200, 100);
            exchange.getResponseBody().flush(); // and never goes on
        });
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        server.start();
        var base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            for (String path : List.of("/endless", "/silent")) {
                var request = HttpRequest.newBuilder(base.resolve(path)).build();
                try {
                    client.send(request, BoundedBody.bytes(limits));
                    check(false, path + " ends over a limit");
                } catch (IOException e) {
                    System.out.println(path + ": " + e.getMessage());
                }
            }
            try (var slow = new Socket(base.getHost(), base.getPort())) {
                slow.getOutputStream()
                        .write("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc".getBytes());
                int end = slow.getInputStream().read();
                System.out.println("a client that stops in mid-request is cut off: " + end);
                check(end == -1, "cut off");
            }
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
