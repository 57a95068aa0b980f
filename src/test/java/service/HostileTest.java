package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients, other services and routes that mean no good, or do not know better. */
@Timeout(600)
class HostileTest extends ServerFixture {

    private static Wire.Answer get(int port, String path) throws IOException {
        try (var wire = new Wire(port)) {
            return wire.get(path).answer();
        }
    }

    // ---- what is understood

    @Test
    void theAddressOfAProxyHasOneMeaning() throws Exception {
        router.route("GET", "/", request -> Response.text(200, "root " + request.query("q")));
        try (var service = start(); var wire = new Wire(service)) {
            for (String target : List.of("http://x?q=/hello", "http://x/?q=/hello", "/?q=/hello")) {
                assertEquals("root /hello", wire.get(target).answer().body(), target);
            }
            assertEquals("root null", wire.get("https://x").answer().body());
            assertEquals("hello", wire.get("http://x/hello").answer().body());
            assertEquals(400, wire.get("http:///hello").answer().status());
        }
    }

    @Test
    void whatAnOldClientExpectsIsIgnored() throws Exception {
        for (String expected : List.of("100-continue", "wonders")) {
            try (var service = start(); var wire = new Wire(service)) {
                wire.send("POST /length HTTP/1.0\r\nExpect: " + expected + "\r\nContent-Length: 3\r\n\r\nabc");
                var answer = wire.answer();
                assertEquals(200, answer.status(), "and no 100 before");
                assertEquals("3", answer.body());
            }
        }
    }

    @Test
    void nothingThatFollowsARefusalIsTakenForARequestInTheLaneEither() throws Exception {
        var ran = new AtomicInteger();
        router.route("GET", "/count", request -> Response.text(200, "" + ran.incrementAndGet()));
        try (var service = start(); var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var wire = new Wire(listener.getLocalPort())) {
            var accepted = listener.accept();
            Thread.ofPlatform().daemon().start(new Connection(service, accepted, false));
            assertEquals(400, wire.send("nonsense\r\n\r\n").answer().status());
            Thread.sleep(1_300); // the lane gives up its silent clients after a second
            try {
                wire.get("/count").rest();
            } catch (IOException e) {
                // closed before it came
            }
            wire.socket.close();
            while (!accepted.isClosed()) {
                Thread.sleep(2);
            }
            assertEquals(0, ran.get());
        }
    }

    // ---- what memory holds

    @Test
    void fieldsAreCountedHoweverShort() throws Exception {
        options.memory = new Memory(100_000);
        var entered = new AtomicInteger();
        var go = new CountDownLatch(1);
        router.route("GET", "/hold", request -> {
            entered.incrementAndGet();
            go.await();
            return Response.empty(204);
        });
        var request = new StringBuilder("GET /hold HTTP/1.1\r\nHost:x\r\n");
        for (int i = 0; i < 90; i++) {
            request.append((char) ('a' + i / 10)).append(i % 10).append(":\r\n");
        }
        var wires = new ArrayList<Wire>();
        try (var service = start()) {
            int refused = 0;
            for (int i = 0; i < 20; i++) {
                var wire = new Wire(service);
                wires.add(wire.send(request + "\r\n"));
                while (entered.get() + refused == i) {
                    if (wire.socket.getInputStream().available() > 0) {
                        assertEquals(503, wire.answer().status());
                        refused++;
                    }
                    Thread.sleep(2);
                }
            }
            assertTrue(refused > 10, () -> entered + " heads of 90 fields within 100 kB");
            assertEquals(200, get(service.port(), "/hello").status(), "a small one needs none");
            go.countDown();
            for (var wire : wires) {
                wire.close();
            }
            while (service.connections() > 0) {
                Thread.sleep(2);
            }
            assertEquals(0, options.memory.used());
        }
    }

    @Test
    void anIdleConnectionHoldsNoMemoryForItsLastHead() throws Exception {
        try (var service = start(); var wire = new Wire(service)) {
            wire.send("GET /hello HTTP/1.1\r\nHost: x\r\nA: " + "x".repeat(5_000) + "\r\n\r\n");
            assertEquals(200, wire.answer().status());
            while (options.memory.used() > 0) {
                Thread.sleep(2);
            }
            assertEquals(1, service.connections());
        }
    }

