import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class FetchConcurrentlyTest {

    private static final Duration LONG = Duration.ofDays(1); // a slow machine must not turn an answer into a timeout
    private final CyclicBarrier together = new CyclicBarrier(10);
    private final CountDownLatch hanging = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);
    private final HttpClient client = HttpClient.newHttpClient();
    private final ExecutorService handlers = Executors.newVirtualThreadPerTaskExecutor();
    private HttpServer server;
    private URI base;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
        server.createContext("/", exchange -> {
            try (exchange) {
                String path = exchange.getRequestURI().getPath();
                if (path.startsWith("/together")) {
                    together.await();
                } else if (path.equals("/hang")) {
                    hanging.countDown();
                    release.await();
                }
                byte[] body = path.getBytes();
                exchange.sendResponseHeaders(path.equals("/missing") ? 404 : 200, body.length);
                exchange.getResponseBody().write(body);
            } catch (IOException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            }
        });
        server.start();
        base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    @AfterEach
    void stop() {
        release.countDown();
        server.stop(0);
        client.shutdownNow();
        handlers.close();
    }

    @Test
    void fetchesAllAtOnceInOrder() throws Exception {
        var pages = IntStream.range(0, 10).mapToObj(i -> base.resolve("/together/" + i)).toList();
        var bodies = FetchConcurrently.fetchAll(client, pages, LONG);
        assertEquals(pages, List.copyOf(bodies.keySet()));
        assertEquals("/together/3", bodies.get(pages.get(3)));
    }

    @Test
    void aBadStatusStopsTheRest() {
        var thrown = assertThrows(ExecutionException.class, () -> FetchConcurrently.fetchAll(client,
                List.of(base.resolve("/hang"), base.resolve("/missing")), LONG));
        assertInstanceOf(IOException.class, thrown.getCause());
        assertTrue(thrown.getCause().getMessage().endsWith("/missing answered 404"), thrown::toString);
    }

    @Test
    void aServerThatDoesNotAnswerIsATimeout() {
        var thrown = assertThrows(ExecutionException.class,
                () -> FetchConcurrently.fetchAll(client, List.of(base.resolve("/hang")), Duration.ofMillis(300)));
        assertInstanceOf(HttpTimeoutException.class, thrown.getCause());
    }

    @Test
    void interruptOfTheCallerEndsTheCalls() throws Exception {
        var interrupted = new CompletableFuture<Boolean>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                FetchConcurrently.fetchAll(client, List.of(base.resolve("/hang")), LONG);
                interrupted.complete(false);
            } catch (InterruptedException e) {
                interrupted.complete(true);
            } catch (ExecutionException e) {
                interrupted.completeExceptionally(e);
            }
        });
        hanging.await();
        caller.interrupt();
        assertTrue(interrupted.get());
    }

    @Test
    void whatCannotBeAskedIsRefusedBeforeACallAndAnyLongTimeoutWorks() throws Exception {
        var page = base.resolve("/page/1");
        for (Duration none : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThrows(IllegalArgumentException.class, () -> FetchConcurrently.fetchAll(client, List.of(page), none));
        }
        assertThrows(IllegalArgumentException.class,
                () -> FetchConcurrently.fetchAll(client, List.of(page, URI.create("mailto:x")), Duration.ofMinutes(1)));
        assertThrows(NullPointerException.class,
                () -> FetchConcurrently.fetchAll(null, List.of(page), Duration.ofMinutes(1)));
        var bodies = FetchConcurrently.fetchAll(client, List.of(page, page), Duration.ofSeconds(Long.MAX_VALUE));
        assertEquals(1, bodies.size());
    }
}
