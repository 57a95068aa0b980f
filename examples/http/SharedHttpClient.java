import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * aiohttp: {@code ClientSession(timeout=ClientTimeout(total, connect), connector=TCPConnector(limit))}. Final API, JDK
 * 21 and later.
 *
 * <p>Use one for the whole program: it holds the connections that are kept alive. It adds what {@code HttpClient}
 * lacks: a limit on exchanges, and so on connections, a deadline for the <em>whole</em> exchange, and bodies of bounded
 * size. ({@code HttpRequest.timeout} ends with the headers on 21 and 25, and covers the body from 26 on; {@code
 * sendAsync().orTimeout()} leaves the connection open.) For files use {@code FileTransfer}; for many pages {@code
 * BoundedCrawl}; for {@code sendAsync} {@code BoundedBody}; to tell failures apart {@code HttpErrors}.
 *
 * <p>It speaks HTTP/1.1: a server that takes HTTP/2 and goes silent blocks every later exchange on the one connection
 * that all share, and {@code HttpClient} never notices. Thread-safe. An exchange that ends early closes its connection.
 *
 * <p>It follows redirects unless told not to, five at most, but not from https to http. {@code HttpClient} itself
 * repeats a GET or HEAD whose connection drops before the answer: 2 attempts on 21 and 25, 5 from 26 on. {@code
 * -Djdk.httpclient.redirects.retrylimit=1} switches that off on all of them, and redirects with it.
 *
 * <p>Run: {@code java examples/http/SharedHttpClient.java}
 */
public final class SharedHttpClient implements AutoCloseable {

    private final HttpClient client;
    private final Semaphore permits;
    private final ThreadLocal<Boolean> inside = new ThreadLocal<>();

    /**
     * @param limit          exchanges at a time, 1 or more; {@code HttpClient} alone opens as many connections as it
     *                       has exchanges
     * @param connectTimeout for each new connection, without the name look-up
     */
    // @start region="client"
    public SharedHttpClient(int limit, Duration connectTimeout) {
        this(limit, connectTimeout, Redirect.NORMAL); // never from https to http; the JDK's default follows none
    }

