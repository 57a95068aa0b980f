import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: from JDK 26 on the selector of {@code HttpClient} is a virtual thread. While virtual threads compute on all
 * carriers, it gets no turn: every request hangs, those of platform threads too, and their own timeout does not fire.
 *
 * <p>Holds for: 26 and later (measured on 26, 27 and 28 early access; 21 and 25 answer).
 * Cure: compute on platform threads. Where that cannot be had:
 * {@code -Djdk.internal.httpclient.tcp.selector.useVirtualThreads=never}, which is internal to the JDK.
 *
 * <p>Run: {@code java examples/traps/HttpClientNeedsCarrier.java}
 */
public final class HttpClientNeedsCarrier {

    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    private HttpClientNeedsCarrier() {
    }

    // @start region="wrong"
    static void wrong(Runnable computation) {
        for (int i = 0; i < PROCESSORS; i++) {
            Thread.startVirtualThread(computation);
        }
    }
    // @end region="wrong"

    // @start region="right"
    static void right(Runnable computation) {
        var executor = Executors.newFixedThreadPool(PROCESSORS); // the system takes the processor away from these
        for (int i = 0; i < PROCESSORS; i++) {
            executor.execute(computation);
        }
        executor.shutdown();
    }
    // @end region="right"

    public static void main(String[] args) throws Exception {
        HttpServer server = server();
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
                    .timeout(Duration.ofMillis(300)).build();
            client.send(HttpRequest.newBuilder(request.uri()).build(), BodyHandlers.discarding()); // loads the classes

            var stop = new AtomicBoolean();
            var computing = new AtomicInteger();
            wrong(() -> compute(computing, stop));
            while (computing.get() < PROCESSORS) {
                Thread.sleep(1);
            }
            CompletableFuture<?> hanging = client.sendAsync(request, BodyHandlers.discarding());
            boolean ownThread = Runtime.version().feature() < 26;
            for (int i = 0; !hanging.isDone() && (ownThread || i < 140); i++) {
                Thread.sleep(5); // more than twice its timeout
            }
            System.out.println("wrong: virtual threads compute,  a request with a timeout of 300 ms: "
                    + (hanging.isDone() ? "is done" : "no answer and no timeout after 700 ms"));
            check(hanging.isDone() == ownThread, "a selector on a platform thread before 26, on a virtual one since");
            stop.set(true);

            var stopAgain = new AtomicBoolean();
            right(() -> compute(computing, stopAgain));
            client.send(HttpRequest.newBuilder(request.uri()).build(), BodyHandlers.discarding());
            System.out.println("right: platform threads compute, a request: is answered");
            stopAgain.set(true);
        } finally {
            server.stop(0);
        }
    }

    private static void compute(AtomicInteger computing, AtomicBoolean stop) {
        computing.incrementAndGet();
        while (!stop.get()) {
            Thread.onSpinWait();
        }
    }

    private static HttpServer server() throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
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
