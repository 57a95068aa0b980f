import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * aiohttp: {@code ClientSession(timeout=ClientTimeout(total, connect), connector=TCPConnector(limit))}. Final API, JDK 21 and later.
 *
 * <p>Use one for the whole program: it holds the connections that are kept alive. What {@code HttpClient} lacks is here: a limit of
 * exchanges, and so of connections, a deadline for the <em>whole</em> exchange, and bodies of bounded size. ({@code HttpRequest.timeout}
 * ends with the headers on 21 and 25, and covers the body from 26 on; {@code sendAsync().orTimeout()} leaves the connection open.) For
 * files use {@code FileTransfer}; for many pages {@code BoundedCrawl}; to tell failures apart {@code HttpErrors}.
 *
 * <p>Thread-safe. An exchange that ends early, for whatever reason, closes its connection.
 *
 * <p>Run: {@code java examples/http/SharedHttpClient.java}
 */
public final class SharedHttpClient implements AutoCloseable {

    private final HttpClient client;
    private final Semaphore permits;

    /**
     * @param limit          exchanges at once; {@code HttpClient} itself opens as many connections as it has exchanges on HTTP/1.1
     * @param connectTimeout of each new connection, name look-up left out
     */
    // @start region="client"
    public SharedHttpClient(int limit, Duration connectTimeout) {
        this.permits = new Semaphore(limit, true);
        this.client = HttpClient.newBuilder()
                .connectTimeout(connectTimeout)
                .followRedirects(Redirect.NORMAL) // the default follows none; NORMAL never goes from https to http
                .build();
    }
    // @end region="client"

    // @start region="exchange"
    /** Reads a response as it comes in. What it leaves unread costs the connection, which is then closed and not kept. */
    @FunctionalInterface
    public interface Reader<T> {
        T read(HttpResponse<InputStream> response) throws IOException, InterruptedException;
    }

    /**
     * Sends, and reads the answer, in a virtual thread of its own; returns what {@code reader} returned. When it returns or throws, that
     * thread has ended and the body is closed.
     *
     * @param total for all of it: waiting for a permit, connecting, sending, headers, body, reader
     * @throws HttpTimeoutException if {@code total} has passed (the connection is closed), or the connect timeout
     * @throws IOException          as thrown by the exchange or the reader; so are unchecked exceptions ({@link IllegalArgumentException}
     *                              for a bad Content-Length on 21 to 26)
     * @throws InterruptedException the caller was interrupted, and the exchange with it
     */
    public <T> T exchange(HttpRequest request, Duration total, Reader<? extends T> reader) throws IOException, InterruptedException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                return executor.<T>submit(() -> exchange(request, reader))
                        .get(Math.min(TimeUnit.NANOSECONDS.convert(total), Long.MAX_VALUE / 2), TimeUnit.NANOSECONDS);
            } finally {
                executor.shutdownNow(); // an interrupt ends send() and read() on every JDK, and closes the connection
            }
        } catch (TimeoutException e) {
            throw new HttpTimeoutException(request.uri() + " not done within " + total);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case Throwable failure -> throw new IOException(failure);
            }
        }
    }

    private <T> T exchange(HttpRequest request, Reader<T> reader) throws IOException, InterruptedException {
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

    /** As {@code client.send}, which if interrupted just as the headers arrive leaves the body open, and nobody has it (21 to 27). */
    private static HttpResponse<InputStream> send(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        var opened = new CompletableFuture<InputStream>();
        try {
            return client.send(request, headers -> {
                var subscriber = BodySubscribers.ofInputStream();
                subscriber.getBody().thenAccept(opened::complete);
                return subscriber;
            });
        } catch (IOException | InterruptedException e) {
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
    /** The body, if it has at most {@code limit} bytes; else an {@link IOException}. {@code BodyHandlers.ofString} has no limit. */
    public static Reader<byte[]> bytes(int limit) {
        return response -> {
            byte[] body = response.body().readNBytes(limit);
            if (body.length == limit && response.body().read() >= 0) {
                throw new IOException(response.uri() + " answered with more than " + limit + " bytes");
            }
            return body;
        };
    }

    /** As {@link #bytes}, in the charset of the Content-Type, or UTF-8. */
    public static Reader<String> text(int limit) {
        return response -> {
            var charset = CHARSET.matcher(response.headers().firstValue("Content-Type").orElse(""));
            return new String(bytes(limit).read(response), charset.find() && Charset.isSupported(charset.group(1))
                    ? Charset.forName(charset.group(1)) : StandardCharsets.UTF_8);
        };
    }

    private static final Pattern CHARSET = Pattern.compile("(?i);\\s*charset=\"?([\\w.:+-]+)");
    // @end region="readers"

    /** Waits until the exchanges have ended; an interrupt of the caller ends them. No exchange can be started any more. */
    @Override
    public void close() {
        client.close();
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("sun.net.httpserver.nodelay", "true"); // before the first server: on 21 a kept connection stalls 40 ms
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
                http.exchange(HttpRequest.newBuilder(base.resolve("/trickle")).build(), Duration.ofMillis(300), text(1000));
                check(false, "the deadline holds for the body");
            } catch (HttpTimeoutException e) {
                System.out.println(e.getMessage() + ": " + (System.nanoTime() - start) / 1_000_000 + " ms");
            }
            try {
                http.exchange(HttpRequest.newBuilder(base.resolve("/trickle")).build(), Duration.ofSeconds(10), text(3));
                check(false, "the limit of the body holds");
            } catch (IOException e) {
                System.out.println(e.getMessage());
            }
            try (var callers = Executors.newVirtualThreadPerTaskExecutor(); var narrow = new SharedHttpClient(2, Duration.ofSeconds(5))) {
                connections.set(0);
                var calls = Stream.generate(() -> callers.submit(() -> narrow.exchange(request, Duration.ofSeconds(10), text(10)))).limit(50).toList();
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
        server.setExecutor(Thread::startVirtualThread);
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