    @Test
    void whatIsNoLongerCountedIsNoLongerHeld() throws Exception {
        var kept = new AtomicReference<Request>();
        router.route("POST", "/keep", request -> {
            kept.set(request);
            return Response.text(200, "kept " + request.body().length);
        });
        try (var service = start(); var wire = new Wire(service)) {
            assertEquals("kept 1000", wire.post("/keep", "text/plain", "x".repeat(1_000)).answer().body());
            await("/keep 200");
            assertThrows(IllegalStateException.class, kept.get()::body, "it would be held, and not counted");
        }
    }

    @Test
    void answersAreCountedThatAreNotSmall() throws Exception {
        options.memory = new Memory(50_000);
        router.route("GET", "/answer", request -> Response.bytes(200, "text/plain", new byte[60_000]));
        router.route("GET", "/small", request -> Response.bytes(200, "text/plain", new byte[4_096]));
        router.route("GET", "/json/{length}", request -> JsonBody.response(request, 200,
                List.of("x".repeat(Integer.parseInt(request.path("length"))))));
        try (var service = start(); var wire = new Wire(service)) {
            assertEquals(500, wire.get("/answer").answer().status(), "never fits");
            assertEquals(200, wire.get("/small").answer().status());
            assertEquals(413, wire.get("/json/40000").answer().status(), "while it is written, it is there twice");
            assertEquals(20_004, wire.get("/json/20000").answer().body().length());
            assertEquals(104, wire.get("/json/100").answer().body().length());
            while (options.memory.used() > 0) {
                Thread.sleep(2);
            }
        }
    }

    @Test
    void jsonIsWrittenInPartsAndCounted() {
        var told = new AtomicLong();
        assertEquals("{}", new String(Json.bytes(Map.of(), told::addAndGet), StandardCharsets.US_ASCII));
        assertEquals(0, told.get());
        var large = new ArrayList<Object>();
        for (int length = 8_180; length < 8_200; length++) {
            large.add("\"\u00e9\ud83d\ude00\n".repeat(length));
            large.add(List.of(length, Map.of("x".repeat(length), true)));
        }
        byte[] bytes = Json.bytes(large, told::addAndGet);
        assertEquals(large.size(), ((List<?>) Json.parse(bytes)).size());
        assertEquals(large.get(0), ((List<?>) Json.parse(bytes)).get(0));
        assertEquals(Json.write(large), new String(bytes, StandardCharsets.US_ASCII));
        assertTrue(told.get() > 2L * (bytes.length - 60_000) && told.get() <= 2L * bytes.length, told::toString);
        assertThrows(IllegalStateException.class, () -> Json.bytes(large, more -> {
            throw new IllegalStateException("full");
        }));
    }

