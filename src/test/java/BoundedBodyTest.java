import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class BoundedBodyTest {

    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);
    private static final Duration BRIEF = Duration.ofMillis(100);

    private static final class Subscription implements Flow.Subscription {
        private final AtomicInteger cancelled = new AtomicInteger();

        @Override
        public void request(long n) {
            assertEquals(Long.MAX_VALUE, n);
        }

        @Override
        public void cancel() {
            cancelled.incrementAndGet();
        }
    }

    private static BoundedBody.Limits limits(long bytes, Duration total, Duration silence) {
        return new BoundedBody.Limits(bytes, total, silence);
    }

    private static BodySubscriber<byte[]> subscriber(BoundedBody.Limits limits, Subscription subscription) {
        var subscriber = BoundedBody.bytes(limits).apply(null);
        subscriber.onSubscribe(subscription);
        return subscriber;
    }

    private static Throwable failure(BodySubscriber<?> subscriber) {
        return assertThrows(ExecutionException.class,
                () -> subscriber.getBody().toCompletableFuture().get()).getCause();
    }

    @Test
    void asManyBytesAsTheLimitAreRight() throws Exception {
        for (int parts = 0; parts <= 3; parts++) {
            var subscription = new Subscription();
            var subscriber = subscriber(limits(2 * parts, FOR_EVER, FOR_EVER), subscription);
            for (int i = 0; i < parts; i++) {
                subscriber.onNext(List.of(ByteBuffer.wrap(new byte[] {1}), ByteBuffer.wrap(new byte[] {2})));
            }
            subscriber.onComplete();
            assertEquals(2 * parts, subscriber.getBody().toCompletableFuture().get().length);
            assertEquals(0, subscription.cancelled.get());
        }
    }

    @Test
    void oneMoreEndsTheExchange() {
        var subscription = new Subscription();
        var subscriber = subscriber(limits(3, FOR_EVER, FOR_EVER), subscription);
        subscriber.onNext(List.of(ByteBuffer.allocate(2), ByteBuffer.allocate(2), ByteBuffer.allocate(1_000)));
        subscriber.onNext(List.of(ByteBuffer.allocate(1)));
        subscriber.onComplete();
        assertInstanceOf(BoundedBody.TooLargeException.class, failure(subscriber));
        assertEquals(1, subscription.cancelled.get());
    }

    @Test
    void silenceEndsTheExchangeAndSoDoesTheTotalAlthoughBytesCome() throws Exception {
        var subscription = new Subscription();
        var silent = subscriber(limits(1_000, FOR_EVER, BRIEF), subscription);
        assertEquals("nothing moved for PT0.1S",
                assertInstanceOf(HttpTimeoutException.class, failure(silent)).getMessage());
        assertEquals(1, subscription.cancelled.get());
        var trickling = subscriber(limits(1_000_000, BRIEF, FOR_EVER), subscription);
        while (!trickling.getBody().toCompletableFuture().isDone()) {
            trickling.onNext(List.of(ByteBuffer.allocate(1)));
            Thread.sleep(1);
        }
        assertEquals("body not complete within PT0.1S",
                assertInstanceOf(HttpTimeoutException.class, failure(trickling)).getMessage());
        assertEquals(2, subscription.cancelled.get());
    }

    @Test
    void bytesThatComeKeepSilenceAway() throws Exception {
        var subscription = new Subscription();
        var subscriber = subscriber(limits(1_000_000, FOR_EVER, Duration.ofMinutes(5)), subscription);
        for (int i = 0; i < 10; i++) {
            subscriber.onNext(List.of(ByteBuffer.allocate(1)));
            Thread.sleep(1);
        }
        subscriber.onComplete();
        assertEquals(10, subscriber.getBody().toCompletableFuture().get().length);
    }

    @Test
    void whoHearsOfTheTimeoutMayBlockAndOthersStillTimeOut() {
        var first = BoundedBody.bytes(limits(1, BRIEF, BRIEF)).apply(null);
        var blocking = new CountDownLatch(1);
        first.getBody().whenComplete((bytes, failure) -> {
            blocking.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                throw new CompletionException(e);
            }
        });
        first.onSubscribe(new Subscription()); // only now the time runs: it is not this thread that blocks
        assertThrows(ExecutionException.class, () -> {
            blocking.await();
            subscriber(limits(1, BRIEF, BRIEF), new Subscription()).getBody().toCompletableFuture().get();
        });
    }

    /**
     * Answers each connection with the text, then as {@code more} says; completes {@code gone} when the client has
     * closed.
     */
    private record Server(ServerSocket listener, CompletableFuture<Integer> gone) implements AutoCloseable {
        static Server start(String text, int more) throws IOException {
            var server = new Server(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()),
                    new CompletableFuture<>());
            Thread.startVirtualThread(() -> {
                try (var connection = server.listener.accept()) {
                    connection.getInputStream().read(new byte[10_000]);
                    connection.getOutputStream().write(text.getBytes());
                    for (int i = 0; i < more; i++) {
                        connection.getOutputStream().write(new byte[10_000]);
                    }
                    server.gone.complete(connection.getInputStream().read());
                } catch (IOException e) {
                    server.gone.complete(-1);
                }
            });
            return server;
        }

        HttpRequest request() {
            return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + listener.getLocalPort() + "/")).build();
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    @Test
    void theConnectionIsClosedOverALimit() throws Exception {
        var limits = limits(100_000, FOR_EVER, FOR_EVER);
        var quick = limits(100_000, FOR_EVER, BRIEF);
        for (boolean endless : new boolean[] {true, false}) {
            for (boolean async : new boolean[] {true, false}) {
                String head = "HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n";
                try (var server = Server.start(head, endless ? 100_000 : 1); var client = HttpClient.newHttpClient()) {
                    Throwable failure = async
                            ? assertThrows(ExecutionException.class,
                                    () -> client.sendAsync(server.request(),
                                            BoundedBody.bytes(endless ? limits : quick)).get()).getCause()
                            : assertThrows(IOException.class,
                                    () -> client.send(server.request(), BoundedBody.bytes(endless ? limits : quick)));
                    String message = endless ? "body of more than 100000 bytes" : "nothing moved for PT0.1S";
                    assertTrue(String.valueOf(failure.getMessage()).contains(message), failure::toString);
                    assertEquals(-1, server.gone.get());
                }
            }
        }
    }

    @Test
    void aWholeAnswer() throws Exception {
        try (var server = Server.start("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0);
             var client = HttpClient.newHttpClient()) {
            assertArrayEquals("hello".getBytes(),
                    client.send(server.request(), BoundedBody.bytes(limits(5, FOR_EVER, FOR_EVER))).body());
        }
    }

    @Test
    void readingCountsWhateverWayItIsRead() throws Exception {
        byte[] ten = "0123456789".getBytes();
        var exact = limits(10, FOR_EVER, FOR_EVER);
        assertArrayEquals(ten, BoundedBody.reading(new ByteArrayInputStream(ten), exact).readAllBytes());
        var less = limits(9, FOR_EVER, FOR_EVER);
        assertThrows(BoundedBody.TooLargeException.class,
                () -> BoundedBody.reading(new ByteArrayInputStream(ten), less).readAllBytes());
        assertThrows(BoundedBody.TooLargeException.class,
                () -> BoundedBody.reading(new ByteArrayInputStream(ten), less).skipNBytes(10));
        assertThrows(BoundedBody.TooLargeException.class,
                () -> BoundedBody.reading(new ByteArrayInputStream(ten),
                        less).transferTo(OutputStream.nullOutputStream()));
        var byByte = BoundedBody.reading(new ByteArrayInputStream(new byte[] {-1, 2}), limits(1, FOR_EVER, FOR_EVER));
        assertEquals(255, byByte.read());
        assertThrows(BoundedBody.TooLargeException.class, byByte::read);
        assertFalse(byByte.markSupported());
    }

    private static InputStream hanging(CountDownLatch reading) {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                reading.countDown();
                try {
                    new CountDownLatch(1).await();
                    return -1;
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException("by interrupt");
                }
            }
        };
    }

    @Test
    void aReadThatHangsIsInterruptedAndLeavesNoFlag() {
        for (var limits : List.of(limits(10, BRIEF, FOR_EVER), limits(10, FOR_EVER, BRIEF))) {
            var reading = new CountDownLatch(1);
            SocketTimeoutException late;
            do { // on a busy machine the limit may be over before the read has begun
                late = assertThrows(SocketTimeoutException.class,
                        () -> BoundedBody.reading(hanging(reading), limits).read());
                assertFalse(Thread.currentThread().isInterrupted());
            } while (reading.getCount() > 0);
            assertEquals("by interrupt", late.getCause().getMessage());
        }
    }

    @Test
    void afterTheTotalNothingIsRead() throws Exception {
        var body = BoundedBody.reading(new ByteArrayInputStream(new byte[10]),
                limits(10, Duration.ofNanos(1), FOR_EVER));
        Thread.sleep(1);
        assertThrows(SocketTimeoutException.class, body::read);
    }

    @Test
    void anInterruptFromOutsideIsAsWithoutLimits() throws Exception {
        var reading = new CountDownLatch(1);
        var seen = new CompletableFuture<String>();
        var reader = Thread.ofVirtual().start(() -> {
            try {
                BoundedBody.reading(hanging(reading), limits(10, FOR_EVER, FOR_EVER)).read();
            } catch (IOException e) {
                seen.complete(e.getMessage() + " " + Thread.currentThread().isInterrupted());
            }
        });
        reading.await();
        reader.interrupt();
        assertEquals("by interrupt true", seen.get());
    }

    @Test
    void writingIsBoundedInBytesAndTime() throws Exception {
        var out = new ByteArrayOutputStream();
        var bounded = BoundedBody.writing(out, limits(40_000, FOR_EVER, FOR_EVER));
        bounded.write(new byte[39_999]);
        bounded.write(7);
        bounded.flush();
        assertThrows(BoundedBody.TooLargeException.class, () -> bounded.write(8));
        assertEquals(40_000, out.size());
        var hanging = hanging(new CountDownLatch(1));
        var stuck = BoundedBody.writing(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                hanging.read();
            }
        }, limits(10, FOR_EVER, BRIEF));
        assertThrows(SocketTimeoutException.class, () -> stuck.write(new byte[2]));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    /** A socket whose client neither sends nor reads, in a virtual thread: the thread is free again. */
    @Test
    void aSocketOfAVirtualThread() throws Exception {
        try (var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
             var client = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
            for (boolean reads : new boolean[] {true, false}) {
                var ended = new CompletableFuture<Throwable>();
                Thread.startVirtualThread(() -> {
                    try (var connection = reads ? listener.accept()
                            : new Socket(listener.getInetAddress(), listener.getLocalPort())) {
                        if (reads) {
                            BoundedBody.reading(connection.getInputStream(), limits(10, FOR_EVER, BRIEF)).read();
                        } else {
                            var out = BoundedBody.writing(connection.getOutputStream(),
                                    limits(Long.MAX_VALUE, FOR_EVER, BRIEF));
                            while (true) {
                                out.write(new byte[100_000]);
                            }
                        }
                    } catch (IOException e) {
                        ended.complete(e);
                    }
                });
                assertInstanceOf(SocketTimeoutException.class, ended.get());
            }
            assertTrue(client.isConnected());
        }
    }

    @Test
    void refusesWhatCannotWork() {
        assertEquals("total", assertThrows(NullPointerException.class, () -> limits(1, null, BRIEF)).getMessage());
        assertEquals("silence", assertThrows(NullPointerException.class, () -> limits(1, BRIEF, null)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> limits(-1, BRIEF, BRIEF));
        assertThrows(IllegalArgumentException.class, () -> limits(1, Duration.ZERO, BRIEF));
        assertThrows(IllegalArgumentException.class, () -> limits(1, BRIEF, Duration.ofSeconds(Long.MIN_VALUE)));
        assertEquals("limits", assertThrows(NullPointerException.class, () -> BoundedBody.bytes(null)).getMessage());
        assertEquals("in",
                assertThrows(NullPointerException.class,
                        () -> BoundedBody.reading(null, limits(1, BRIEF, BRIEF))).getMessage());
    }
}
