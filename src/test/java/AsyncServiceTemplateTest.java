import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The template within this JVM; as a process of its own: {@code harness.ServiceIT}. */
@Timeout(60)
class AsyncServiceTemplateTest {

    private static final PrintStream OUT = System.out;

    @BeforeAll
    static void withoutTheLog() {
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    }

    @AfterAll
    static void withOutput() {
        AsyncServiceTemplate.Log.flush();
        System.setOut(OUT);
    }

    private static AsyncServiceTemplate.Config config(String... namesAndValues) {
        var environment = new HashMap<>(Map.of("PORT", "0", "PINNED_EVENTS", "0", "ACCESS_LOG", "0", "OUTGOING_TIMEOUT", "60s"));
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        var settings = new AsyncServiceTemplate.Settings(environment);
        var config = AsyncServiceTemplate.Config.read(settings);
        assertEquals(List.of(), settings.problems());
        return config;
    }

    private static HttpRequest.Builder request(AsyncServiceTemplate service, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + service.port() + path)).timeout(Duration.ofSeconds(30));
    }

    private static HttpResponse<String> get(HttpClient client, AsyncServiceTemplate service, String path) throws Exception {
        return client.send(request(service, path).build(), BodyHandlers.ofString());
    }

    private static HttpResponse<String> post(HttpClient client, AsyncServiceTemplate service, String type, String body) throws Exception {
        return client.send(request(service, "/orders").header("Content-Type", type).POST(BodyPublishers.ofString(body)).build(),
                BodyHandlers.ofString());
    }

    // ---- settings

    @Test
    void settingsHaveDefaultsAndLimits() {
        var settings = new AsyncServiceTemplate.Settings(Map.of("A", "5", "B", " 7 ", "C", "", "D", "2m", "E", "https://example.org/x"));
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
    void everyProblemIsReportedInOneLineEach() {
        var settings = new AsyncServiceTemplate.Settings(Map.of("A", "6", "B", "x", "C", "99999999999999999999", "D", "1h",
                "E", "ftp://x/", "F", "http:", "G", "1\n2"));
        for (String name : List.of("A", "B", "C", "G")) {
            settings.number(name, 1, 0, 5);
        }
        settings.duration("D", "1s", 0, 1000);
        settings.uri("E");
        settings.uri("F");
        settings.uri("MISSING");
        settings.text("MISSING_TOO");
        assertEquals(List.of("A=6 is not a number from 0 to 5", "B=x is not a number from 0 to 5",
                "C=99999999999999999999 is not a number from 0 to 5", "G=1?2 is not a number from 0 to 5",
                "D=1h is not a duration such as 500ms, 10s or 5m, from 0ms to 1000ms", "E=ftp://x/ is not an http or https URL",
                "F=http: is not an http or https URL", "MISSING is not set", "MISSING_TOO is not set"), settings.problems());
    }

    // ---- JSON

    @Test
    void jsonIsParsed() {
        assertEquals(Map.of("a", List.of(1L, -2.5e3, true), "b", Map.of(), "c", "x\n\u00e9\"/\ud83d\ude00"),
                AsyncServiceTemplate.Json.parse(" {\"a\" : [1, -2.5E3,true ] ,\"b\":{}, \"c\":\"x\\n\\u00E9\\\"\\/\\ud83d\\ude00\"}\n"));
        assertEquals(Arrays.asList(null, 0L, Long.MAX_VALUE / 10), AsyncServiceTemplate.Json.parse("[null,0," + Long.MAX_VALUE / 10 + "]"));
    }

    @Test
    void whatIsNotJsonIsRefusedWithThePlace() {
        for (String wrong : List.of("", " ", "{", "}", "[1,]", "[,1]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{\"a\":1 \"b\":2}",
                "01", "1.", ".5", "+1", "1e", "0x1", "NaN", "Infinity", "1e999", "tru", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "'a'",
                "[1] 2", "1 1", "{\"a\":1,\"a\":2}", "//", "[".repeat(100_000), "\u00a01", "\ufeff1")) {
            var e = assertThrows(IllegalArgumentException.class, () -> AsyncServiceTemplate.Json.parse(wrong), wrong);
            assertTrue(e.getMessage().matches("expected .* at \\d+"), e.getMessage());
        }
    }

    @Test
    void whatIsWrittenIsReadBack() {
        var everyCharacter = new StringBuilder();
        for (char c = 0; c < 0xFFFF; c++) {
            everyCharacter.append(c);
        }
        String text = AsyncServiceTemplate.Json.write(List.of(everyCharacter, "", Map.of("k\"", -1L), 0.5, true));
        assertTrue(text.chars().noneMatch(c -> c < ' ' || c > '~'), "nothing that ends a line");
        assertEquals(List.of(everyCharacter.toString(), "", Map.of("k\"", -1L), 0.5, true), AsyncServiceTemplate.Json.parse(text));
        assertEquals("[\"NaN\",null]", AsyncServiceTemplate.Json.write(Arrays.asList(Double.NaN, null)));
    }

    // ---- requests

    @Test
    void errorsAreAnswers() throws Exception {
        try (var client = HttpClient.newHttpClient(); var service = AsyncServiceTemplate.start(config(), s -> {
            s.route("POST", "/orders", r -> AsyncServiceTemplate.Response.json(201, r.field("item", String.class)));
            s.route("GET", "/orders/{id}", r -> AsyncServiceTemplate.Response.text(200, r.path("id") + "|" + r.query("q") + "|" + r.query("none")));
            s.route("GET", "/bad-header", r -> AsyncServiceTemplate.Response.text(200, "x").with("X-Two", "a\r\nb"));
            s.route("GET", "/no-body", r -> new AsyncServiceTemplate.Response(200, "text/plain", null));
            s.route("GET", "/conflict", r -> {
                throw new AsyncServiceTemplate.HttpError(409, "there is one");
            });
        })) {
            assertEquals(201, post(client, service, "application/json; charset=utf-8", "{\"item\":\"tea\"}").statusCode());
            assertEquals(201, post(client, service, "application/merge-patch+json", "{\"item\":\"tea\"}").statusCode());
            assertEquals(400, post(client, service, "application/json", "{\"item\":3}").statusCode());
            assertEquals(400, post(client, service, "application/json", "[]").statusCode());
            assertEquals(400, post(client, service, "application/json", "{").statusCode());
            assertEquals(400, post(client, service, "application/json", "").statusCode());
            assertEquals(415, post(client, service, "text/plain", "{}").statusCode());
            var bytes = client.send(request(service, "/orders").header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofByteArray(new byte[] {'"', (byte) 0xff, '"'})).build(), BodyHandlers.ofString());
            assertEquals(400, bytes.statusCode());
            assertTrue(bytes.body().contains("not UTF-8"), bytes::body);

            assertEquals("a/b+c|x y&z|null", get(client, service, "/orders/a%2Fb+c?p=1&q=x+y%26z").body());
            assertEquals(404, get(client, service, "/orders/").statusCode());
            assertEquals(404, get(client, service, "/orders/1/2").statusCode());
            assertEquals(404, get(client, service, "/").statusCode());
            var wrongMethod = get(client, service, "/orders");
            assertEquals(405, wrongMethod.statusCode());
            assertEquals("POST", wrongMethod.headers().firstValue("Allow").orElse(""));
            var conflict = get(client, service, "/conflict");
            assertEquals(409, conflict.statusCode());
            assertTrue(conflict.body().contains("\"error\":\"there is one\""), conflict::body);
            assertEquals(500, get(client, service, "/bad-header").statusCode());
            assertEquals(500, get(client, service, "/no-body").statusCode());
            var head = client.send(request(service, "/orders/17").method("HEAD", BodyPublishers.noBody()).build(), BodyHandlers.ofString());
            assertEquals(200, head.statusCode());
        }
    }

    @Test
    void aValidRequestIdIsTakenOver() throws Exception {
        try (var client = HttpClient.newHttpClient(); var service = AsyncServiceTemplate.start(config(), s -> { })) {
            var ids = Map.of("abc-1.2_X", true, "a b", false, "a\"b", false, "x".repeat(64), true, "x".repeat(65), false, "\u00e9", false);
            for (var id : ids.entrySet()) {
                var answer = client.send(request(service, "/livez").header("X-Request-Id", id.getKey()).build(), BodyHandlers.ofString());
                String given = answer.headers().firstValue("X-Request-Id").orElse("");
                assertEquals(id.getValue(), given.equals(id.getKey()), id.getKey());
                assertTrue(given.matches("[\\w.-]{1,64}"), given);
            }
        }
    }

    @Test
    void theRequestIdGoesAlongToOtherServices() throws Exception {
        try (var client = HttpClient.newHttpClient();
                var other = AsyncServiceTemplate.start(config(), s -> s.route("GET", "/id", r -> AsyncServiceTemplate.Response.text(200, r.id())));
                var service = AsyncServiceTemplate.start(config("OUTGOING_MAX_BODY", "100"), s -> {
                    s.route("GET", "/relay", r -> AsyncServiceTemplate.Response.text(200, new String(s.call(request(other, "/id")).body())));
                    s.route("GET", "/large", r -> AsyncServiceTemplate.Response.text(200, new String(s.call(request(other, "/metrics")).body())));
                })) {
            assertEquals("abc", client.send(request(service, "/relay").header("X-Request-Id", "abc").build(), BodyHandlers.ofString()).body());
            assertEquals(502, get(client, service, "/large").statusCode());
        }
    }

    /** Which requests are refused, which are interrupted and which finish is a matter of chance; that each is answered and nothing is left is not. */
    @Test
    @Timeout(300)
    void stress() throws Exception {
        int clients = 60;
        int each = 60;
        var statuses = new ConcurrentLinkedQueue<Integer>();
        try (var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
                var threads = Executors.newVirtualThreadPerTaskExecutor();
                var service = AsyncServiceTemplate.start(config("MAX_IN_FLIGHT", "40", "HANDLER_TIMEOUT", "20ms", "BACKGROUND_LIMIT", "5"), s -> {
                    var calls = new AtomicInteger();
                    s.route("GET", "/any", r -> switch (calls.incrementAndGet() % 7) {
                        case 0 -> throw new IOException("on purpose");
                        case 1 -> throw new AssertionError("on purpose");
                        case 2 -> {
                            Thread.sleep(60_000);
                            yield null;
                        }
                        case 3 -> {
                            Thread.sleep(19); // about the timeout
                            Thread.currentThread().interrupt();
                            yield AsyncServiceTemplate.Response.text(200, "late");
                        }
                        case 4 -> {
                            s.background("x", () -> Thread.sleep(5));
                            yield AsyncServiceTemplate.Response.text(202, "");
                        }
                        default -> AsyncServiceTemplate.Response.text(200, "fine");
                    });
                })) {
            for (int i = 0; i < clients; i++) {
                threads.submit(() -> {
                    for (int j = 0; j < each; j++) {
                        statuses.add(get(client, service, "/any").statusCode());
                    }
                    return null;
                });
            }
            threads.shutdown();
            assertTrue(threads.awaitTermination(280, TimeUnit.SECONDS));
            assertEquals(clients * each, statuses.size());
            assertTrue(List.of(200, 202, 500, 503, 504).containsAll(statuses), statuses::toString);
            assertTrue(statuses.containsAll(List.of(200, 500, 504)), "each kind was seen");
            var atRest = List.of("background_tasks 0\n", "http_requests_in_flight 0\n",
                    "http_request_duration_seconds_count{route=\"/any\"} " + clients * each + "\n");
            String metrics; // a request is counted after its client has got the answer
            do {
                metrics = get(client, service, "/metrics").body();
            } while (!atRest.stream().allMatch(metrics::contains));
            for (int i = 0; i < 40; i++) { // no permit leaked, no flag left in a thread of the pool
                assertTrue(List.of(200, 202, 500, 504).contains(get(client, service, "/any").statusCode()));
            }
        }
        OUT.println("AsyncServiceTemplate: " + clients * each + " requests");
    }

    // ---- tasks, probes, stop

    @Test
    void periodicTasksSurviveAndNeverOverlap() throws Exception {
        var runs = new AtomicInteger();
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        var enough = new CountDownLatch(8);
        try (var service = AsyncServiceTemplate.start(config(), s -> s.every("job", Duration.ofMillis(1), () -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            try {
                enough.countDown();
                switch (runs.incrementAndGet()) {
                    case 2 -> throw new IllegalStateException("on purpose");
                    case 3 -> throw new StackOverflowError("on purpose");
                    case 4 -> Thread.currentThread().interrupt(); // left behind
                    case 5 -> throw new InterruptedException("on purpose");
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
    void backgroundWorkIsFinishedAndAwaited() throws Exception {
        assertEquals(List.of("finished", "resource closed"), stopDuring("15s", log -> {
            Thread.sleep(50);
            log.add("finished");
        }));
    }

    @Test
    void backgroundWorkThatTakesTooLongIsInterruptedAndAwaited() throws Exception {
        assertEquals(List.of("interrupted", "resource closed"), stopDuring("300ms", log -> {
            try {
                Thread.sleep(60_000);
            } finally {
                log.add("interrupted");
            }
        }));
    }

    private interface Work {
        void run(Queue<String> log) throws Exception;
    }

    private static List<String> stopDuring(String grace, Work work) throws Exception {
        var log = new ConcurrentLinkedQueue<String>();
        var begun = new CountDownLatch(1);
        var service = AsyncServiceTemplate.start(config("STOP_GRACE", grace), s -> {
            s.closeAtStop(() -> log.add("resource closed"));
            s.background("work", () -> {
                begun.countDown();
                work.run(log);
            });
        });
        begun.await();
        assertTrue(service.stop());
        return List.copyOf(log);
    }

    @Test
    void whatWasOpenedIsClosedWhenTheStartFails() {
        var log = new ArrayList<String>();
        var e = assertThrows(IOException.class, () -> AsyncServiceTemplate.start(config(), s -> {
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
        try (var service = AsyncServiceTemplate.start(config(), s -> { })) {
            String port = String.valueOf(service.port());
            var e = assertThrows(BindException.class, () -> AsyncServiceTemplate.start(config("PORT", port), s -> { }));
            assertTrue(e.getMessage().startsWith("127.0.0.1:" + port + ": "), e.getMessage());
        }
    }

    @Test
    void readinessChecksRunAtOnceAndOneThatHangsIsNotStartedAgain() throws Exception {
        var together = new CyclicBarrier(2);
        var hanging = new AtomicInteger();
        var begun = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        try (var client = HttpClient.newHttpClient(); var service = AsyncServiceTemplate.start(config(), s -> {
            s.readiness("a", Duration.ofSeconds(20), together::await);
            s.readiness("b", Duration.ofSeconds(20), together::await);
        })) {
            assertEquals("{}", get(client, service, "/readyz").body());
            service.readiness("hangs", Duration.ofMillis(50), () -> {
                hanging.incrementAndGet();
                begun.countDown();
                release.await();
            });
            for (int i = 0; i < 5; i++) {
                var report = get(client, service, "/readyz");
                assertEquals(503, report.statusCode());
                assertEquals("{\"hangs\":\"no answer within 50 ms\"}", report.body());
            }
            begun.await();
            assertEquals(1, hanging.get());
            assertEquals(200, get(client, service, "/livez").statusCode());
            release.countDown();
            while (get(client, service, "/readyz").statusCode() != 200) {
                Thread.sleep(5);
            }
        }
        assertFalse(together.isBroken());
    }

    @Test
    void metricsAreCumulativeAndBounded() throws Exception {
        try (var client = HttpClient.newHttpClient(); var service = AsyncServiceTemplate.start(config(), s ->
                s.route("GET", "/hello/{name}", r -> AsyncServiceTemplate.Response.text(200, "x")))) {
            for (int i = 0; i < 20; i++) {
                get(client, service, "/hello/" + i);
                get(client, service, "/nothing/" + i);
                client.send(request(service, "/hello/x").method("M" + i, BodyPublishers.noBody()).build(), BodyHandlers.ofString());
            }
            var lines = get(client, service, "/metrics").body().lines().toList();
            assertTrue(lines.contains("http_requests_total{route=\"/hello/{name}\",method=\"GET\",status=\"200\"} 20"), lines::toString);
            assertTrue(lines.contains("http_requests_total{route=\"/hello/{name}\",method=\"other\",status=\"405\"} 20"), lines::toString);
            assertTrue(lines.contains("http_requests_total{route=\"unmatched\",method=\"other\",status=\"404\"} 20"), lines::toString);
            assertTrue(lines.contains("http_request_duration_seconds_bucket{route=\"/hello/{name}\",le=\"+Inf\"} 40"), lines::toString);
            long before = 0;
            for (String line : lines) {
                if (line.startsWith("http_request_duration_seconds_bucket{route=\"/hello/{name}\"")) {
                    long count = Long.parseLong(line.substring(line.lastIndexOf(' ') + 1));
                    assertTrue(count >= before, line);
                    before = count;
                } else {
                    assertTrue(line.matches("# TYPE \\w+ (counter|gauge|histogram)|\\w+(\\{[^}]*(}[^}]*)?})? [-\\d.E]+"), line);
                }
            }
        }
    }
}