    @Test
    void anAnswerInTinyChunksIsCountedAsWhatItHolds() throws Exception {
        var memory = new Memory(20_000);
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var outgoing = new Outgoing(1, Duration.ZERO, Duration.ofSeconds(500), 10_000)) {
            Thread.ofPlatform().daemon().start(() -> {
                for (String body : List.of("3e8\r\n" + "x".repeat(1_000) + "\r\n", "1\r\nx\r\n".repeat(1_000))) {
                    try (var socket = listener.accept()) {
                        var in = socket.getInputStream();
                        for (int end = 0; end < 4; ) { // CR, LF, CR, LF
                            end = in.read() == (end % 2 == 0 ? '\r' : '\n') ? end + 1 : 0;
                        }
                        socket.getOutputStream().write(("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                + "Connection: close\r\n\r\n" + body + "0\r\n\r\n").getBytes());
                        while (in.read() >= 0) {
                            Thread.onSpinWait();
                        }
                    } catch (IOException e) {
                        // the client has what it wants
                    }
                }
            });
            var uri = URI.create("http://127.0.0.1:" + listener.getLocalPort() + "/");
            try (var lease = memory.lease()) {
                assertEquals(1_000, outgoing.call(HttpRequest.newBuilder(uri), lease).body().length);
                assertEquals(1_000, memory.used());
            }
            try (var lease = memory.lease()) {
                assertThrows(Memory.FullException.class, () -> outgoing.call(HttpRequest.newBuilder(uri), lease));
            }
            assertEquals(0, memory.used());
        }
    }

    // ---- too many

    @Test
    void probesAreAnsweredThoughSilentClientsHoldEveryConnection() throws Exception {
        options.maxConnections = 2;
        options.requestTimeout = Duration.ofHours(1);
        options.idleTimeout = Duration.ofHours(1);
        var silent = new ArrayList<Wire>();
        try (var service = start()) {
            for (int i = 1; i <= 2 + 64; i++) {
                silent.add(new Wire(service).send("GET /he"));
                while (service.connections() < i) {
                    Thread.sleep(2);
                }
            }
            for (int i = 0; i < 20; i++) {
                assertEquals("fine", get(service.port(), "/probe").body());
            }
            silent.get(0).send("llo HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("hello", silent.get(0).answer().body(), "within the limit nobody is dropped");
            for (var wire : silent) {
                wire.close();
            }
        }
    }

    // ---- routes

    @Test
    void anErrorFormThatLeavesItsInterruptFlagIsStillAnAnswer() throws Exception {
        router.errors((status, why, request) -> {
            Thread.currentThread().interrupt();
            return Response.text(status, "mine");
        });
        try (var service = start(); var wire = new Wire(service)) {
            assertEquals("mine", wire.get("/nothing").answer().body());
            assertEquals("hello", wire.get("/hello").answer().body());
            assertEquals("mine", wire.send("nonsense\r\n\r\n").answer().body());
        }
    }

    @Test
    void aHookMayAnswerWithAStream() throws Exception {
        router.beforeBody(request -> switch (request.path()) {
            case "/events" -> Response.events(sink -> sink.send(null, null, "early"));
            case "/broken" -> Response.stream(200, "text/plain", out -> {
                throw new IllegalStateException("broken");
            });
            default -> null;
        });
        try (var service = start(); var wire = new Wire(service); var cut = new Wire(service)) {
            assertEquals("data: early\n\n", wire.get("/events").answer().body());
            assertEquals("hello", wire.get("/hello").answer().body());
            cut.get("/broken");
            assertThrows(IOException.class, cut::answer);
            await("answer cut off");
            assertFalse(log.contains("connection failed"), log::toString);
        }
    }

    private static Main start(Main.Application application) throws Exception {
        return Main.start(new Settings(Map.of("PORT", "0", "DRAIN_DELAY", "0s", "ACCESS_LOG", "0", "STOP_GRACE", "60m",
                "REQUEST_TIMEOUT", "60m", "HANDLER_TIMEOUT", "60m")), application);
    }

    @Test
    void whatAStopWaitsForCannotStop() throws Exception {
        var thrown = new ConcurrentLinkedQueue<String>();
        var task = new CountDownLatch(1);
        try (var main = start(service -> {
            service.router.route("GET", "/stop", request -> {
                assertThrows(IllegalStateException.class, service::stop);
                return Response.text(200, "goes on");
            });
            service.tasks.background("task", () -> {
                try {
                    service.close();
                } catch (IllegalStateException e) {
                    thrown.add("task");
                }
                task.countDown();
            });
            service.closeAtStop(() -> {
                try {
                    service.close();
                } catch (IllegalStateException e) {
                    thrown.add("resource");
                }
            });
        })) {
            task.await();
            assertEquals("goes on", get(main.port(), "/stop").body());
            assertEquals(200, get(main.port(), "/readyz").status(), "nothing has been stopped");
            assertTrue(main.stop());
            assertTrue(main.stop(), "a second call, by the same thread, after the end");
            assertEquals(List.of("task", "resource"), List.copyOf(thrown));
        }
    }

    @Test
    void aValueThatFailsDoesNotHideTheOthers() {
        var metrics = new Metrics();
        metrics.value("a", () -> 1);
        metrics.value("b", () -> {
            throw new StackOverflowError();
        });
        metrics.value("c", () -> 3);
        assertEquals(List.of("a 1", "b NaN", "c 3"), metrics.text().lines()
                .filter(line -> line.matches("[abc] .*")).toList());
    }

    @Test
    void aLimitFarInThePastHasPassed() throws Exception {
        var past = Duration.ofSeconds(Long.MIN_VALUE);
        var tasks = new Tasks(1);
        var interrupted = new CountDownLatch(1);
        tasks.background("waits", () -> {
            try {
                new CountDownLatch(1).await();
            } finally {
                interrupted.countDown();
            }
        });
        tasks.stop(past);
        interrupted.await();
        var health = new Health();
        health.readiness("hangs", past, () -> new CountDownLatch(1).await());
        health.started();
        assertEquals(1, health.failures().size());
        Log.flush(past);
    }
}
