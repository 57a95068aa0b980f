package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The parts around the server, and how they go together. */
@Timeout(600)
class MainTest {

    private static final Duration LONG = Duration.ofMinutes(10);
    private static final Queue<String> LINES = new ConcurrentLinkedQueue<>();

    @BeforeAll
    static void readTheLog() {
        Log.to(lines -> {
            byte[] bytes = new byte[lines.remaining()];
            lines.get(bytes);
            LINES.addAll(new String(bytes, StandardCharsets.UTF_8).lines().toList());
        });
    }

    @AfterAll
    static void logAsBefore() {
        Log.to(LineLog.standardOutput());
    }

    private static void clear() {
        flush();
        LINES.clear();
    }

    private static void flush() {
        assertTrue(Log.flush(LONG));
    }

    private static Main start(Main.Application application, String... namesAndValues) throws Exception {
        var environment = new HashMap<>(Map.of("PORT", "0", "ACCESS_LOG", "0", "DRAIN_DELAY", "0s",
                "REQUEST_TIMEOUT", "10m", "HANDLER_TIMEOUT", "10m", "STOP_GRACE", "10m", "OUTGOING_WAIT", "10m",
                "OUTGOING_TIMEOUT", "30m")); // of which connecting has a third
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return Main.start(new Settings(environment), application);
    }

    private static Wire.Answer get(Main service, String path) throws IOException {
        try (var wire = new Wire(service.port())) {
            return wire.get(path).answer();
        }
    }

    // ---- settings

    @Test
    void settingsHaveDefaultsAndLimits() {
        var settings = new Settings(Map.of("A", "5", "B", " 7 ", "C", "", "D", "2m", "E", "https://example.org/x"));
        assertEquals(5, settings.number("A", 1, 0, 5));
        assertEquals(7, settings.number("B", 1, 0, 10));
        assertEquals(1, settings.number("C", 1, 0, 10));
        assertEquals(Duration.ofMinutes(2), settings.duration("D", "1s", 0, 120_000));
        assertEquals(Duration.ofMillis(250), settings.duration("NONE", "250ms", 0, 120_000));
        assertEquals(URI.create("https://example.org/x"), settings.uri("E"));
        assertEquals(URI.create("http://localhost/"), settings.uri("NONE", "http://localhost/"));
        assertEquals(List.of(), settings.problems());
    }

    @Test
    void settingsHaveNoUpperBoundButThatOfTheirType() throws Exception {
        var settings = new Settings(Map.of("A", "1000000", "B", "2147483647", "C", "999999999999999m", "D", "0",
                "E", "2147483648", "F", "9ms"));
        assertEquals(1_000_000, settings.number("A", 5, 1));
        assertEquals(Integer.MAX_VALUE, settings.number("B", 5, 1));
        assertEquals(Duration.ofMinutes(999_999_999_999_999L), settings.duration("C", "1s", 1));
        settings.number("D", 5, 1);
        settings.number("E", 5, 1);
        settings.duration("F", "1s", 10);
        assertEquals(List.of("D=0 is not a number from 1 to 2147483647", "E=2147483648 is not a number from 1 to"
                + " 2147483647", "F=9ms is not a duration such as 500ms, 10s or 5m, from 10ms"), settings.problems());
        String much = "999999999999999m";
        String most = "2147483647";
        try (var service = start(s -> s.router.route("GET", "/x", r -> Response.empty(204)), "REQUEST_TIMEOUT", much,
                "HANDLER_TIMEOUT", much, "STOP_GRACE", much, "OUTGOING_WAIT", much, "OUTGOING_TIMEOUT", much,
                "MAX_BODY", most, "MAX_IN_FLIGHT", most, "MAX_CONNECTIONS", most, "OUTGOING_LIMIT", most,
                "OUTGOING_MAX_BODY", most, "BACKGROUND_LIMIT", most, "DRAIN_DELAY", "0s")) {
            assertEquals(204, get(service, "/x").status());
        }
    }

