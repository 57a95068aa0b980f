import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * asyncio: {@code asyncio.run(main())}, {@code async def} and {@code await}. Final API, JDK 21 and later.
 *
 * <p>The core concept: a coroutine is a method that blocks, called in a virtual thread; {@code await} is the plain
 * call; the entry point is {@code main}, which must wait for its threads, as virtual threads do not keep the JVM alive.
 * Not for CPU-bound work, which belongs in a platform pool with a thread per processor: virtual threads are not
 * time-sliced.
 *
 * <p>Run: {@code java examples/tasks/FetchConcurrently.java}
 */
public final class FetchConcurrently {

    private FetchConcurrently() {
    }

    // @start region="fetch"
    /**
     * Fetches all pages concurrently, duplicates only once; returns their bodies in the order of {@code pages}.
     * Thread-safe; {@code client} is yours, one for the whole program. When it returns or throws, every call has ended.
     *
     * @param timeout of each call, positive; on 21 and 25 it ends with the response's headers, from 26 on it covers the
     *                body
     * @throws ExecutionException   the first failure in time is the cause ({@link IOException} for a bad status); the
     *                              others were interrupted, once
     * @throws InterruptedException if the caller was interrupted; all calls were interrupted
     */
    public static Map<URI, String> fetchAll(HttpClient client, List<URI> pages, Duration timeout)
            throws InterruptedException, ExecutionException {
        Objects.requireNonNull(client, "client");
        Duration limit = timeout.compareTo(LONGEST) < 0 ? timeout : LONGEST;
        // made here: what cannot be asked is refused before a call
        var requests = new LinkedHashMap<URI, HttpRequest>();
        for (URI page : pages) {
            requests.put(page, HttpRequest.newBuilder(page).timeout(limit).build());
        }
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            var completed = new ExecutorCompletionService<String>(executor);
            var calls = new LinkedHashMap<URI, Future<String>>();
            requests.forEach((page, request) -> calls.put(page, completed.submit(() -> fetch(client, request))));
            for (int i = 0; i < calls.size(); i++) {
                completed.take().get();
            }
            var bodies = new LinkedHashMap<URI, String>();
            calls.forEach((page, call) -> bodies.put(page, call.resultNow()));
            return bodies;
        } finally {
            executor.shutdownNow(); // the only interrupt: close() in this thread would pass on a second one of its own
            CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
        }
    }

    private static final Duration LONGEST = Duration.ofDays(36_500); // the client adds it to a date

    /** Fetches one page, blocking: in a virtual thread that costs no more than a callback would. */
    private static String fetch(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        var response = client.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(request.uri() + " answered " + response.statusCode());
        }
        return response.body();
    }
    // @end region="fetch"

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (var handlers = Executors.newVirtualThreadPerTaskExecutor();
                var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            server.setExecutor(handlers);
            server.createContext("/page/", exchange -> {
                try (exchange) {
                    Thread.sleep(100); // the work behind the page
                    byte[] body = exchange.getRequestURI().getPath().getBytes();
                    exchange.sendResponseHeaders(200, body.length);
                    exchange.getResponseBody().write(body);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            server.start();
            var base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
            var pages = new ArrayList<>(IntStream.range(0, 20).mapToObj(i -> base.resolve("/page/" + i)).toList());

            long start = System.nanoTime();
            var bodies = fetchAll(client, pages, Duration.ofSeconds(30));
            System.out.println(bodies.size() + " pages in " + (System.nanoTime() - start) / 1_000_000
                    + " ms; one after another they take at least 2000");
            check(List.copyOf(bodies.keySet()).equals(pages) && bodies.get(pages.get(7)).equals("/page/7"),
                    "each page, in order");

            try {
                fetchAll(client, List.of(pages.get(0), base.resolve("/missing")), Duration.ofSeconds(30));
                check(false, "a failure is thrown");
            } catch (ExecutionException e) {
                System.out.println(e.getCause().getMessage());
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
