import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class TcpServerTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);
    private final LinkedBlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

    private TcpServer start(int limit, Duration idle, Duration grace, TcpServer.Handler handler) throws IOException {
        return TcpServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), limit, idle, grace,
                handler, failures::add);
    }

    private static Socket connect(TcpServer server) throws IOException {
        var socket = new Socket(server.address().getAddress(), server.address().getPort());
        // a read of a platform thread hears no interrupt, so the test's own limit would not end it
        socket.setSoTimeout(300_000);
        return socket;
    }

    @Test
    void servesNoMoreConnectionsThanAllowed() throws Exception {
        var running = new AtomicInteger();
        var peak = new AtomicInteger();
        var three = new CountDownLatch(3);
        var connected = new CountDownLatch(40);
        var go = new CountDownLatch(1);
        var answers = new AtomicInteger();
        try (var server = start(3, LONG, LONG, connection -> {
            peak.accumulateAndGet(running.incrementAndGet(), Math::max);
            three.countDown();
            go.await();
            running.decrementAndGet();
            connection.getOutputStream().write(1);
        }); var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 40; i++) {
                clients.submit(() -> {
                    try (var client = connect(server)) {
                        connected.countDown();
                        answers.addAndGet(client.getInputStream().read());
                    }
                    return null;
                });
            }
            connected.await();
            three.await();
            Thread.sleep(100); // time for a fourth, which must not come
            go.countDown();
        }
        assertEquals(3, peak.get());
        assertEquals(40, answers.get(), "the others were served in their turn");
        assertTrue(failures.isEmpty(), failures::toString);
    }

    @Test
    void aFailingHandlerIsReportedAndGivesItsPermitBack() throws Exception {
        try (var server = start(2, LONG, Duration.ZERO, connection -> {
            throw new IllegalStateException("broken");
        })) {
            for (int i = 0; i < 50; i++) {
                try (var client = connect(server)) {
                    assertInstanceOf(IllegalStateException.class, failures.take());
                    assertEquals(-1, client.getInputStream().read(), "and the connection is closed");
                }
            }
        }
    }

    @Test
    void anIdleReadIsCut() throws Exception {
        try (var server = start(1, Duration.ofMillis(1), LONG, connection -> connection.getInputStream().read());
             var client = connect(server)) {
            assertEquals(-1, client.getInputStream().read());
            assertInstanceOf(SocketTimeoutException.class, failures.take());
        }
    }

    @Test
    void closeLetsConnectionsEndWithinTheGrace() throws Exception {
        var reading = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var server = start(5, LONG, LONG, connection -> {
            reading.countDown();
            connection.getInputStream().read();
            ended.incrementAndGet();
        });
        try (var client = connect(server)) {
            reading.await();
            Thread closing = Thread.ofVirtual().start(server::close);
            while (closing.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
            assertEquals(0, ended.get());
            client.getOutputStream().write(1);
            closing.join();
            assertEquals(1, ended.get());
        }
        assertThrows(IOException.class, () -> connect(server), "nobody listens any more");
        assertTrue(failures.isEmpty(), failures::toString);
    }

    @Test
    void closeEndsBlockedReadsAndWritesAndWaitsForThem() throws Exception {
        var started = new CountDownLatch(2);
        var first = new AtomicBoolean(true);
        var ended = new AtomicInteger();
        var server = start(5, LONG, Duration.ofMillis(200), connection -> {
            try {
                started.countDown();
                if (first.getAndSet(false)) {
                    connection.getInputStream().read();
                }
                while (true) {
                    // nobody reads: blocks when the buffers are full
                    connection.getOutputStream().write(new byte[1 << 20]);
                }
            } finally {
                Thread.interrupted();
                Thread.sleep(50); // a slow cleanup
                ended.incrementAndGet();
            }
        });
        try (var one = connect(server); var two = connect(server)) {
            started.await();
            server.close();
            assertEquals(2, ended.get());
            assertTrue(one.isConnected() && two.isConnected());
        }
        assertTrue(failures.isEmpty(), "being closed is no failure: " + failures);
    }

    @Test
    void anInterruptEndsTheGraceOnce() throws Exception {
        var reading = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var server = start(5, LONG, LONG, connection -> {
            reading.countDown();
            try {
                Thread.sleep(Duration.ofDays(1));
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                try {
                    Thread.sleep(100);
                } catch (InterruptedException again) {
                    interrupts.incrementAndGet();
                }
            }
        });
        try (var client = connect(server)) {
            reading.await();
            var flag = new AtomicInteger();
            Thread closing = Thread.ofVirtual().start(() -> {
                server.close();
                flag.set(Thread.currentThread().isInterrupted() ? 1 : 0);
            });
            while (closing.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
            closing.interrupt();
            closing.join();
            assertEquals(1, interrupts.get(), "the cleanup of a handler is not interrupted again");
            assertEquals(1, flag.get(), "the caller's flag stays set");
            assertFalse(client.isClosed());
        }
    }

    @Test
    void readsLines() throws Exception {
        var in = new ByteArrayInputStream("one\r\n\ntwo\nrest".getBytes(StandardCharsets.UTF_8));
        assertEquals("one", TcpServer.readLine(in, 4));
        assertEquals("", TcpServer.readLine(in, 4));
        assertEquals("two", TcpServer.readLine(in, 3));
        assertThrows(EOFException.class, () -> TcpServer.readLine(in, 4));
        assertNull(TcpServer.readLine(in, 4));
        var tooLong = new ByteArrayInputStream("12345\n".getBytes(StandardCharsets.UTF_8));
        assertThrows(IOException.class, () -> TcpServer.readLine(tooLong, 4));
    }

    /** 200 clients, 500 lines each; one in ten leaves in mid-line, resets, or sends a line without end. */
    @Test
    void closeInAHandlerIsRefused() throws Exception {
        var self = new CompletableFuture<TcpServer>();
        try (var server = start(1, LONG, Duration.ZERO, connection -> self.join().close())) {
            self.complete(server);
            try (var client = connect(server)) {
                assertEquals(-1, client.getInputStream().read());
                assertInstanceOf(IllegalStateException.class, failures.take());
            }
        }
    }

    @Test
    void aSecondCloseAndAnInterruptDoNotInterruptAgain() throws Exception {
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        var server = start(1, LONG, LONG, connection -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                cleaning.countDown();
                try {
                    finish.await();
                } catch (InterruptedException e) {
                    hits.incrementAndGet();
                }
            }
        });
        try (var client = connect(server)) {
            begun.await();
            Thread one = Thread.startVirtualThread(() -> {
                server.close();
                hits.addAndGet(Thread.currentThread().isInterrupted() ? 0 : 100);
            });
            while (one.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
            one.interrupt(); // ends the grace
            cleaning.await();
            one.interrupt();
            Thread two = Thread.startVirtualThread(() -> {
                Thread.currentThread().interrupt();
                server.close();
            });
            while (two.getState() != Thread.State.WAITING || one.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
            finish.countDown();
            one.join();
            two.join();
            assertEquals(0, hits.get());
            assertFalse(client.isClosed());
        }
        assertTrue(failures.isEmpty(), failures::toString);
    }

    @Test
    void whatOnFailureThrowsCostsNothing() throws Exception {
        var told = new AtomicInteger();
        try (var server = TcpServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1, LONG,
                Duration.ZERO,
                connection -> {
                    throw new StackOverflowError();
                }, failure -> {
                    told.incrementAndGet();
                    throw new IllegalStateException();
                })) {
            for (int i = 0; i < 5; i++) {
                try (var client = connect(server)) {
                    assertEquals(-1, client.getInputStream().read());
                }
            }
        }
        assertEquals(5, told.get());
    }

    @Test
    void refusesNonsenseBeforeItListens() throws Exception {
        int port;
        try (var free = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        TcpServer.Handler handler = connection -> { };
        Consumer<Throwable> onFailure = failure -> { };
        assertThrows(IllegalArgumentException.class, () -> TcpServer.start(address, 0, LONG, LONG, handler, onFailure));
        assertThrows(NullPointerException.class, () -> TcpServer.start(null, 1, LONG, LONG, handler, onFailure));
        assertThrows(NullPointerException.class, () -> TcpServer.start(address, 1, null, LONG, handler, onFailure));
        assertThrows(NullPointerException.class, () -> TcpServer.start(address, 1, LONG, null, handler, onFailure));
        assertThrows(NullPointerException.class, () -> TcpServer.start(address, 1, LONG, LONG, null, onFailure));
        assertThrows(NullPointerException.class, () -> TcpServer.start(address, 1, LONG, LONG, handler, null));
        var past = Duration.ofSeconds(Long.MIN_VALUE);
        TcpServer.start(address, 1, past, past, handler, onFailure).close(); // the port is free
    }

    @Test
    void readsUntilASeparator() throws Exception {
        var in = new ByteArrayInputStream("aab|ab||ab|end".getBytes(StandardCharsets.UTF_8));
        byte[] separator = "ab|".getBytes(StandardCharsets.UTF_8);
        assertEquals("aab|", text(TcpServer.readUntil(in, separator, 1)));
        assertEquals("ab|", text(TcpServer.readUntil(in, separator, 0)));
        assertEquals("|ab|", text(TcpServer.readUntil(in, separator, Integer.MAX_VALUE)));
        assertThrows(EOFException.class, () -> TcpServer.readUntil(in, separator, 1_000));
        assertNull(TcpServer.readUntil(in, separator, 1_000));
        var random = new Random(3);
        byte[] large = new byte[100_000];
        random.nextBytes(large);
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) Math.max(1, large[i]);
        }
        byte[] message = Arrays.copyOf(large, large.length + 1); // ends with a zero
        byte[] zero = {0};
        assertArrayEquals(message, TcpServer.readUntil(new ByteArrayInputStream(message), zero, large.length));
        assertThrows(IOException.class,
                () -> TcpServer.readUntil(new ByteArrayInputStream(message), zero, large.length - 1));
        assertThrows(IllegalArgumentException.class, () -> TcpServer.readUntil(in, new byte[0], 1));
        assertThrows(IllegalArgumentException.class, () -> TcpServer.readUntil(in, zero, -1));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void stress() throws Exception {
        var served = new AtomicInteger();
        var begun = new AtomicInteger();
        var lines = new AtomicLong();
        var bad = new AtomicInteger();
        var wrong = new ConcurrentLinkedQueue<String>();
        var limit = 16;
        var server = start(limit, LONG, LONG, connection -> {
            begun.incrementAndGet();
            try {
                var in = new BufferedInputStream(connection.getInputStream());
                var out = new BufferedOutputStream(connection.getOutputStream());
                for (String line = TcpServer.readLine(in, 100); line != null; line = TcpServer.readLine(in, 100)) {
                    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                    if (in.available() == 0) {
                        out.flush();
                    }
                }
            } finally {
                served.incrementAndGet();
            }
        });
        int clients = 220;
        var atOnce = new Semaphore(40); // fewer than the backlog holds: a full one costs seconds of retries
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < clients; i++) {
                int id = i;
                atOnce.acquire();
                executor.submit(() -> {
                    try (var client = connect(server)) {
                        if (id % 11 == 0) {
                            bad.incrementAndGet();
                            misbehave(client, new Random(id).nextInt(3));
                            return null;
                        }
                        var in = new BufferedInputStream(client.getInputStream());
                        for (int batch = 0; batch < 20; batch++) {
                            var text = new StringBuilder();
                            for (int n = 0; n < 25; n++) {
                                text.append(id).append('.').append(batch).append('.').append(n).append('\n');
                            }
                            client.getOutputStream().write(text.toString().getBytes(StandardCharsets.UTF_8));
                            for (int n = 0; n < 25; n++) {
                                String line = TcpServer.readLine(in, 100);
                                if (!(id + "." + batch + "." + n).equals(line)) {
                                    wrong.add(id + "." + batch + "." + n + " became " + line);
                                }
                                lines.incrementAndGet();
                            }
                        }
                    } catch (IOException e) {
                        wrong.add(id + ": " + e);
                    } finally {
                        atOnce.release();
                    }
                    return null;
                });
            }
        }
        server.close();
        assertTrue(wrong.isEmpty(), wrong::toString);
        assertEquals(100_000, lines.get());
        assertEquals(served.get(), begun.get(), "every handler has ended");
        assertTrue(served.get() <= clients && served.get() >= clients - bad.get(), "one handler a client: " + served);
        assertTrue(failures.size() <= bad.get(), failures::toString);
        System.out.println("TcpServer stress: " + lines + " lines over " + clients + " connections, " + limit
                + " at once, "
                + failures.size() + " of " + bad + " bad clients reported");
    }

    private static void misbehave(Socket client, int how) throws IOException {
        if (how == 0) {
            client.getOutputStream().write("half a li".getBytes(StandardCharsets.UTF_8));
        } else if (how == 1) {
            client.setSoLinger(true, 0); // close() resets the connection
            client.getOutputStream().write("line\nand more".getBytes(StandardCharsets.UTF_8));
        } else {
            client.getOutputStream().write(new byte[500]);
        }
        client.shutdownOutput();
    }

    @Test
    void noHandlersFlagMeetsOnFailure() throws Exception {
        var flag = new CompletableFuture<Boolean>();
        var server = TcpServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1,
                Duration.ofDays(1), Duration.ZERO, connection -> {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException();
                }, e -> flag.complete(Thread.currentThread().isInterrupted()));
        try (server; var client = new Socket(server.address().getAddress(), server.address().getPort())) {
            assertFalse(flag.get());
            assertTrue(client.isConnected());
        }
    }
}