    @Test
    void everyProblemIsALineWithoutASecret() {
        var settings = new Settings(Map.of("A", "6", "B", "x", "C", "99999999999999999999", "D", "1h", "E",
                "ftp://user:pass@x/", "F", "http:",
                "G", "hunter2-secret", "H", "1\n2"));
        for (String name : List.of("A", "B", "C", "G", "H")) {
            settings.number(name, 1, 0, 5);
        }
        settings.duration("D", "1s", 0, 1000);
        settings.uri("E");
        settings.uri("F");
        settings.uri("MISSING");
        settings.text("MISSING_TOO");
        assertEquals(List.of("A=6 is not a number from 0 to 5", "B=x is not a number from 0 to 5",
                "C=99999999999999999999 is not a number from 0 to 5", "G is not a number from 0 to 5",
                        "H is not a number from 0 to 5",
                "D=1h is not a duration such as 500ms, 10s or 5m, from 0ms to 1000ms", "E is not an http or https URL",
                "F is not an http or https URL", "MISSING is not set", "MISSING_TOO is not set"), settings.problems());
        assertThrows(IllegalArgumentException.class, () -> start(s -> { }, "PORT", "x"));
    }

    // ---- start and stop

    @Test
    void whatWasOpenedIsClosedWhenTheStartFails() {
        var log = new ArrayList<String>();
        var e = assertThrows(IOException.class, () -> start(s -> {
            s.closeAtStop(() -> log.add("first"));
            s.closeAtStop(() -> {
                log.add("second");
                throw new IOException("does not close");
            });
            throw new IOException("third does not open");
        }));
        assertEquals("third does not open", e.getMessage());
        assertEquals(List.of("second", "first"), log);
    }

    @Test
    void aTakenPortIsNamed() throws Exception {
        try (var service = start(s -> { })) {
            String port = String.valueOf(service.port());
            var e = assertThrows(BindException.class, () -> start(s -> { }, "PORT", port));
            assertTrue(e.getMessage().startsWith("127.0.0.1:" + port + ": "), e.getMessage());
        }
    }

    @Test
    void theStepsOfAStopAreInTheLog() throws Exception {
        var service = start(s -> { });
        clear();
        assertTrue(service.stop());
        assertTrue(service.stop(), "again");
        flush(); // the stop waits for the log a second at most
        var events = LINES.stream().map(line -> (String) ((Map<?, ?>) Json.parse(line)).get("event")).toList();
        assertEquals(List.of("stopping", "stop: not ready any more", "stop: the load balancer notices",
                "stop: the listener closes, requests are answered", "stop: tasks end", "stop: calls to others end",
                "stop: resources close", "stopped"), events);
    }

    @Test
    void aStepThatFailsDoesNotKeepTheOthersFromTheirs() {
        var log = new ArrayList<String>();
        var stop = new Stop();
        stop.step("a", () -> {
            throw new StackOverflowError("on purpose");
        });
        stop.step("b", () -> {
            throw new InterruptedException();
        });
        stop.step("c", () -> log.add("c"));
        assertFalse(stop.run());
        assertEquals(List.of("c"), log);
        assertTrue(Thread.interrupted(), "kept");
    }

    @Test
    void whileItStartsOnlyProbesAreAnswered() throws Exception {
        var statuses = new ArrayList<Integer>();
        try (var service = start(s -> {
            s.router.route("GET", "/x", request -> Response.text(200, ""));
            for (String path : List.of("/x", "/livez", "/startupz", "/readyz", "/metrics")) {
                statuses.add(get(s, path).status());
            }
        })) {
            assertEquals(List.of(503, 200, 503, 503, 200), statuses);
            assertEquals(200, get(service, "/x").status());
            assertEquals("{}", get(service, "/readyz").body());
        }
    }

    // ---- requests

