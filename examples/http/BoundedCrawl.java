import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;

/**
 * aiohttp: {@code gather} of fetches behind a {@code Semaphore} and {@code TCPConnector(limit, limit_per_host)}. Final API, JDK 21 and
 * later.
 *
 * <p>Use to fetch many pages of several hosts: so many at once, fewer of one host, each with a deadline; a failed page is an outcome and
 * stops nothing. A host that hangs holds {@code perHost} of the permits and no more, so the others go on. Do not use for a handful of
 * calls that are all needed ({@code FetchConcurrently}) or against one service ({@code BoundedGather} around {@code SharedHttpClient}).
 *
 * <p>No state, thread-safe. Memory: the outcomes, and {@code total} times what the reader holds.
 *
 * <p>Run: {@code java examples/http/BoundedCrawl.java}
 */
public final class BoundedCrawl {

    private BoundedCrawl() {
    }

    // @start region="crawl"
    /**
     * @param total   pages at once
     * @param perHost pages at once of one host and port
     * @param perPage for one page: connecting, headers, body, reader
     */
    public record Limits(int total, int perHost, Duration perPage) {
        public Limits {
            if (total < 1 || perHost < 1) {
                throw new IllegalArgumentException("total is " + total + ", perHost " + perHost + ": must be 1 or more");
            }
        }
    }

    /** Makes the result of a page, as its body comes in; run by many threads at once. Any status gets here. */
    @FunctionalInterface
    public interface Reader<R> {
        R read(HttpResponse<InputStream> response) throws Exception;
    }

    /** How a page ended. */
    public sealed interface Outcome<R> {
        URI page();
    }

    public record Fetched<R>(URI page, R result) implements Outcome<R> { }

    /** @param failure {@link HttpTimeoutException} after {@code perPage}; else what the client or the reader threw */
    public record Failed<R>(URI page, Throwable failure) implements Outcome<R> { }

    /**
     * Fetches the pages, in the order given for each host; returns one outcome for each, in the order of {@code pages}. When it returns
     * or throws, every thread has ended and no connection is in use: a reader that ignores its interrupt is waited for.
     *
     * @param client the caller's, one for the whole program, with a connect timeout
     * @throws InterruptedException the caller was interrupted, and all that ran
     */
    public static <R> List<Outcome<R>> all(HttpClient client, List<URI> pages, Limits limits, Reader<? extends R> reader)
            throws InterruptedException {
        var hosts = new LinkedHashMap<String, Queue<Integer>>();
        for (int i = 0; i < pages.size(); i++) {
            hosts.computeIfAbsent(String.valueOf(pages.get(i).getRawAuthority()), host -> new ConcurrentLinkedQueue<>()).add(i);
        }
        var outcomes = new AtomicReferenceArray<Outcome<R>>(pages.size());
        var permits = new Semaphore(limits.total, true); // fair: hosts take turns
        try (var workers = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                for (var host : hosts.values()) { // threads by host, not by page: who waits for a host holds no permit meanwhile
                    int threads = Math.min(limits.perHost, host.size());
                    for (int n = 0; n < threads; n++) {
                        workers.execute(() -> work(client, pages, host, outcomes, permits, limits, reader));
                    }
                }
                workers.shutdown();
                workers.awaitTermination(Long.MAX_VALUE / 2, TimeUnit.NANOSECONDS);
            } finally {
                workers.shutdownNow();
            }
        }
        return IntStream.range(0, pages.size()).mapToObj(outcomes::get).toList();
    }

    private static <R> void work(HttpClient client, List<URI> pages, Queue<Integer> host, AtomicReferenceArray<Outcome<R>> outcomes,
                                 Semaphore permits, Limits limits, Reader<? extends R> reader) {
        try {
            for (Integer i = host.poll(); i != null; i = host.poll()) {
                permits.acquire();
                try {
                    outcomes.set(i, fetch(client, pages.get(i), limits.perPage, reader));
                } finally {
                    permits.release();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the crawl was cancelled
        }
    }

    private static <R> Outcome<R> fetch(HttpClient client, URI page, Duration perPage, Reader<? extends R> reader)
            throws InterruptedException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                Future<R> result = executor.submit(() -> {
                    var response = send(client, HttpRequest.newBuilder(page).build());
                    InputStream body = response.body();
                    try (body) {
                        return reader.read(response);
                    }
                });
                return new Fetched<>(page, result.get(Math.min(TimeUnit.NANOSECONDS.convert(perPage), Long.MAX_VALUE / 2), TimeUnit.NANOSECONDS));
            } finally {
                executor.shutdownNow(); // an interrupt ends send() and read(), and closes the connection
            }
        } catch (TimeoutException e) {
            return new Failed<>(page, new HttpTimeoutException(page + " not done within " + perPage));
        } catch (ExecutionException e) {
            return new Failed<>(page, e.getCause());
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
    // @end region="crawl"

    // @start region="bytes"
    /** The body of a page that answers 200, if it has at most {@code limit} bytes: what bounds the memory of a crawl. */
    public static Reader<byte[]> bytes(int limit) {
        return response -> {
            if (response.statusCode() != 200) {
                throw new IOException(response.uri() + " answered " + response.statusCode());
            }
            byte[] body = response.body().readNBytes(limit);
            if (body.length == limit && response.body().read() >= 0) {
                throw new IOException(response.uri() + " answered with more than " + limit + " bytes");
            }
            return body;
        };
    }
    // @end region="bytes"

    public static void main(String[] args) throws Exception {
        System.setProperty("sun.net.httpserver.nodelay", "true"); // before the first server: on 21 a kept connection stalls 40 ms
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Thread::startVirtualThread);
        server.createContext("/", exchange -> {
            try (exchange) {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                Thread.sleep(10);
                byte[] body = exchange.getRequestURI().getPath().getBytes(StandardCharsets.UTF_8);
                running.decrementAndGet();
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
        try (var hanging = new ServerSocket(0, 50, InetAddress.getLoopbackAddress()); // connects, never answers
             var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            var pages = IntStream.range(0, 200).mapToObj(i -> URI.create("http://127.0.0.1:"
                    + (i < 6 ? hanging.getLocalPort() : server.getAddress().getPort()) + "/page/" + i)).toList();
            all(client, List.of(pages.getLast()), new Limits(1, 1, Duration.ofSeconds(20)), bytes(100)); // the first one loads classes
            long start = System.nanoTime();
            // @start region="use"
            var limits = new BoundedCrawl.Limits(20, 10, Duration.ofSeconds(1));
            var outcomes = BoundedCrawl.all(client, pages, limits, bytes(1_000_000));
            for (var outcome : outcomes) {
                switch (outcome) {
                    case Fetched<byte[]>(URI page, byte[] body) -> check(page.getPath().equals(new String(body)), "each page at its place");
                    case Failed<byte[]>(URI page, Throwable failure) -> System.out.println(failure.getMessage());
                }
            }
            // @end region="use"
            System.out.println("200 pages, 6 of them hang, in " + (System.nanoTime() - start) / 1_000_000
                    + " ms; at most " + most + " at once of one host");
            long givenUp = outcomes.stream() // by the client, on a busy machine: the server may still be at work on them
                    .filter(outcome -> outcome instanceof Failed && outcome.page().getPort() == server.getAddress().getPort()).count();
            check(most.get() <= 10 + givenUp, "the limit of the host is held");
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
