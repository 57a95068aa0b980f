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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;

/**
 * aiohttp: {@code gather} of fetches behind a {@code Semaphore} and {@code TCPConnector(limit, limit_per_host)}. Final
 * API, JDK 21 and later.
 *
 * <p>Use to fetch many pages from several hosts: at most N at a time, fewer from one host, each with a deadline; a
 * failed page is an outcome and stops nothing. A host that hangs holds at most {@code perHost} permits, so the others
 * go on. Do not use for a handful of calls that are all needed ({@code FetchConcurrently}) or against one service
 * ({@code BoundedGather} around {@code SharedHttpClient}).
 *
 * <p>Stateless and thread-safe. Memory: the outcomes, and {@code total} times what the reader holds.
 *
 * <p>Run: {@code java examples/http/BoundedCrawl.java}
 */
public final class BoundedCrawl {

    private BoundedCrawl() {
    }

    // @start region="crawl"
    /**
     * @param total   pages at a time
     * @param perHost pages at a time of one host (its name in any case) and port
     * @param perPage for one page: connecting, headers, body, reader
     */
    public record Limits(int total, int perHost, Duration perPage) {
        public Limits {
            Objects.requireNonNull(perPage, "perPage");
            if (total < 1 || perHost < 1) {
                throw new IllegalArgumentException("total is " + total + ", perHost " + perHost
                        + ": must be 1 or more");
            }
        }
    }

    /** Makes a page's result as its body arrives, whatever its status; many threads run it at a time. */
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
     * Fetches the pages, in the order given for each host; returns one outcome for each, in the order of {@code pages}.
     * When it returns or throws, every thread has ended, even if a reader ignores its interrupt, and no connection is
     * in use.
     *
     * @param client yours, one for the whole program, with a connect timeout; HTTP/1.1 unless you trust every host
     * @throws InterruptedException the caller was interrupted, and all that ran, once
     */
    public static <R> List<Outcome<R>> all(HttpClient client, List<URI> pages, Limits limits,
            Reader<? extends R> reader)
            throws InterruptedException {
        return new Crawl<R>(client, pages, limits, reader).run();
    }

    private static final class Crawl<R> {
        private final HttpClient client;
        private final List<URI> pages;
        private final Limits limits;
        private final Reader<? extends R> reader;
        private final AtomicReferenceArray<Outcome<R>> outcomes;
        private final Semaphore permits;
        private volatile boolean cancelled;

        private Crawl(HttpClient client, List<URI> pages, Limits limits, Reader<? extends R> reader) {
            this.client = Objects.requireNonNull(client, "client");
            this.pages = List.copyOf(Objects.requireNonNull(pages, "pages"));
            this.limits = Objects.requireNonNull(limits, "limits");
            this.reader = Objects.requireNonNull(reader, "reader");
            outcomes = new AtomicReferenceArray<>(this.pages.size());
            permits = new Semaphore(limits.total, true); // fair: hosts take turns
        }

        private List<Outcome<R>> run() throws InterruptedException {
            var hosts = new LinkedHashMap<String, Queue<Integer>>();
            for (int i = 0; i < pages.size(); i++) {
                hosts.computeIfAbsent(host(pages.get(i)), host -> new ConcurrentLinkedQueue<>()).add(i);
            }
            var workers = new ArrayList<Thread>();
            try {
                for (var host : hosts.values()) { // threads by host: one that waits for a host holds no permit
                    int threads = Math.min(limits.perHost, host.size());
                    for (int n = 0; n < threads; n++) {
                        workers.add(Thread.ofVirtual().name("crawl").unstarted(() -> work(host)));
                    }
                }
                workers.forEach(Thread::start);
                for (var worker : workers) {
                    worker.join();
                }
            } catch (Throwable e) {
                cancelled = true;
                workers.forEach(Thread::interrupt); // each once: a second one would hit what the reader cleans up
                workers.forEach(BoundedCrawl::join);
                throw e;
            }
            return IntStream.range(0, pages.size()).mapToObj(outcomes::get).toList();
        }

        private void work(Queue<Integer> host) {
            for (Integer i = host.poll(); i != null && !cancelled; i = host.poll()) {
                URI page = pages.get(i);
                try {
                    permits.acquire();
                    try {
                        outcomes.set(i, fetch(page));
                    } finally {
                        permits.release();
                    }
                } catch (Throwable e) { // no thread available, say: the others go on
                    outcomes.set(i, new Failed<>(page, e));
                }
            }
        }

        private Outcome<R> fetch(URI page) throws InterruptedException {
            var task = new FutureTask<R>(() -> {
                var response = send(client, HttpRequest.newBuilder(page).build());
                InputStream body = response.body();
                try (body) {
                    return reader.read(response);
                }
            });
            var thread = Thread.ofVirtual().name("crawl-page").start(task);
            try {
                long nanos = Math.min(TimeUnit.NANOSECONDS.convert(limits.perPage), Long.MAX_VALUE / 2);
                return new Fetched<>(page, task.get(nanos, TimeUnit.NANOSECONDS));
            } catch (TimeoutException e) {
                thread.interrupt(); // ends send() and read(), and closes the connection
                join(thread);
                return task.state() == Future.State.SUCCESS ? new Fetched<>(page, task.resultNow())
                        : new Failed<>(page, new HttpTimeoutException(page + " not done within " + limits.perPage));
            } catch (ExecutionException e) {
                return new Failed<>(page, e.getCause());
            } catch (InterruptedException e) {
                thread.interrupt();
                join(thread);
                throw e;
            }
        }
    }

    /** Name in lower case, and port. */
    private static String host(URI page) {
        int port = page.getPort() >= 0 ? page.getPort() : "https".equalsIgnoreCase(page.getScheme()) ? 443 : 80;
        String name = page.getHost() == null ? String.valueOf(page.getRawAuthority()) : page.getHost();
        return name.toLowerCase(Locale.ROOT) + " " + port;
    }

    private static void join(Thread thread) {
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
    // @end region="crawl"

    // @start region="bytes"
    /**
     * The body of a page that answers 200, if it has at most {@code limit} bytes: what bounds the memory of a crawl.
     */
    public static Reader<byte[]> bytes(int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit is " + limit + ": must be 0 or more");
        }
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
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
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
            // the first one loads classes
            all(client, List.of(pages.getLast()), new Limits(1, 1, Duration.ofSeconds(20)), bytes(100));
            long start = System.nanoTime();
            // @start region="use"
            var limits = new BoundedCrawl.Limits(20, 10, Duration.ofSeconds(1));
            var outcomes = BoundedCrawl.all(client, pages, limits, bytes(1_000_000));
            for (var outcome : outcomes) {
                switch (outcome) {
                    case Fetched<byte[]>(URI page, byte[] body) -> check(page.getPath().equals(new String(body)),
                            "each page at its place");
                    case Failed<byte[]>(URI page, Throwable failure) -> System.out.println(failure.getMessage());
                }
            }
            // @end region="use"
            System.out.println("200 pages, 6 of them hang, in " + (System.nanoTime() - start) / 1_000_000
                    + " ms; at most " + most + " at once of one host");
            // by the client, on a busy machine: the server may still be at work on them
            long givenUp = outcomes.stream()
                    .filter(outcome -> outcome instanceof Failed
                            && outcome.page().getPort() == server.getAddress().getPort()).count();
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
