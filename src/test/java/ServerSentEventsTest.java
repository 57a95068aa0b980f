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
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class ServerSentEventsTest {

    private static final Duration LONG = Duration.ofDays(1);
    private final HttpClient client = HttpClient.newHttpClient();
    private final ExecutorService handlers = Executors.newCachedThreadPool();
    private final List<String> lastIds = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch release = new CountDownLatch(1);
    private volatile String contentType = "text/event-stream;charset=utf-8";
    private HttpServer server;

    @AfterEach
    void stop() {
        release.countDown();
        client.shutdownNow();
        server.stop(0);
        handlers.shutdownNow();
    }

    private interface Script {
        String answer(String lastId) throws InterruptedException;
    }

    /** The answers to one connection after the other. */
    private ServerSentEvents events(Duration idle, String... answers) throws IOException {
        return events(idle, lastId -> lastIds.size() > answers.length ? null : answers[lastIds.size() - 1]);
    }

    /** An answer of null: 204; three digits: that status; "..." at its end: stays open. */
    private ServerSentEvents events(Duration idle, Script script) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
        server.createContext("/", exchange -> {
            try (exchange) {
                String lastId = String.valueOf(exchange.getRequestHeaders().getFirst("Last-Event-ID"));
                lastIds.add(lastId);
                String answer = script.answer(lastId);
                if (answer == null || answer.matches("\\d{3}")) {
                    exchange.sendResponseHeaders(answer == null ? 204 : Integer.parseInt(answer), -1);
                    return;
                }
                exchange.getResponseHeaders().set("Content-Type", contentType);
                exchange.sendResponseHeaders(200, 0);
                boolean open = answer.endsWith("...");
                exchange.getResponseBody().write(answer.replace("...", "").getBytes(StandardCharsets.UTF_8));
                exchange.getResponseBody().flush();
                if (open) {
                    release.await();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort())).build();
        return new ServerSentEvents(client, request, idle, 1000);
    }

    private static List<ServerSentEvents.Event> all(ServerSentEvents events) throws IOException, InterruptedException {
        var seen = new ArrayList<ServerSentEvents.Event>();
        for (var event = events.next(); event.isPresent(); event = events.next()) {
            seen.add(event.get());
        }
        return seen;
    }

    private static ServerSentEvents.Event event(String type, String data, String id) {
        return new ServerSentEvents.Event(type, data, id);
    }

    @Test
    void parsesTheFormat() throws Exception {
        var events = events(LONG,
                "\uFEFFretry: 1\n: comment\n\ndata: one\ndata:two\ndata\n\nevent: e\rdata:  ü\r\r"
                        + "data: x\r\nid: 7\r\nunknown: y\r\n\r\n"
                + "event: without data\n\ndata: default type again\n\nid\ndata: no id\n\ndata: not ended");
        assertEquals(List.of(event("message", "one\ntwo\n", ""), event("e", " ü", ""), event("message", "x", "7"),
                event("message", "default type again", "7"), event("message", "no id", "")), all(events));
    }

    @Test
    void connectsAgainWithTheLastId() throws Exception {
        var events = events(LONG, "retry: 1\n\nid: 1\ndata: a\n\n", "500", "id: 2\ndata: b\n\nid: 3\ndata: cut off",
                "429", "data: c\n\n");
        assertEquals(List.of("a", "b", "c"), all(events).stream().map(ServerSentEvents.Event::data).toList());
        assertEquals(List.of("null", "1", "1", "2", "2", "2"), lastIds, "an event that was not complete was not seen");
    }

    @Test
    void silenceIsAReasonToConnectAgain() throws Exception {
        var events = events(Duration.ofMillis(1500), lastId -> switch (lastId) { // an answer may be late, too
            case "null" -> "retry: 1\nid: 1\ndata: a\n\n...";
            case "1" -> "id: 2\ndata: b\n\n";
            default -> null;
        });
        assertEquals(List.of("a", "b"), all(events).stream().map(ServerSentEvents.Event::data).toList());
    }

    @Test
    void anAnswerThatIsNotEventsIsAFailure() throws Exception {
        var events = events(LONG, "404");
        assertTrue(assertThrows(ServerSentEvents.NoEventsException.class,
                events::next).getMessage().contains("answered 404"));
    }

    @Test
    void anEventOverTheLimitIsAFailure() throws Exception {
        assertThrows(ServerSentEvents.NoEventsException.class, events(LONG, "data: " + "x".repeat(1001))::next);
        server.stop(0);
        lastIds.clear();
        assertThrows(ServerSentEvents.NoEventsException.class,
                events(LONG, ("data: " + "x".repeat(400) + "\n").repeat(3))::next);
    }

    @Test
    void interruptAndCloseEndTheWait() throws Exception {
        for (boolean interrupt : List.of(true, false)) {
            lastIds.clear();
            var events = events(LONG, "data: a\n\n...");
            var first = new CountDownLatch(1);
            var end = new AtomicReference<Object>();
            var reader = Thread.ofVirtual().start(() -> {
                try {
                    events.next();
                    first.countDown();
                    end.set(events.next());
                } catch (IOException | InterruptedException e) {
                    end.set(e);
                }
            });
            first.await();
            if (interrupt) {
                reader.interrupt();
                reader.join();
                assertInstanceOf(InterruptedException.class, end.get());
                server.stop(0);
            } else {
                while (reader.getState() != Thread.State.WAITING) {
                    Thread.sleep(1);
                }
                events.close();
                reader.join();
                assertEquals(Optional.empty(), end.get());
            }
        }
    }

    @Test
    void closeWhileItConnectsEndsTheWait() throws Exception {
        var asked = new CountDownLatch(1);
        var closed = new CountDownLatch(1);
        var events = events(Duration.ofDays(1), lastId -> {
            asked.countDown();
            closed.await();
            return ": nothing yet\n\n...";
        });
        var end = new AtomicReference<Object>();
        var reader = Thread.ofVirtual().start(() -> {
            try {
                end.set(events.next());
            } catch (IOException | InterruptedException e) {
                end.set(e);
            }
        });
        asked.await();
        events.close();
        closed.countDown();
        reader.join();
        assertEquals(Optional.empty(), end.get());
    }

    @Test
    void aRetryOfZeroDoesNotSpin() throws Exception {
        var connected = Collections.synchronizedList(new ArrayList<Long>());
        try (var events = events(LONG, lastId -> {
            connected.add(System.nanoTime());
            return connected.size() == 1 ? "retry: 0\n\n" : connected.size() < 5 ? "503" : null;
        })) {
            assertEquals(Optional.empty(), events.next());
        }
        for (int i = 1; i < 5; i++) {
            long millis = (connected.get(i) - connected.get(i - 1)) / 1_000_000;
            assertTrue(millis >= 100 << i - 1, "pause " + i + ": " + millis + " ms");
        }
    }

    @Test
    void closeEndsThePauseBetweenTwoConnections() throws Exception {
        var events = events(LONG, "retry: 59000\n\n", "503", "503");
        var reader = Thread.ofVirtual().start(() -> {
            try {
                events.next();
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        while (lastIds.isEmpty() || reader.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
        events.close();
        reader.join();
    }

    @Test
    void whatIsSentComesAsItWas() throws Exception {
        var texts = List.of("", "\n", "a\n", "\na", "a\nb", " lead", "colon: x");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
        server.createContext("/", exchange -> {
            try (exchange) {
                var sender = new ServerSentEvents.Sender(exchange, Duration.ofSeconds(Long.MAX_VALUE));
                for (String text : texts) {
                    sender.send(new ServerSentEvents.Event("message", text, "1"));
                    sender.heartbeat();
                }
            }
        });
        server.start();
        var request = HttpRequest
                .newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/")).build();
        try (var events = new ServerSentEvents(client, request, Duration.ofSeconds(Long.MAX_VALUE), 1000)) {
            for (String text : texts) {
                assertEquals(text, events.next().orElseThrow().data());
            }
        }
    }

    @Test
    void refusesWhatCannotWork() throws Exception {
        events(LONG); // a server, for the clean-up
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1/")).build();
        assertThrows(NullPointerException.class, () -> new ServerSentEvents(null, request, LONG, 1));
        assertThrows(NullPointerException.class, () -> new ServerSentEvents(client, null, LONG, 1));
        assertThrows(NullPointerException.class, () -> new ServerSentEvents(client, request, null, 1));
        assertThrows(IllegalArgumentException.class, () -> new ServerSentEvents(client, request, Duration.ZERO, 1));
        assertThrows(IllegalArgumentException.class, () -> new ServerSentEvents(client, request, LONG, 0));
        assertThrows(NullPointerException.class, () -> new ServerSentEvents.Event(null, "", ""));
        assertThrows(NullPointerException.class, () -> new ServerSentEvents.Event("", null, ""));
        assertThrows(NullPointerException.class, () -> new ServerSentEvents.Event("", "", null));
    }

    @Test
    void anIdThatNoHeaderCanHoldIsNotSent() throws Exception {
        contentType = "Text/Event-Stream";
        var events = events(LONG, "retry: 1\nid: \u6771\ndata: a\n\n", "id: 2\u0001\ndata: b\n\n",
                "id: caf\u00e9\ndata: c\n\n", "id: 4\ndata: d\n\n");
        assertEquals(List.of("\u6771", "2\u0001", "caf\u00e9", "4"),
                all(events).stream().map(ServerSentEvents.Event::id).toList());
        assertEquals(List.of("null", "null", "null", "null", "4"), lastIds);
    }

    @Test
    void closeEndsTheWatcher() throws Exception {
        var events = events(LONG, "data: a\n\n...");
        assertEquals("a", events.next().orElseThrow().data());
        var watcher = ServerSentEvents.class.getDeclaredField("watcher");
        watcher.setAccessible(true);
        var thread = (Thread) watcher.get(events);
        events.close();
        thread.join();
    }
}