    /** @param redirects {@code NEVER} for a configured partner: the answer could send the request to any other host */
    public SharedHttpClient(int limit, Duration connectTimeout, Redirect redirects) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + ": must be 1 or more");
        }
        Objects.requireNonNull(connectTimeout, "connectTimeout");
        var longest = Duration.ofDays(365); // more is a "long overflow" on 21 and 25
        this.client = HttpClient.newBuilder()
                .version(Version.HTTP_1_1)
                .connectTimeout(connectTimeout.compareTo(longest) < 0 ? connectTimeout : longest)
                .followRedirects(Objects.requireNonNull(redirects, "redirects"))
                .build();
        this.permits = new Semaphore(limit, true);
    }
    // @end region="client"

    // @start region="exchange"
    /** Reads a response as it arrives. If it leaves anything unread, the connection is closed instead of kept. */
    @FunctionalInterface
    public interface Reader<T> {
        T read(HttpResponse<InputStream> response) throws IOException, InterruptedException;
    }

    /**
     * Sends the request and reads the answer in a new virtual thread; returns what {@code reader} returned. When it
     * returns or throws, that thread has ended and the body is closed, even if the reader ignores its interrupt. A
     * result that is ready at the limit is returned.
     *
     * @param total for all of it: waiting for a permit, connecting, sending, headers, body, reader; at zero or less
     *              nothing is sent
     * @throws HttpTimeoutException if {@code total} has passed (the connection is closed), or the connect timeout
     * @throws IOException          as thrown by the exchange or the reader; so are unchecked exceptions
     *                              ({@link IllegalArgumentException} for a bad Content-Length on 21 to 26)
     * @throws InterruptedException the caller was interrupted, and the exchange with it, once
     */
    public <T> T exchange(HttpRequest request, Duration total, Reader<? extends T> reader)
            throws IOException, InterruptedException {
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(reader, "reader");
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(total, "total")), Long.MAX_VALUE / 2);
        if (nanos <= 0) {
            throw new HttpTimeoutException(request.uri() + " not asked: no time is left");
        }
        var task = new FutureTask<T>(() -> exchange(request, reader));
        var thread = Thread.ofVirtual().name("exchange").start(task);
        try {
            return task.get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            interruptAndJoin(thread); // ends send() and read() on every JDK, and closes the connection
            if (task.state() == Future.State.SUCCESS) {
                return task.resultNow();
            }
            throw new HttpTimeoutException(request.uri() + " not done within " + total);
        } catch (InterruptedException e) {
            interruptAndJoin(thread);
            throw e;
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case Throwable failure -> throw new IOException(failure);
            }
        }
    }

    /** Interrupts once: a second one would hit what the reader cleans up. */
    private static void interruptAndJoin(Thread thread) {
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private <T> T exchange(HttpRequest request, Reader<T> reader) throws IOException, InterruptedException {
        inside.set(true);
        permits.acquire();
        try {
            var response = send(client, request);
            InputStream body = response.body();
            try (body) {
                return reader.read(response);
            }
        } finally {
            permits.release();
        }
    }

    /** Like {@code client.send}, which leaks the body if it is interrupted just as the headers arrive. */
    private static HttpResponse<InputStream> send(HttpClient client, HttpRequest request)
            throws IOException, InterruptedException {
        var opened = new CompletableFuture<InputStream>();
        try {
            return client.send(request, headers -> {
                var subscriber = BodySubscribers.ofInputStream();
                subscriber.getBody().thenAccept(opened::complete);
                return subscriber;
            });
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
    // @end region="exchange"

    // @start region="readers"
    /**
     * The body, if it has at most {@code limit} bytes; else an {@link IOException}. {@code BodyHandlers.ofString} has
     * no limit.
     */
    public static Reader<byte[]> bytes(int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit is " + limit + ": must be 0 or more");
        }
        return response -> {
            byte[] body = response.body().readNBytes(limit);
            if (body.length == limit && response.body().read() >= 0) {
                throw new IOException(response.uri() + " answered with more than " + limit + " bytes");
            }
            return body;
        };
    }

    /** Like {@link #bytes}, in the charset of the Content-Type if this JDK knows it, or UTF-8. */
    public static Reader<String> text(int limit) {
        var bytes = bytes(limit);
        return response -> new String(bytes.read(response),
                charset(response.headers().firstValue("Content-Type").orElse("")));
    }

    private static final Pattern CHARSET = Pattern.compile("(?i);\\s*charset=\"?([\\w.:+-]+)");

    private static Charset charset(String contentType) {
        var name = CHARSET.matcher(contentType);
        try {
            return name.find() ? Charset.forName(name.group(1)) : StandardCharsets.UTF_8;
        } catch (IllegalArgumentException e) { // the server decides what stands there
            return StandardCharsets.UTF_8;
        }
    }
    // @end region="readers"

    /**
     * Waits until all exchanges have ended; an interrupt of the caller ends them. No new exchange can start.
     *
     * @throws IllegalStateException if called by a reader: it would wait for itself
     */
    @Override
    public void close() {
        if (inside.get() != null) {
            throw new IllegalStateException("close() within an exchange would wait for itself");
        }
        client.close();
    }

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var connections = new AtomicInteger();
        var server = server(connections);
        var base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        // @start region="use"
        try (var http = new SharedHttpClient(100, Duration.ofSeconds(5))) {
            var request = HttpRequest.newBuilder(base.resolve("/hello")).header("Accept", "text/plain").build();
            String text = http.exchange(request, Duration.ofSeconds(10), text(1_000_000));
            // @end region="use"
            System.out.println(text);
            check(text.equals("héllo"), "the text in its charset");

            long start = System.nanoTime();
            try {
                http.exchange(HttpRequest.newBuilder(base.resolve("/trickle")).build(), Duration.ofMillis(300),
                        text(1000));
                check(false, "the deadline holds for the body");
            } catch (HttpTimeoutException e) {
                System.out.println(e.getMessage() + ": " + (System.nanoTime() - start) / 1_000_000 + " ms");
            }
            try {
                http.exchange(HttpRequest.newBuilder(base.resolve("/trickle")).build(), Duration.ofSeconds(10),
                        text(3));
                check(false, "the limit of the body holds");
            } catch (IOException e) {
                System.out.println(e.getMessage());
            }
            try (var callers = Executors.newVirtualThreadPerTaskExecutor(); var narrow = new SharedHttpClient(2,
                    Duration.ofSeconds(5))) {
                connections.set(0);
                var calls = Stream
                        .generate(() -> callers
                                .submit(() -> narrow.exchange(request, Duration.ofSeconds(10), text(10))))
                                        .limit(50).toList();
                for (var call : calls) {
                    call.get();
                }
            }
            System.out.println("50 calls over " + connections + " connections");
            check(connections.get() <= 2, "the limit of exchanges is one of connections");
        } finally {
            server.stop(0);
        }
    }

    private static HttpServer server(AtomicInteger connections) throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        var seen = ConcurrentHashMap.<InetSocketAddress>newKeySet();
        server.createContext("/hello", exchange -> {
            try (exchange) {
                if (seen.add(exchange.getRemoteAddress())) {
                    connections.incrementAndGet();
                }
                byte[] body = "héllo".getBytes(StandardCharsets.ISO_8859_1);
                exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=ISO-8859-1");
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            }
        });
        server.createContext("/trickle", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 1000);
                for (int i = 0; i < 1000; i++) {
                    exchange.getResponseBody().write('x');
                    exchange.getResponseBody().flush();
                    Thread.sleep(20);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
        return server;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