    @Test
    void aValidRequestIdIsTakenOverAndGoesAlong() throws Exception {
        try (var other = start(s -> s.router.route("GET", "/id", r -> Response.text(200, r.id())));
                var service = start(s -> {
                    s.router.route("GET", "/relay", r -> Response.bytes(200, "text/plain",
                            s.outgoing.call(request(other, "/id"), r.memory()).body()));
                    s.router.route("GET", "/large", r -> Response.bytes(200, "text/plain",
                            s.outgoing.call(request(other, "/metrics"), r.memory()).body()));
                }, "OUTGOING_MAX_BODY", "100"); var wire = new Wire(service.port())) {
            var ids = Map.of("abc-1.2_X", true, "a b", false, "a\"b", false, "x".repeat(64), true, "x".repeat(65),
                    false, "\u00e9", false);
            for (var id : ids.entrySet()) {
                var answer = wire.send("GET /relay HTTP/1.1\r\nHost: x\r\nX-Request-Id: " + id.getKey() + "\r\n\r\n")
                        .answer();
                assertEquals(id.getValue(), answer.body().equals(id.getKey()), id.getKey());
                assertEquals(answer.field("X-Request-Id"), answer.body());
                assertTrue(answer.body().matches("[\\w.-]{1,64}"), answer::body);
            }
            assertEquals(502, wire.get("/large").answer().status());
        }
    }

