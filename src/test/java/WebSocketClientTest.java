import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class WebSocketClientTest {

    private static final Duration LONG = Duration.ofDays(1);
    private static final Duration SHORT = Duration.ofSeconds(5); // to be waited for

    private interface Script {
        void run(DataInputStream in, OutputStream out) throws Exception;
    }

    private final HttpClient client = HttpClient.newHttpClient();
    private volatile CompletableFuture<Boolean> gone; // the client of the last server
    private ServerSocket listener;

    @AfterEach
    void stop() throws IOException {
        client.shutdownNow();
        if (listener != null) {
            listener.close();
        }
    }

    /**
     * A server that shakes hands with one client and then does as {@code script} says, and reads until the client has
     * gone.
     */
    private URI server(Script script) throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        var listening = listener;
        var left = new CompletableFuture<Boolean>();
        gone = left;
        Thread.startVirtualThread(() -> {
            try (var connection = listening.accept()) {
                var in = new DataInputStream(connection.getInputStream());
                WebSocketClient.EchoServer.handshake(in, connection.getOutputStream());
                script.run(in, connection.getOutputStream());
                while (true) {
                    var frame = WebSocketClient.EchoServer.read(in);
                    if (frame.opcode() == 8) {
                        WebSocketClient.EchoServer.write(connection.getOutputStream(), true, 8, frame.payload());
                        left.complete(true);
                        return;
                    }
                }
            } catch (Exception e) {
                left.complete(true);
            }
        });
        return URI.create("ws://127.0.0.1:" + listener.getLocalPort());
    }

    private WebSocketClient connect(URI uri, int capacity, Duration timeout) throws IOException, InterruptedException {
        return WebSocketClient.connect(client, uri, capacity, 1000, timeout);
    }

    /** With a limit to be waited for: {@code SHORT}, or more if a busy machine does not connect in that time. */
    private WebSocketClient impatient(Script script) throws IOException, InterruptedException {
        for (Duration limit = SHORT; ; limit = limit.multipliedBy(2)) {
            try {
                return connect(server(script), 3, limit);
            } catch (IOException e) {
                listener.close();
            }
        }
    }

    private static void text(OutputStream out, boolean last, int opcode, String text) throws IOException {
        WebSocketClient.EchoServer.write(out, last, opcode, text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void fragmentsAreOneMessageAndPingsInBetweenAreAnswered() throws Exception {
        var pong = new CompletableFuture<String>();
        var uri = server((in, out) -> {
            text(out, false, 1, "on");
            text(out, true, 9, "are you there");
            pong.complete(new String(WebSocketClient.EchoServer.read(in).payload(), StandardCharsets.UTF_8));
            text(out, false, 0, "e mess");
            text(out, true, 0, "age");
            text(out, true, 2, "bytes");
        });
        try (var socket = connect(uri, 1, LONG)) {
            assertEquals(new WebSocketClient.Text("one message"), socket.receive().orElseThrow());
            assertEquals("are you there", pong.get());
            assertArrayEquals("bytes".getBytes(),
                    assertInstanceOf(WebSocketClient.Binary.class, socket.receive().orElseThrow()).bytes());
        }
        gone.get();
    }

    @Test
    void aMessageOverTheLimitEndsTheConnection() throws Exception {
        var uri = server((in, out) -> {
            text(out, true, 1, "x".repeat(1000));
            text(out, false, 1, "x");
            while (true) {
                text(out, false, 0, "x".repeat(400));
            }
        });
        try (var socket = connect(uri, 5, LONG)) {
            assertEquals(1000, ((WebSocketClient.Text) socket.receive().orElseThrow()).text().length());
            assertTrue(assertThrows(IOException.class,
                    socket::receive).getMessage().endsWith("a message of more than 1000"));
            assertThrows(IOException.class, socket::receive, "each further call too");
        }
        gone.get();
    }

    @Test
    void aPeerThatResetsIsAFailureAndOneThatClosesIsNot() throws Exception {
        var uri = server((in, out) -> {
            throw new IOException("leaves without saying so");
        });
        try (var socket = connect(uri, 5, LONG)) {
            assertThrows(IOException.class, socket::receive);
        }
        listener.close();
        var polite = server((in, out) -> {
            text(out, true, 1, "last");
            WebSocketClient.EchoServer.write(out, true, 8, new byte[] {3, (byte) 0xE8});
        });
        try (var socket = connect(polite, 5, LONG)) {
            assertTrue(socket.receive().isPresent());
            assertTrue(socket.receive().isEmpty() && socket.receive().isEmpty());
        }
        listener.close();
        // 1011
        var angry =
                server((in, out) -> WebSocketClient.EchoServer.write(out, true, 8, new byte[] {3, (byte) 0xF3, 'n',
                        'o'}));
        try (var socket = connect(angry, 5, LONG)) {
            assertTrue(assertThrows(IOException.class, socket::receive).getMessage().contains("1011 no"));
        }
    }

    @Test
    void aServerThatIsNoWebSocketAndOneThatNeverAnswers() throws Exception {
        try (var server = new HostileServer(HostileServer.Fault.HEALTHY)) {
            assertThrows(WebSocketHandshakeException.class,
                    () -> connect(URI.create(server.uri().toString().replace("http", "ws")), 5, LONG));
        }
        try (var server = new HostileServer(HostileServer.Fault.SILENT)) {
            assertThrows(IOException.class,
                    () -> connect(URI.create(server.uri().toString().replace("http", "ws")), 5,
                            Duration.ofMillis(200)));
        }
    }

    @Test
    void aReceiverThatStopsMakesThePeerWait() throws Exception {
        var sent = new AtomicInteger();
        try (var socket = impatient((in, out) -> {
            while (true) {
                text(out, true, 1, "x".repeat(1000));
                sent.incrementAndGet();
            }
        })) {
            socket.receive();
            int before = -1;
            while (before != sent.get()) { // until the buffers between are full
                before = sent.get();
                Thread.sleep(200);
            }
            assertThrows(IOException.class, socket::ping, "no pong comes while messages wait");
        } // nor does a goodbye: cut
        gone.get();
    }

    @Test
    void receiveWithATimeLimitKeepsTheConnection() throws Exception {
        var go = new CountDownLatch(1);
        var uri = server((in, out) -> {
            go.await();
            text(out, true, 1, "late");
        });
        try (var socket = connect(uri, 3, LONG)) {
            assertThrows(TimeoutException.class, () -> socket.receive(Duration.ofMillis(50)));
            go.countDown();
            assertEquals(new WebSocketClient.Text("late"), socket.receive(LONG).orElseThrow());
        }
    }

    @Test
    void aPeerThatDoesNotReadOrSayGoodbyeIsCut() throws Exception {
        var socket = impatient((in, out) -> gone.get());
        assertThrows(IOException.class, () -> {
            while (true) {
                socket.send(new byte[100_000]);
            }
        });
        socket.close();
        gone.complete(true);
    }

    @Test
    void onePongIsEnoughForPingsAtOnce() throws Exception {
        var uri = server((in, out) -> {
            WebSocketClient.EchoServer.read(in);
            WebSocketClient.EchoServer.read(in);
            WebSocketClient.EchoServer.write(out, true, 10, new byte[0]); // a peer may answer the last ping only
        });
        try (var socket = connect(uri, 3, LONG); var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Void> ping = () -> {
                socket.ping();
                return null;
            };
            for (var answer : threads.invokeAll(List.of(ping, ping))) {
                answer.get();
            }
        }
    }

    @Test
    void interruptsEndReceiveAndSend() throws Exception {
        var uri = server((in, out) -> { });
        try (var socket = connect(uri, 3, LONG)) {
            var thrown = new AtomicReference<Throwable>();
            var receiver = Thread.ofVirtual().start(() -> {
                try {
                    socket.receive();
                } catch (Exception e) {
                    thrown.set(e);
                }
            });
            while (receiver.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
            receiver.interrupt();
            receiver.join();
            assertInstanceOf(InterruptedException.class, thrown.get());
            socket.send("still open");
        }
        gone.get();
    }

    /** Many senders, many receivers, over the echo of the example: each message comes back once. */
    @Test
    void stress() throws Exception {
        int messages = 10_000;
        Set<String> seen = ConcurrentHashMap.newKeySet();
        try (var server = new WebSocketClient.EchoServer(); var socket = WebSocketClient.connect(client, server.uri(),
                50, 1000, LONG);
             var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var received = new AtomicInteger();
            for (int t = 0; t < 4; t++) {
                int id = t;
                threads.submit(() -> {
                    for (int i = 0; i < messages / 4; i++) {
                        socket.send(id + "." + i);
                    }
                    return null;
                });
                threads.submit(() -> {
                    while (received.incrementAndGet() <= messages) {
                        assertTrue(seen.add(((WebSocketClient.Text) socket.receive().orElseThrow()).text()));
                    }
                    return null;
                });
            }
            threads.shutdown();
            threads.awaitTermination(500, TimeUnit.SECONDS);
        }
        assertEquals(messages, seen.size());
        System.out.println("WebSocketClient stress: " + messages
                + " messages by 4 senders and 4 receivers, each back once");
    }

    @Test
    void refusesWhatCannotWorkAndTheConnectionStays() throws Exception {
        var uri = URI.create("ws://127.0.0.1:1/");
        assertThrows(NullPointerException.class, () -> WebSocketClient.connect(null, uri, 1, 1, LONG));
        assertThrows(NullPointerException.class, () -> WebSocketClient.connect(client, null, 1, 1, LONG));
        assertThrows(NullPointerException.class, () -> WebSocketClient.connect(client, uri, 1, 1, null));
        assertThrows(IllegalArgumentException.class, () -> WebSocketClient.connect(client, uri, 0, 1, LONG));
        assertThrows(IllegalArgumentException.class, () -> WebSocketClient.connect(client, uri, 1, 0, LONG));
        assertThrows(IllegalArgumentException.class, () -> WebSocketClient.connect(client, uri, 1, 1, Duration.ZERO));
        try (var server = new WebSocketClient.EchoServer();
             var socket = WebSocketClient.connect(client, server.uri(), 1, 1000, Duration.ofSeconds(Long.MAX_VALUE))) {
            assertThrows(NullPointerException.class, () -> socket.send((String) null));
            assertThrows(NullPointerException.class, () -> socket.send((byte[]) null));
            socket.send("still there");
            assertEquals(new WebSocketClient.Text("still there"), socket.receive().orElseThrow());
        }
    }
}
