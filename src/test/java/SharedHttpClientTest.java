import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class SharedHttpClientTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    private static SharedHttpClient http(int limit) {
        return new SharedHttpClient(limit, LONG);
    }

    private static HttpRequest get(HostileServer server) {
        return HttpRequest.newBuilder(server.uri()).build();
    }

    @Test
    void oneConnectionServesOneExchangeAfterAnother() throws Exception {
        boolean slow = true;
        while (slow) { // a connection that is idle for 30 s is closed: then again
            long begin = System.nanoTime();
            try (var http = http(1); var server = new HostileServer(HostileServer.Fault.HEALTHY); var callers =
                    Executors.newVirtualThreadPerTaskExecutor()) {
                var calls = new ArrayList<Future<String>>();
                for (int i = 0; i < 50; i++) {
                    calls.add(callers.submit(() -> http.exchange(get(server), LONG, SharedHttpClient.text(2))));
                }
                for (var call : calls) {
                    assertEquals("ok", call.get());
                }
                assertEquals(50, server.requests.get());
                slow = System.nanoTime() - begin > Duration.ofSeconds(25).toNanos();
                assertTrue(slow || server.connections.get() == 1, () -> server.connections + " connections");
            }
        }
    }

    @Test
    void waitingForAPermitCountsAgainstTheDeadline() throws Exception {
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.SILENT); var callers =
                Executors.newVirtualThreadPerTaskExecutor()) {
            var first = callers.submit(() -> http.exchange(get(server), LONG, SharedHttpClient.bytes(1)));
            while (server.requests.get() == 0) {
                Thread.sleep(1);
            }
            assertThrows(HttpTimeoutException.class,
                    () -> http.exchange(get(server), Duration.ofMillis(50), SharedHttpClient.bytes(1)));
            assertEquals(1, server.requests.get());
            first.cancel(true);
            server.awaitAllClosed();
            var second = callers.submit(() -> http.exchange(get(server), LONG, SharedHttpClient.bytes(1)));
            while (server.requests.get() < 2) { // the permit came back
                Thread.sleep(1);
            }
            second.cancel(true);
        }
    }

    @Test
    void bodiesOfExactlyTheLimitPass() throws Exception {
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.HEALTHY)) {
            assertArrayEquals("ok".getBytes(), http.exchange(get(server), LONG, SharedHttpClient.bytes(2)));
            assertThrows(IOException.class, () -> http.exchange(get(server), LONG, SharedHttpClient.bytes(1)));
        }
    }

    @Test
    void whatTheReaderThrowsComesAsItIs() throws Exception {
        var mine = new IllegalStateException("mine");
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.HEALTHY)) {
            assertSame(mine,
                    assertThrows(IllegalStateException.class, () -> http.exchange(get(server), LONG, response -> {
                throw mine;
            })));
        }
    }

    @Test
    void anInterruptEndsTheExchangeAndItsConnection() throws Exception {
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.STALLS_IN_BODY)) {
            var reading = new CountDownLatch(1);
            var ended = new AtomicInteger();
            var thrown = new AtomicReference<Throwable>();
            var caller = Thread.ofVirtual().start(() -> {
                try {
                    http.exchange(get(server), LONG, response -> {
                        reading.countDown();
                        try {
                            return response.body().readAllBytes();
                        } finally {
                            ended.incrementAndGet();
                        }
                    });
                } catch (Throwable e) {
                    thrown.set(e);
                    ended.addAndGet(10);
                }
            });
            reading.await();
            caller.interrupt();
            caller.join();
            assertInstanceOf(InterruptedException.class, thrown.get());
            assertEquals(11, ended.get());
            server.awaitAllClosed();
        }
    }

    @Test
    void theCallersSecondInterruptDoesNotReachTheReadersCleanUp() throws Exception {
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.HEALTHY)) {
            var cleaning = new CountDownLatch(1);
            var go = new CountDownLatch(1);
            var cleanUp = new CompletableFuture<String>();
            var seen = new CompletableFuture<String>();
            var reading = new CountDownLatch(1);
            var caller = Thread.ofVirtual().start(() -> {
                try {
                    http.exchange(get(server), LONG, response -> {
                        try {
                            reading.countDown();
                            new CountDownLatch(1).await();
                        } finally {
                            cleaning.countDown();
                            try {
                                go.await();
                                cleanUp.complete("done");
                            } catch (InterruptedException e) {
                                cleanUp.complete("interrupted twice");
                            }
                        }
                        return null;
                    });
                } catch (Exception e) {
                    seen.complete(e.getClass().getSimpleName() + " " + Thread.currentThread().isInterrupted());
                }
            });
            reading.await();
            caller.interrupt();
            cleaning.await();
            caller.interrupt();
            while (caller.isInterrupted()) {
                Thread.onSpinWait();
            }
            go.countDown();
            assertEquals("done", cleanUp.get());
            assertEquals("InterruptedException true", seen.get());
        }
    }

    @Test
    void aResultThatIsThereAtTheLimitIsReturned() throws Exception {
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.HEALTHY)) {
            var reading = new AtomicInteger();
            String result = null;
            for (int millis = 200; result == null; millis *= 2) {
                try {
                    result = http.exchange(get(server), Duration.ofMillis(millis), response -> {
                        try {
                            reading.incrementAndGet();
                            new CountDownLatch(1).await();
                        } catch (InterruptedException e) {
                            return "late";
                        }
                        return null;
                    });
                } catch (HttpTimeoutException e) {
                    assertEquals(0, reading.get(), "the machine is slow: the reader has not begun");
                }
            }
            assertEquals("late", result);
        }
    }

    @Test
    @SuppressWarnings("try") // close() by hand is what is tested
    void closeInAReaderIsRefused() throws Exception {
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.HEALTHY)) {
            assertThrows(IllegalStateException.class, () -> http.exchange(get(server), LONG, response -> {
                http.close();
                return null;
            }));
            assertEquals("ok", http.exchange(get(server), LONG, SharedHttpClient.text(2)));
        }
    }

    /** Answers each connection with that text, and returns the head of the last request. */
    private static String exchange(String answer, CompletableFuture<String> body) throws Exception {
        try (var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress()); var http = http(1)) {
            var head = new CompletableFuture<String>();
            Thread.startVirtualThread(() -> {
                try (var connection = listener.accept()) {
                    var request = new StringBuilder();
                    while (!request.toString().endsWith("\r\n\r\n")) {
                        request.append((char) connection.getInputStream().read());
                    }
                    connection.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                    head.complete(request.toString());
                } catch (IOException e) {
                    head.completeExceptionally(e);
                }
            });
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + listener.getLocalPort() + "/"))
                    .build();
            body.complete(http.exchange(request, LONG, SharedHttpClient.text(100)));
            return head.get();
        }
    }

    @Test
    void whatStandsInTheContentTypeNeverFails() throws Exception {
        var texts = Map.of("ISO-8859-1", "é", "utf-8", "\uFFFD", "_x", "\uFFFD", "-", "\uFFFD", "no-such-charset",
                "\uFFFD", ".", "\uFFFD",
                "\"ISO-8859-1\"", "é", "iso-2022-cn-x:", "\uFFFD");
        for (var text : texts.entrySet()) {
            var body = new CompletableFuture<String>();
            exchange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Type: text/plain; charset=" + text.getKey()
                    + "\r\n\r\né", body);
            assertEquals(text.getValue(), body.get(), text.getKey());
        }
    }

    /** A server that takes HTTP/2 and goes silent would block every later exchange. */
    @Test
    void offersNoHttp2() throws Exception {
        String head = exchange("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", new CompletableFuture<>());
        assertTrue(!head.toLowerCase(Locale.ROOT).contains("upgrade") && !head.contains("HTTP2-Settings"), head);
    }

    @Test
    void followsNoRedirectIfToldSo() throws Exception {
        try (var server = new HostileServer(HostileServer.Fault.REDIRECTS_FOR_EVER);
             var http = new SharedHttpClient(1, LONG, Redirect.NEVER)) {
            int status = http.exchange(get(server), LONG, HttpResponse::statusCode);
            assertEquals(3, status / 100);
            assertEquals(1, server.requests.get());
        }
        assertThrows(NullPointerException.class, () -> new SharedHttpClient(1, LONG, null));
    }

    @Test
    void refusesWhatCannotWork() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> http(0));
        assertThrows(IllegalArgumentException.class, () -> SharedHttpClient.bytes(-1));
        assertThrows(IllegalArgumentException.class, () -> SharedHttpClient.text(-1));
        assertThrows(NullPointerException.class, () -> new SharedHttpClient(1, null));
        try (var server = new HostileServer(HostileServer.Fault.HEALTHY); var http = new SharedHttpClient(1, LONG)) {
            assertThrows(NullPointerException.class, () -> http.exchange(null, LONG, SharedHttpClient.text(2)));
            assertThrows(NullPointerException.class, () -> http.exchange(get(server), null, SharedHttpClient.text(2)));
            assertThrows(NullPointerException.class, () -> http.exchange(get(server), LONG, null));
            for (Duration none : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE))) {
                assertThrows(HttpTimeoutException.class, () -> http.exchange(get(server), none, response ->
                        fail("asked with no time left")));
            }
            assertEquals(0, server.requests.get());
            assertEquals("ok", http.exchange(get(server), LONG, SharedHttpClient.text(2)),
                    "also with an endless connect timeout");
        }
    }

    /** {@code HttpClient.send} alone leaves a few of these bodies open: about one of 500 interrupts. */
    @Test
    void anInterruptAsTheHeadersArriveLosesNoOpenBody() throws Exception {
        try (var http = http(1); var server = new HostileServer(HostileServer.Fault.STALLS_IN_BODY)) {
            for (int i = 0; i < 300 * Integer.getInteger("stress", 1); i++) { // every week five times as many
                int requests = server.requests.get();
                var caller = Thread.ofPlatform().start(() -> assertThrows(InterruptedException.class,
                        () -> http.exchange(get(server), LONG, SharedHttpClient.bytes(1_000))));
                while (server.requests.get() == requests) {
                    Thread.onSpinWait();
                }
                long moment = System.nanoTime() + i % 300 * 2_000L;
                while (System.nanoTime() < moment) {
                    Thread.onSpinWait();
                }
                caller.interrupt();
                caller.join();
            }
            server.awaitAllClosed();
        }
    }

    /** Exchanges that are cut off at a random moment: in the connect, the send, the headers, the body. */
    @Test
    void stress() throws Exception {
        int rounds = 2000;
        var cut = new AtomicInteger();
        var other = new ConcurrentLinkedQueue<Throwable>();
        try (var http = http(20); var stalling = new HostileServer(HostileServer.Fault.STALLS_IN_BODY);
             var healthy = new HostileServer(HostileServer.Fault.HEALTHY)) {
            http.exchange(get(healthy), LONG, SharedHttpClient.bytes(2));
            try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < rounds; i++) {
                    int id = i;
                    callers.submit(() -> {
                        try {
                            http.exchange(get(id % 2 == 0 ? stalling : healthy),
                                    Duration.ofNanos(new Random(id).nextInt(20_000_000)),
                                            SharedHttpClient.bytes(1_000_000));
                        } catch (HttpTimeoutException e) {
                            cut.incrementAndGet();
                        } catch (Throwable e) {
                            other.add(e);
                        }
                        return null;
                    });
                    if (i % 20 == 0) {
                        Thread.sleep(5);
                    }
                }
            }
            stalling.awaitAllClosed();
            assertEquals(List.of(), List.copyOf(other));
            assertTrue(cut.get() >= rounds / 2, () -> "only " + cut);
            for (int i = 0; i < 20; i++) { // all permits are back
                assertEquals(2, http.exchange(get(healthy), LONG, SharedHttpClient.bytes(2)).length);
            }
        }
        System.out.println("SharedHttpClient stress: " + rounds + " exchanges, " + cut
                + " cut off at a random moment, no connection left in use");
    }
}