    private static HttpRequest.Builder request(Main service, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + service.port() + path));
    }

    @Test
    void fieldsOfABodyAreOfTheirType() throws Exception {
        try (var service = start(s -> s.router.route("POST", "/orders", r -> JsonBody.response(200,
                List.of(JsonBody.field(r, "item", String.class), JsonBody.field(r, "count", Long.class),
                        JsonBody.field(r, "price", Double.class)))));
                var wire = new Wire(service.port())) {
            assertEquals("[\"tea\",3,1.5]", wire.post("/orders", "application/merge-patch+json; charset=utf-8",
                    "{\"item\":\"tea\",\"count\":3,\"price\":1.5}").answer().body());
            for (String wrong : List.of("{\"item\":3,\"count\":3,\"price\":1}",
                    "{\"item\":\"\",\"count\":3.0,\"price\":1}", "[]", "{", "",
                    "{\"item\":\"\",\"count\":3,\"price\":1e999}",
                            "{\"item\":\"\",\"count\":9223372036854775808,\"price\":1}", "\"\u00ff\"")) {
                assertEquals(400, wire.post("/orders", "application/json", wrong).answer().status(), wrong);
            }
            assertEquals(415, wire.post("/orders", "text/plain", "{}").answer().status());
        }
    }

    @Test
    void accessLogHasClientAndAllPaths() throws Exception {
        clear();
        try (var service = start(s -> { }, "ACCESS_LOG", "1"); var wire = new Wire(service.port())) {
            wire.send("GET /none/%0A HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.7\r\n\r\n").answer();
            wire.send("GET nonsense HTTP/1.1\r\nHost: x\r\n\r\n").answer();
        }
        flush();
        var request = LINES.stream().map(line -> (Map<?, ?>) Json.parse(line))
                .filter(line -> "request".equals(line.get("event"))).toList();
        assertEquals(1, request.size(), LINES::toString);
        assertEquals("/none/%0A", request.get(0).get("path"));
        assertEquals(404L, request.get(0).get("status"));
        assertEquals("127.0.0.1", request.get(0).get("client"));
        assertEquals("10.0.0.7", request.get(0).get("forwarded_for"));
        assertTrue(LINES.stream().anyMatch(line -> line.contains("\"event\":\"refused\",\"status\":400")),
                LINES::toString);
    }

    @Test
    void linesAreBoundedAndNeverThrow() {
        clear();
        Log.request("id-1");
        Log.info("x".repeat(100_000), "k".repeat(100_000), "\u20ac".repeat(1_000_000), "list", List.of(1), "odd");
        Log.info("e", "value", new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("on purpose");
            }
        });
        Log.error("deep", deep(1_000, new IllegalStateException("\u20ac".repeat(100_000))));
        Log.request(null);
        flush();
        assertEquals(3, LINES.size());
        for (String line : LINES) {
            assertTrue(line.length() <= 16 << 10, line);
            Json.parse(line);
        }
    }

    private static Throwable deep(int depth, Throwable cause) {
        return depth == 0 ? cause : deep(depth - 1, new RuntimeException("m".repeat(1_000), cause));
    }

    // ---- tasks and probes

    @Test
    void periodicTasksSurviveAndNeverOverlap() throws Exception {
        var runs = new AtomicInteger();
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        var enough = new CountDownLatch(8);
        try (var service = start(s -> s.tasks.every("job", Duration.ofMillis(1), () -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            try {
                enough.countDown();
                switch (runs.incrementAndGet()) {
                    case 2 -> throw new IllegalStateException("on purpose");
                    case 3 -> throw new StackOverflowError("on purpose");
                    case 4 -> Thread.currentThread().interrupt();
                    default -> { }
                }
            } finally {
                inside.decrementAndGet();
            }
        }))) {
            enough.await();
            assertTrue(service.stop());
        }
        int atStop = runs.get();
        Thread.sleep(20);
        assertEquals(atStop, runs.get(), "no run after stop");
        assertEquals(1, most.get());
    }

    @Test
    void backgroundWorkIsFinishedOrInterruptedAndAwaited() throws Exception {
        assertEquals(List.of("finished", "resource closed"), stopDuring("10m", log -> {
            Thread.sleep(50);
            log.add("finished");
        }));
        assertEquals(List.of("interrupted", "resource closed"), stopDuring("300ms", log -> {
            try {
                Thread.sleep(Duration.ofDays(1));
            } finally {
                log.add("interrupted");
            }
        }));
        var tasks = new Tasks(1);
        var begun = new CountDownLatch(1);
        var seen = new ConcurrentLinkedQueue<String>();
        tasks.background("a", () -> {
            assertThrows(IllegalStateException.class, () -> tasks.stop(Duration.ofSeconds(1)));
            begun.countDown();
            try {
                Thread.sleep(Duration.ofDays(1));
            } catch (InterruptedException e) {
                seen.add("interrupted");
            }
        });
        begun.await();
        assertThrows(RejectedExecutionException.class, () -> tasks.background("b", () -> { }));
        long begin = System.nanoTime();
        assertTrue(tasks.stop(Duration.ZERO) || System.nanoTime() - begin >= 2_000_000_000L,
                "waits for the interrupted, 2 s at most");
        assertTrue(tasks.stop(LONG));
        assertEquals(List.of("interrupted"), List.copyOf(seen));
        assertThrows(RejectedExecutionException.class, () -> tasks.background("c", () -> { }));
    }

    private interface Work {
        void run(Queue<String> log) throws Exception;
    }

    /** Again if the work needed more than the 2 s that a stop waits for what it has interrupted. */
    private static List<String> stopDuring(String grace, Work work) throws Exception {
        var log = new ConcurrentLinkedQueue<String>();
        var begun = new CountDownLatch(1);
        var service = start(s -> {
            s.closeAtStop(() -> log.add("resource closed"));
            s.tasks.background("work", () -> {
                begun.countDown();
                work.run(log);
            });
        }, "STOP_GRACE", grace);
        begun.await();
        return service.stop() ? List.copyOf(log) : stopDuring(grace, work);
    }

    @Test
    void readinessChecksRunAtOnceAndOneThatHangsIsNotStartedAgain() throws Exception {
        var together = new CyclicBarrier(2);
        var hanging = new AtomicInteger();
        var release = new CountDownLatch(1);
        try (var service = start(s -> {
            s.health.readiness("a", LONG, together::await);
            s.health.readiness("b", LONG, together::await);
        })) {
            assertEquals("{}", get(service, "/readyz").body());
            service.health.readiness("hangs", Duration.ofMillis(50), () -> {
                hanging.incrementAndGet();
                release.await();
            });
            for (int i = 0; i < 5; i++) {
                var report = get(service, "/readyz");
                assertEquals(503, report.status());
                assertEquals("{\"hangs\":\"no answer within 50 ms\"}", report.body());
            }
            while (hanging.get() == 0) { // told that it hangs, it may not even have begun
                Thread.sleep(1);
            }
            assertEquals(1, hanging.get());
            assertEquals(200, get(service, "/livez").status());
            release.countDown();
            while (get(service, "/readyz").status() != 200) {
                Thread.sleep(5);
            }
            service.health.readiness("hangs", LONG, () -> { }); // instead: 50 ms may be too short for any check
            service.health.readiness("fails", LONG, () -> {
                throw new IllegalStateException("jdbc:postgresql://user:secret@db");
            });
            assertEquals("{\"fails\":\"failed, see the log\"}", get(service, "/readyz").body());
            while (LINES.stream().noneMatch(line -> line.contains("not ready: fails"))) {
                Thread.sleep(1); // it comes after the answer, and must not come into the next test
            }
        }
        assertFalse(together.isBroken());
    }

    @Test
    void metricsAreCumulativeAndBounded() throws Exception {
        try (var service = start(s -> s.router.route("GET", "/hello/{name}", r -> Response.text(200,
                "x"))); var wire = new Wire(service.port())) {
            for (int i = 0; i < 20; i++) {
                wire.get("/hello/" + i).answer();
                wire.get("/nothing/" + i).answer();
                wire.send("M" + i + " /hello/x HTTP/1.1\r\nHost: x\r\n\r\n").answer();
            }
            var lines = wire.get("/metrics").answer().body().lines().toList();
            assertTrue(lines.contains("http_requests_total{route=\"/hello/{name}\",method=\"GET\",status=\"200\"} 20"),
                    lines::toString);
            assertTrue(lines.contains("http_requests_total{route=\"unmatched\",method=\"other\",status=\"405\"} 20"),
                    lines::toString);
            assertTrue(lines.contains("http_requests_total{route=\"unmatched\",method=\"other\",status=\"404\"} 20"),
                    lines::toString);
            assertTrue(lines.contains("http_request_duration_seconds_bucket{route=\"/hello/{name}\",le=\"+Inf\"} 20"),
                    lines::toString);
            long before = 0;
            for (String line : lines) {
                if (line.startsWith("http_request_duration_seconds_bucket{route=\"/hello/{name}\"")) {
                    long count = Long.parseLong(line.substring(line.lastIndexOf(' ') + 1));
                    assertTrue(count >= before, line);
                    before = count;
                } else {
                    String pattern = "# TYPE \\w+ (counter|gauge|histogram)|\\w+(\\{[^}]*(}[^}]*)?})? [-\\d.E]+";
                    assertTrue(line.matches(pattern), line);
                }
            }
        }
    }

    @Test
    void memoryIsBoundedWhoeverTakesIt() throws Exception {
        var memory = new Memory(1_000);
        var refused = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 8; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                for (int j = 0; j < 20_000; j++) {
                    try (var lease = memory.lease()) {
                        lease.take(100 + j % 200);
                        lease.atLeast(250);
                        lease.give(50);
                        if (memory.used() > 1_000 || memory.used() < 0) {
                            throw new AssertionError("used " + memory.used());
                        }
                    } catch (Memory.FullException e) {
                        refused.incrementAndGet();
                    }
                }
            }));
        }
        for (var thread : threads) {
            thread.join();
        }
        assertEquals(0, memory.used());
        var lease = memory.lease();
        assertTrue(assertThrows(Memory.FullException.class, () -> lease.take(1_001)).never);
        assertTrue(assertThrows(Memory.FullException.class, () -> lease.take(Long.MAX_VALUE)).never);
        lease.take(600);
        assertFalse(assertThrows(Memory.FullException.class, () -> memory.lease().take(600)).never);
        assertThrows(IllegalArgumentException.class, () -> lease.take(-1));
        lease.close();
        lease.close();
        lease.give(5);
        assertEquals(0, memory.used());
        assertThrows(IllegalStateException.class, () -> lease.take(1));
        assertThrows(IllegalArgumentException.class, () -> new Memory(0));
    }

    @Test
    void theLineLogIsTheExample() {
        try {
            String example = Files.readString(Path.of("examples/production/LineLog.java"));
            String ours = Files.readString(Path.of("assets/service/src/main/java/service/LineLog.java"));
            String code = example.substring(example.indexOf("public final class"),
                    example.indexOf("    public static void main("))
                    .replaceAll("    // @(start|end) region=.*\n", "").strip();
            assertEquals(code + "\n}", ours.substring(ours.indexOf("public final class")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
