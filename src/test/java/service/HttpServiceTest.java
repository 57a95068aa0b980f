package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The server and its hostile clients, within this JVM; as a process of its own: {@code harness.ServiceIT}. */
@Timeout(600)
class HttpServiceTest extends ServerFixture {

    // ---- what is understood

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            400 | GET  /hello HTTP/1.1~Host: x~~
            400 | GET /hello~Host: x~~
            400 | GET hello HTTP/1.1~Host: x~~
            400 | GET /hello HTTP/1.1 ~Host: x~~
            400 | GET /hello http/1.1~Host: x~~
            505 | GET /hello HTTP/2.0~Host: x~~
            400 | G(T /hello HTTP/1.1~Host: x~~
            400 | GET /hello#x HTTP/1.1~Host: x~~
            400 | GET /h%zzllo HTTP/1.1~Host: x~~
            400 | GET /%ff HTTP/1.1~Host: x~~
            400 | GET /hello?q=% HTTP/1.1~Host: x~~
            400 | GET /hello HTTP/1.1~~
            400 | GET /hello HTTP/1.1~Host: x~Host: x~~
            400 | GET /hello HTTP/1.1~Host: x y~~
            400 | GET /hello HTTP/1.1~Host : x~~
            400 | GET /hello HTTP/1.1~Host: x~ folded: y~~
            400 | GET /hello HTTP/1.1~Host: x~: y~~
            400 | GET /hello HTTP/1.1~Host: x~no colon~~
            400 | GET /hello HTTP/1.1~Host: x~A: b^c~~
            400 | GET /hello HTTP/1.1~Host: x~A: b`c~~
            400 | POST /length HTTP/1.1~Host: x~Content-Length: 1~Content-Length: 1~~x
            400 | POST /length HTTP/1.1~Host: x~Content-Length: +1~~x
            400 | POST /length HTTP/1.1~Host: x~Content-Length: 1, 1~~x
            400 | POST /length HTTP/1.1~Host: x~Content-Length: 99999999999999999999~~x
            400 | POST /length HTTP/1.1~Host: x~Content-Length: 3~Transfer-Encoding: chunked~~0~~
            400 | POST /length HTTP/1.0~Host: x~Transfer-Encoding: chunked~~0~~
            501 | POST /length HTTP/1.1~Host: x~Transfer-Encoding: gzip, chunked~~0~~
            400 | POST /length HTTP/1.1~Host: x~Transfer-Encoding: chunked~Transfer-Encoding: chunked~~0~~
            400 | POST /length HTTP/1.1~Host: x~Transfer-Encoding: chunked~~-1~~
            400 | POST /length HTTP/1.1~Host: x~Transfer-Encoding: chunked~~0x1~a~0~~
            400 | POST /length HTTP/1.1~Host: x~Transfer-Encoding: chunked~~1~ab0~~
            400 | POST /length HTTP/1.1~Host: x~Transfer-Encoding: chunked~~1`a`0``
            417 | POST /length HTTP/1.1~Host: x~Content-Length: 1~Expect: wonders~~x
            200 | ~GET /hello HTTP/1.1~Host: x~~
            200 | GET http://x/hello HTTP/1.1~Host: x~~
            200 | GET /hello HTTP/1.0~~
            200 | GET /hello?q=%C3%BC HTTP/1.1~Host: [::1]:80~A:~B:   b   ~~
            200 | POST /length HTTP/1.1~Host: x~Content-Length: 3~~abc
            200 | POST /length HTTP/1.1~Host: x~Transfer-Encoding: CHUNKED~~3;ext="x"~abc~0~Trailer: x~~
            204 | OPTIONS * HTTP/1.1~Host: x~~
            404 | GET //hello HTTP/1.1~Host: x~~
            405 | DELETE /hello HTTP/1.1~Host: x~~
            405 | TRACE /hello HTTP/1.1~Host: x~~
            431 | GET /hello HTTP/1.1~Host: x~A: LONG~~
            431 | GET /hello HTTP/1.1~Host: x~MANY~
            """)
    void readsStrictly(int status, String request) throws Exception {
        try (var service = start(); var wire = new Wire(service)) {
            wire.send(request.replace("LONG", "x".repeat(20_000)).replace("MANY", "A: b~".repeat(101))
                    .replace("~", "\r\n").replace('`', '\n').replace('^', '\0'));
            var answer = wire.answer();
            assertEquals(status, answer.status(), answer::toString);
            if (List.of(400, 417, 431, 501, 505).contains(status)) {
                assertEquals("", wire.rest(), "and nothing after it is taken for a request");
            } else {
                assertEquals("hello", wire.get("/hello").answer().body());
            }
        } catch (IOException e) {
            assertTrue(request.contains("HTTP/1.0"), e::toString); // closed after its answer
        }
    }

    @Test
    void keepsConnectionsAndAnswersInOrder() throws Exception {
        router.route("GET", "/q/{name}", request -> Response.text(200, request.path("name") + request.queries("a")));
        try (var service = start(); var wire = new Wire(service)) {
            wire.send(("GET /q/a%2Fb+c?a=1&a=x+y%26&b=2 HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                    + "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                    + "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
            assertEquals("a/b+c[1, x y&]", wire.answer().body());
            assertEquals("5", wire.answer().body());
            assertEquals("5", wire.answer(false).field("Content-Length"));
            assertEquals("keep-alive", wire.answer().field("Connection"));
            assertEquals("close", wire.answer().field("Connection"));
            assertEquals("", wire.rest());
        }
    }

    @Test
    void aBodyIsAskedForOnlyIfItIsWanted() throws Exception {
        options.maxBody = 10;
        try (var service = start(); var wire = new Wire(service); var large = new Wire(service);
                var none = new Wire(service)) {
            String expect = "Expect: 100-continue\r\n";
            wire.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" + expect + "\r\n");
            assertTrue(wire.head().startsWith("HTTP/1.1 100 "));
            assertEquals("3", wire.send("abc").answer().body());
            large.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n" + expect + "\r\n");
            assertEquals(413, large.answer().status());
            none.send("POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" + expect + "\r\n");
            assertEquals(404, none.answer().status());
        }
    }

    @Test
    void anAnswerComesBeforeTheBodyItRefuses() throws Exception {
        options.maxBody = 1000;
        try (var service = start()) {
            for (String length : List.of("Content-Length: 2000000", "Transfer-Encoding: chunked")) {
                for (boolean late = true; late; ) { // again, if we were held up: after two seconds it reads no more
                    late = false;
                    long begun = System.nanoTime();
                    try (var wire = new Wire(service)) {
                        wire.send("POST /length HTTP/1.1\r\nHost: x\r\n" + length + "\r\n\r\n"
                                + (length.startsWith("T") ? "400\r\n" : "") + "x".repeat(5));
                        assertEquals(413, wire.answer().status(), "without the rest");
                        for (int i = 0; i < 20; i++) {
                            wire.send("x".repeat(50_000)); // is read over: it would destroy the answer
                        }
                    } catch (SocketException e) {
                        late = System.nanoTime() - begun >= 2_000_000_000L;
                        assertTrue(late, e::toString);
                    }
                }
            }
            try (var wire = new Wire(service)) { // small: read over, the connection is kept
                wire.send("POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" + "x".repeat(900));
                assertEquals(404, wire.answer().status());
                assertEquals("hello", wire.get("/hello").answer().body());
            }
        }
    }

    @Test
    void slowClientsAreToldSo() throws Exception {
        router.route("POST", "/stream", request -> {
            options.requestTimeout = Duration.ofMillis(300); // not before: the handler is to begin
            try {
                return Response.text(200, String.valueOf(request.stream().readAllBytes().length));
            } finally {
                log.add("stream ended");
            }
        }).streaming();
        start().close(); // for its routes
        for (boolean cut = true; cut; ) { // again, if a busy machine took the two seconds that it has to tell them
            cut = false;
            options.requestTimeout = Duration.ofHours(1);
            try (var service = HttpService.start(options, router); var head = new Wire(service);
                    var body = new Wire(service); var stream = new Wire(service)) {
                while (service.connections() < 3) { // from now on they have time to write
                    Thread.sleep(2);
                }
                stream.send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
                assertEquals("", rest(stream), "silent for too long");
                head.send("GET /hello HT");
                body.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
                var answer = head.answer();
                assertEquals(408, answer.status());
                assertEquals("1", answer.field("Retry-After"));
                assertEquals(408, body.answer().status());
                assertEquals("", body.rest());
                await("stream ended");
                await("/stream 499 cut");
                await("/length 408");
            } catch (IOException e) {
                cut = true;
                assertTrue(isCutBeforeTheAnswer(e), e::toString);
            }
        }
        options.idleTimeout = Duration.ofMillis(600);
        try (var service = HttpService.start(options, router); var idle = new Wire(service)) {
            assertEquals("", idle.rest());
        }
    }

    /** A reset is an end as well. */
    private static String rest(Wire wire) throws IOException {
        try {
            return wire.rest();
        } catch (SocketException e) {
            return "";
        }
    }

    // ---- what handlers do

    @Test
    void whateverAHandlerDoesIsOneAnswer() throws Exception {
        router.route("GET", "/throws", request -> {
            throw new IllegalStateException("secret");
        });
        router.route("GET", "/error", request -> {
            throw new StackOverflowError("secret");
        });
        router.route("GET", "/null", request -> null);
        router.route("GET", "/no-message", request -> {
            throw new HttpError(404, null);
        });
        router.route("GET", "/conflict", request -> {
            throw new HttpError(409, "there is one");
        });
        router.route("GET", "/rejected", request -> {
            throw new RejectedExecutionException();
        });
        router.route("GET", "/memory", request -> {
            throw new OutOfMemoryError("on purpose");
        });
        router.route("GET", "/bad-header", request -> Response.text(200, "x").with("X-Two", "a\r\n b"));
        router.route("GET", "/own-length", request -> Response.text(200, "x").with("Content-Length", "7"));
        router.route("GET", "/flag", request -> {
            Thread.currentThread().interrupt();
            return Response.text(200, "x".repeat(100_000));
        });
        router.route("GET", "/interrupted", request -> {
            throw new InterruptedException();
        });
        router.route("GET", "/empty", request -> Response.empty(204).with("Set-Cookie", "a=1")
                .with("Set-Cookie", "b=2"));
        router.route("GET", "/stream", request -> Response.stream(200, "text/plain", out -> {
            for (int i = 0; i < 100_000; i++) {
                out.write('x');
            }
        }));
        try (var service = start(); var wire = new Wire(service)) {
            for (String path : List.of("/throws", "/error", "/null", "/bad-header", "/own-length", "/interrupted")) {
                var answer = wire.get(path).answer();
                assertEquals(500, answer.status(), path);
                assertFalse(answer.body().contains("secret"), answer::body);
            }
            assertEquals(404, wire.get("/no-message").answer().status());
            assertTrue(wire.get("/conflict").answer().body().contains("\"error\":\"there is one\""));
            assertEquals("1", wire.get("/rejected").answer().field("Retry-After"));
            assertEquals(503, wire.get("/memory").answer().status());
            assertEquals(100_000, wire.get("/flag").answer().body().length());
            var empty = wire.get("/empty").answer();
            assertTrue(empty.head().contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), empty::head);
            assertNull(empty.field("Content-Length"));
            assertEquals(100_000, wire.get("/stream").answer().body().length());
            assertEquals("chunked", wire.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n").answer(false)
                    .field("Transfer-Encoding"));
            assertEquals("hello", wire.get("/hello").answer().body()); // the same connection all along
        }
    }

    @Test
    void anAnswerThatBreaksOffIsCutOff() throws Exception {
        var route = new AtomicReference<Router.Route>();
        for (String how : List.of("throws", "sleeps")) {
            route.set(router.route("GET", "/" + how, request -> Response.stream(200, "text/plain", out -> {
                out.write("half of the answer".getBytes(StandardCharsets.US_ASCII));
                out.flush();
                if (how.equals("throws")) {
                    throw new IllegalStateException("the database has gone");
                }
                route.get().timeout(Duration.ofMillis(300)); // not before: the answer is to begin
                out.write('.');
                out.flush();
                Thread.sleep(600_000);
            })));
        }
        try (var service = start()) {
            for (String how : List.of("throws", "sleeps")) {
                try (var wire = new Wire(service)) {
                    var e = assertThrows(IOException.class, () -> wire.get("/" + how).answer(), how);
                    assertEquals("ended in the middle of a body", e.getMessage());
                    await("/" + how + " 200 cut");
                }
                route.get().timeout(options.handlerTimeout);
                try (var wire = new Wire(service)) { // no chunks: an orderly end would be the end of the answer
                    wire.send("GET /" + how + " HTTP/1.0\r\n\r\n");
                    wire.head();
                    assertThrows(SocketException.class, wire::rest, how);
                }
            }
            assertTrue(log.contains("answer cut off"));
        }
    }

    /** By whom ever an answer without chunks is cut: an orderly end would be the end of the answer. */
    @Test
    void halfAnAnswerToAClientOfHttp10EndsInAReset() throws Exception {
        var release = new CountDownLatch(1);
        router.route("GET", "/deaf", request -> Response.stream(200, "text/plain", out -> {
            out.write('x');
            out.flush();
            awaitUninterruptibly(release);
        }));
        router.route("GET", "/endless", request -> Response.stream(200, "text/plain", out -> {
            while (true) {
                out.write(new byte[8192]);
            }
        }));
        try (var service = start(); var wire = new Wire(service)) {
            wire.send("GET /deaf HTTP/1.0\r\n\r\n");
            wire.head();
            wire.exactly(1);
            var drained = CompletableFuture.supplyAsync(() -> service.drain(Duration.ofMillis(1)));
            assertThrows(SocketException.class, wire::rest);
            release.countDown();
            drained.get();
        }
        options.requestTimeout = Duration.ofMillis(500);
        while (!log.contains("/endless 200 cut")) { // again after a 408: held up before its request was read
            try (var service = HttpService.start(options, router); var slow = new Wire(service)) {
                while (service.connections() == 0) {
                    Thread.sleep(2);
                }
                slow.send("GET /endless HTTP/1.0\r\n\r\n");
                while (service.connections() > 0) {
                    Thread.sleep(2);
                }
                if (log.contains("/endless 200 cut")) {
                    assertThrows(SocketException.class, slow::rest);
                }
            }
        }
    }

    @Test
    void aStreamMayTakeLongButNotBeSilent() throws Exception {
        options.handlerTimeout = Duration.ofMillis(400);
        var steps = new AtomicInteger();
        router.route("GET", "/long", request -> Response.stream(200, "text/plain", out -> {
            for (int i = 0; i < 12; i++) {
                out.write('x');
                out.flush();
                steps.incrementAndGet();
                Thread.sleep(50);
            }
        })).timeout(Duration.ofHours(1));
        router.route("GET", "/short", request -> {
            Thread.sleep(60_000);
            return null;
        });
        try (var service = start(); var wire = new Wire(service)) {
            assertEquals(12, wire.get("/long").answer().body().length());
            assertEquals(504, wire.get("/short").answer().status());
        }
    }

    @Test
    void aHandlerThatDoesNotHeedItsInterruptIsAnsweredFor() throws Exception {
        options.maxInFlight = 1;
        var release = new CountDownLatch(1);
        router.route("GET", "/stuck", request -> {
            awaitUninterruptibly(release);
            return Response.text(200, "late");
        }).timeout(Duration.ofMillis(100)); // the others have time
        try (var service = start(); var wire = new Wire(service); var other = new Wire(service)) {
            assertEquals(504, wire.get("/stuck").answer().status());
            assertEquals("", rest(wire));
            var refused = other.get("/hello").answer();
            assertEquals(503, refused.status(), "it keeps its place");
            assertNotNull(refused.field("Retry-After"));
            assertEquals(200, other.get("/probe").answer().status());
            release.countDown();
            while (service.inFlight() > 0) {
                Thread.sleep(2);
            }
            assertEquals("hello", other.get("/hello").answer().body());
            assertTrue(log.contains("handler ignores its interrupt"));
            assertFalse(log.contains("/stuck 200"));
        }
    }

    // ---- clients that go

    @Test
    void aHandlerIsInterruptedWhenItsClientGoes() throws Exception {
        var seen = new ConcurrentLinkedQueue<String>();
        router.route("GET", "/wait", request -> {
            try {
                Thread.sleep(80_000);
                return Response.text(200, "");
            } catch (InterruptedException e) {
                seen.add("gone: " + request.clientGone());
                throw e;
            }
        });
        try (var service = start()) {
            for (String how : List.of("close", "half", "reset")) {
                try (var wire = new Wire(service)) {
                    wire.get("/wait");
                    while (service.inFlight() == 0) {
                        Thread.sleep(2);
                    }
                    if (how.equals("half")) {
                        wire.socket.shutdownOutput();
                        assertEquals("", rest(wire));
                    } else {
                        wire.socket.setSoLinger(how.equals("reset"), 0);
                    }
                }
                while (service.inFlight() > 0) {
                    Thread.sleep(2);
                }
            }
            assertEquals(List.of("gone: true", "gone: true", "gone: true"), List.copyOf(seen));
            assertTrue(log.contains("/wait 499 cut"));
            assertFalse(log.contains("request failed"), log::toString);
        }
    }

    @Test
    void aClientThatSendsItsNextRequestHasNotGone() throws Exception {
        var begun = new CountDownLatch(2);
        router.route("GET", "/slow", request -> {
            begun.countDown();
            Thread.sleep(700);
            return Response.text(200, "slow");
        });
        try (var service = start(); var wire = new Wire(service)) {
            wire.get("/slow");
            Thread.sleep(250); // by now somebody reads on
            wire.send("GET /slow HTTP/1.1\r\nHo").send("st: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("slow", wire.answer().body());
            assertEquals("slow", wire.answer().body());
            assertEquals("hello", wire.answer().body());
            assertEquals(0, begun.getCount());
        }
    }

    @Test
    void slowReadersAreCountedAndCutOff() throws Exception {
        options.maxInFlight = 2;
        router.route("GET", "/large", request -> Response.bytes(200, "text/plain", new byte[20_000_000]));
        router.route("GET", "/endless", request -> Response.stream(200, "text/plain", out -> {
            while (true) {
                out.write(new byte[8192]);
            }
        }));
        options.requestTimeout = Duration.ofHours(1);
        try (var service = start(); var other = new Wire(service)) {
            for (String path : List.of("/large", "/endless")) {
                try (var a = new Wire(service); var b = new Wire(service)) {
                    a.get(path).head();
                    b.get(path).head();
                    assertEquals(503, other.get("/hello").answer().status());
                    assertEquals(200, other.get("/probe").answer().status());
                }
                while (service.inFlight() > 0) {
                    Thread.sleep(5);
                }
            }
        }
        log.clear();
        try (var service = start(); var other = new Wire(service)) {
            while (service.connections() == 0) { // from now on the other has time to write
                Thread.sleep(2);
            }
            for (String path : List.of("/large", "/endless")) {
                options.requestTimeout = Duration.ofMillis(500);
                try (var a = new Wire(service); var b = new Wire(service)) {
                    headOrCut(a.get(path));
                    headOrCut(b.get(path));
                    while (service.inFlight() > 0) {
                        Thread.sleep(5);
                    }
                    options.requestTimeout = Duration.ofHours(1);
                    assertEquals(200, other.get("/hello").answer().status());
                }
            }
            await("/large 200 cut");
            await("/endless 200 cut");
            assertEquals(0, options.memory.used());
        }
    }

    private static void headOrCut(Wire wire) {
        try {
            wire.head();
        } catch (IOException e) {
            // a busy machine has not written even that in time
        }
    }

    // ---- memory

    @Test
    void bodiesAndWhatBecomesOfThemAreBounded() throws Exception {
        options.memory = new Memory(2_000_000);
        router.route("POST", "/json", request -> JsonBody.response(200, JsonBody.of(request) instanceof List<?> list
                ? list.size() : -1));
        router.route("GET", "/answer", request -> Response.bytes(200, "text/plain", new byte[3_000_000]));
        router.route("GET", "/half", request -> Response.bytes(200, "text/plain", new byte[1_500_000]));
        var held = new CountDownLatch(1);
        var reading = new CountDownLatch(1);
        router.route("POST", "/hold", request -> {
            held.countDown();
            reading.await();
            return Response.text(200, "held");
        });
        try (var service = start(); var wire = new Wire(service); var holder = new Wire(service)) {
            assertEquals("3", wire.post("/json", "application/json", "[1,2,3]").answer().body());
            assertEquals(413, wire.post("/json", "application/json", "[" + "[],".repeat(100_000) + "[]]").answer()
                    .status());
            assertEquals(500, wire.get("/answer").answer().status(), "never fits");
            assertEquals(200, wire.get("/half").answer().status());
            holder.post("/hold", "text/plain", "x".repeat(800_000));
            held.await(); // its body has been read
            var refused = wire.post("/length", "text/plain", "x".repeat(700_000)).answer();
            assertEquals(503, refused.status());
            assertEquals("1", refused.field("Retry-After"));
            try (var late = new Wire(service)) {
                assertEquals(503, late.get("/half").answer().status());
            }
            reading.countDown();
            assertEquals("held", holder.answer().body());
            while (options.memory.used() > 0) {
                Thread.sleep(2);
            }
        }
    }

    @Test
    void headsAreCountedToo() throws Exception {
        options.memory = new Memory(200_000);
        var slow = new ArrayList<Wire>();
        try (var service = start()) {
            for (int i = 0; i < 20; i++) {
                var wire = new Wire(service);
                slow.add(wire);
                wire.send("GET /hello HTTP/1.1\r\nHost: x\r\nA: " + "x".repeat(15_000));
            }
            assertTrue(slow.get(19).answer().status() == 503);
            try (var wire = new Wire(service)) {
                assertEquals(200, wire.get("/hello").answer().status(), "a small one needs none");
            }
            for (var wire : slow) {
                wire.close();
            }
            while (service.connections() > 0) {
                Thread.sleep(2);
            }
            assertEquals(0, options.memory.used());
        }
    }

    @Test
    void tooManyConnectionsAreToldSoAndProbesAreAnswered() throws Exception {
        options.maxConnections = 3;
        var busy = new ArrayList<Wire>();
        try (var service = start()) {
            for (int i = 0; i < 3; i++) {
                var wire = new Wire(service);
                busy.add(wire.send("GET /he"));
            }
            while (service.connections() < 3) {
                Thread.sleep(2);
            }
            try (var wire = new Wire(service); var probe = new Wire(service)) {
                var answer = wire.get("/hello").answer();
                assertEquals(503, answer.status());
                assertEquals("1", answer.field("Retry-After"));
                assertEquals("", wire.rest());
                assertEquals("fine", probe.get("/probe").answer().body());
            }
            busy.get(0).send("llo HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("hello", busy.get(0).answer().body());
            Thread.sleep(1_200); // idle for longer than a second: it makes room
            for (boolean refused = true; refused; ) { // on a busy machine it may have begun to be idle only now
                try (var wire = new Wire(service)) {
                    var answer = wire.get("/hello").answer();
                    refused = answer.status() == 503;
                    assertTrue(refused || answer.body().equals("hello"), answer::toString);
                }
            }
            assertEquals("", busy.get(0).rest());
        } finally {
            for (var wire : busy) {
                wire.close();
            }
        }
    }

    // ---- routes

    @Test
    void routesHooksAndRefusals() throws Exception {
        router.before(request -> "Bearer x".equals(request.header("Authorization")) ? null
                : Response.text(401, "who?"));
        router.route("PUT", "/hello", request -> Response.text(200, new String(request.body(),
                StandardCharsets.UTF_8))).maxBody(3);
        try (var service = start(); var wire = new Wire(service)) {
            assertEquals(401, wire.get("/hello").answer().status());
            assertEquals(200, wire.get("/probe").answer().status(), "no hook before a probe");
            String authorized = "Authorization: Bearer x\r\n";
            assertEquals("hello", wire.send("GET /hello HTTP/1.1\r\nHost: x\r\n" + authorized + "\r\n").answer()
                    .body());
            assertEquals("GET, HEAD, OPTIONS, PUT", wire.send("OPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n").answer()
                    .field("Allow"));
            var wrong = wire.send("PATCH /hello HTTP/1.1\r\nHost: x\r\n\r\n").answer();
            assertEquals(405, wrong.status());
            assertEquals("GET, HEAD, OPTIONS, PUT", wrong.field("Allow"));
            wire.send("PUT /hello HTTP/1.1\r\nHost: x\r\n" + authorized + "Content-Length: 4\r\n\r\nabcd");
            assertEquals("close", wire.answer().field("Connection"));
        }
        try (var service = HttpService.start(options, router); var wire = new Wire(service)) {
            router.refuse("stopping");
            var refused = wire.get("/hello").answer();
            assertEquals(503, refused.status());
            assertEquals("1", refused.field("Retry-After"));
            assertEquals(200, wire.get("/probe").answer().status());
            router.refuse(null);
            assertEquals(401, wire.get("/hello").answer().status());
        }
    }

    @Test
    void whatCannotWorkIsRefusedAtOnce() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> router.route("GET", "x", request -> null));
        assertThrows(NullPointerException.class, () -> router.route("GET", "/x", null));
        assertThrows(IllegalArgumentException.class, () -> router.route("GET", "/x", request -> null)
                .timeout(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> Response.text(99, ""));
        assertThrows(NullPointerException.class, () -> Response.bytes(200, "text/plain", null));
        assertThrows(IllegalArgumentException.class, () -> Response.stream(204, "text/plain", out -> { }));
        options.handlerTimeout = Duration.ZERO;
        assertThrows(IllegalArgumentException.class, this::start);
        options.handlerTimeout = Duration.ofSeconds(1);
        try (var service = start()) {
            options.port = service.port();
            var e = assertThrows(BindException.class, () -> HttpService.start(options, router));
            assertTrue(e.getMessage().startsWith("127.0.0.1:" + service.port() + ": "), e::getMessage);
        }
        options.host = "no.such.host.invalid";
        assertTrue(assertThrows(BindException.class, () -> HttpService.start(options, router)).getMessage()
                .contains(options.host));
    }

    // ---- stop

    @Test
    void whatHasArrivedIsAnsweredThenTheConnectionsClose() throws Exception {
        var begun = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        router.route("GET", "/work", request -> {
            begun.countDown();
            release.await();
            return Response.text(200, "done");
        });
        var service = start();
        try (var busy = new Wire(service); var idle = new Wire(service)) {
            assertEquals(200, idle.get("/hello").answer().status());
            busy.get("/work");
            begun.await();
            var drained = CompletableFuture.supplyAsync(() -> service.drain(Duration.ofHours(1)));
            assertEquals("", idle.rest(), "nobody uses it");
            assertThrows(ConnectException.class, () -> {
                while (true) {
                    new Wire(service).close();
                }
            });
            while (!service.closing()) { // a moment after the listener is closed: then clients are told to leave
                Thread.sleep(2);
            }
            release.countDown();
            var answer = busy.answer();
            assertEquals("done", answer.body());
            assertEquals("close", answer.field("Connection"));
            assertTrue(drained.get());
            assertEquals(0, service.connections());
        }
        service.close(); // again
    }

    @Test
    void eventsEndWithTheServiceAndOtherStreamsAreCutAtTheEndOfTheGrace() throws Exception {
        var begun = new CountDownLatch(2);
        router.route("GET", "/events", request -> Response.events(sink -> {
            sink.send("7", "tick", "a\nb");
            sink.ping();
            begun.countDown();
            Thread.sleep(90_000);
        }));
        router.route("GET", "/stream", request -> Response.stream(200, "text/plain", out -> {
            out.write('x');
            out.flush();
            begun.countDown();
            Thread.sleep(90_000);
        }));
        var service = start();
        try (var events = new Wire(service); var stream = new Wire(service)) {
            assertTrue(events.get("/events").head().contains("Content-Type: text/event-stream\r\n"));
            stream.get("/stream").head();
            begun.await();
            assertTrue(service.drain(Duration.ofMillis(700)));
            String all = events.rest();
            assertTrue(all.contains("id: 7\nevent: tick\ndata: a\ndata: b\n\n") && all.contains(":\n\n"), all);
            assertTrue(all.endsWith("\r\n0\r\n\r\n"), all);
            assertFalse(rest(stream).contains("0\r\n"), "not complete");
        }
        assertTrue(log.contains("/events 200") && log.contains("/stream 200 cut"), log::toString);
    }

    @Test
    void aHandlerThatStillRunsIsInterruptedAndSaid() throws Exception {
        options.observer = new Observer() {
            @Override
            public void failed(Request request, String what, Throwable cause) {
                // as it is to be
            }
        };
        for (boolean cut = true; cut; ) { // again, if a busy machine took the two seconds until what is left is cut
            var router = new Router();
            var begun = new CountDownLatch(2);
            router.route("GET", "/work", request -> {
                begun.countDown();
                Thread.sleep(90_000);
                return null;
            });
            var release = new CountDownLatch(1);
            router.route("GET", "/stuck", request -> {
                begun.countDown();
                while (release.getCount() > 0) {
                    Thread.onSpinWait();
                    Thread.yield();
                }
                return Response.text(200, "");
            });
            var service = HttpService.start(options, router);
            try (var work = new Wire(service); var stuck = new Wire(service)) {
                work.get("/work");
                stuck.get("/stuck");
                begun.await(); // in flight they are before that
                var drained = CompletableFuture.supplyAsync(() -> service.drain(Duration.ofMillis(1)));
                assertEquals(503, work.answer().status());
                assertEquals(503, stuck.answer().status());
                assertFalse(drained.get(), "one still runs");
                cut = false;
            } catch (IOException e) {
                assertTrue(isCutBeforeTheAnswer(e), e::toString);
            } finally {
                release.countDown();
            }
        }
    }

    @Test
    void aHandlerCannotCloseItsOwnService() throws Exception {
        var self = new AtomicReference<HttpService>();
        router.route("GET", "/close", request -> {
            assertThrows(IllegalStateException.class, () -> self.get().close());
            return Response.text(200, "refused");
        });
        try (var service = start(); var wire = new Wire(service)) {
            self.set(service);
            assertEquals("refused", wire.get("/close").answer().body());
            Thread.currentThread().interrupt();
        } finally {
            assertTrue(Thread.interrupted(), "an interrupt does not end it, and is kept");
        }
    }

    /** Which requests are refused or interrupted is chance; that each is answered and nothing is left is not. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        options.maxInFlight = 40;
        options.handlerTimeout = Duration.ofMillis(20);
        var calls = new AtomicInteger();
        router.route("POST", "/any", request -> switch (calls.incrementAndGet() % 7) {
            case 0 -> throw new IOException("on purpose");
            case 1 -> throw new AssertionError("on purpose");
            case 2 -> {
                Thread.sleep(60_000);
                yield null;
            }
            case 3 -> {
                Thread.sleep(19); // about the timeout
                Thread.currentThread().interrupt();
                yield Response.text(200, "late");
            }
            case 4 -> Response.stream(200, "text/plain", out -> {
                out.write(request.body());
                Thread.sleep(18);
            });
            case 5 -> throw new HttpError(409, "on purpose");
            default -> Response.bytes(200, "text/plain", request.body());
        });
        int clients = 40;
        int each = 80;
        var statuses = new ConcurrentLinkedQueue<Integer>();
        var gone = new AtomicInteger();
        try (var service = start(); var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < clients; i++) {
                boolean leaves = i % 8 == 0;
                threads.submit(() -> {
                    for (int j = 0; j < each; ) {
                        try (var wire = new Wire(service)) {
                            while (j < each) {
                                j++;
                                wire.post("/any", "text/plain", "x".repeat(j * 50));
                                if (leaves && j % 5 == 0) {
                                    gone.incrementAndGet();
                                    break; // without its answer
                                }
                                var answer = wire.answer();
                                statuses.add(answer.status());
                                if ("close".equals(answer.field("Connection"))) {
                                    break; // what comes after it is no request
                                }
                            }
                        } catch (IOException cut) {
                            statuses.add(-1); // a stream, out of time
                        }
                    }
                    return null;
                });
            }
            threads.shutdown();
            assertTrue(threads.awaitTermination(500, TimeUnit.SECONDS));
            assertEquals(clients * each, statuses.size() + gone.get());
            assertTrue(List.of(200, 409, 500, 503, 504, -1).containsAll(statuses), statuses::toString);
            assertTrue(statuses.containsAll(List.of(200, 409, 500, 504)), "each kind was seen");
            while (service.inFlight() > 0 || service.connections() > 0 || options.memory.used() > 0) {
                Thread.sleep(5);
            }
        }
        assertEquals(clients * each, log.stream().filter(line -> line.startsWith("/any ")).count(),
                "each was told of once");
    }

    @Test
    void limitsMayBeAsHighAsTheyCanBeSaid() throws Exception {
        options.requestTimeout = Duration.ofSeconds(Long.MAX_VALUE);
        options.handlerTimeout = Duration.ofSeconds(Long.MAX_VALUE);
        options.idleTimeout = Duration.ofSeconds(Long.MAX_VALUE);
        options.maxBody = Integer.MAX_VALUE;
        options.maxInFlight = Integer.MAX_VALUE;
        options.maxConnections = Integer.MAX_VALUE;
        router.route("GET", "/long", request -> {
            Thread.sleep(200); // the limits are looked at meanwhile
            return Response.stream(200, "text/plain", out -> out.write(new byte[] {'x'}));
        }).timeout(Duration.ofSeconds(Long.MAX_VALUE));
        try (var service = start(); var wire = new Wire(service)) {
            assertEquals("x", wire.get("/long").answer().body());
            assertEquals("3", wire.post("/length", "text/plain", "abc").answer().body());
            assertTrue(service.awaitIdle(Duration.ofSeconds(Long.MAX_VALUE)));
            assertTrue(service.drain(Duration.ofSeconds(Long.MAX_VALUE)));
        }
    }

    // ---- hooks before the body, errors in one form, the end of a request

    @Test
    void aHookRefusesBeforeTheBodyIsSent() throws Exception {
        var seen = new ConcurrentLinkedQueue<String>();
        router.beforeBody(request -> {
            seen.add(request.method() + " " + request.pattern());
            Thread.currentThread().interrupt(); // does not reach the reading of the body
            return request.header("authorization") == null ? Response.text(401, "who are you?") : null;
        });
        router.beforeBody(request -> {
            if (request.header("x-busy") != null) {
                throw new HttpError(429, "slowly");
            } else if (request.header("x-broken") != null) {
                throw new IllegalStateException();
            }
            return null;
        });
        try (var service = start()) {
            String head = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n";
            for (String announced : List.of("500000", "2000000000")) { // the second is too large anyway
                try (var wire = new Wire(service)) {
                    wire.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: " + announced + "\r\n\r\n");
                    assertEquals("who are you?", wire.answer().body());
                }
            }
            try (var wire = new Wire(service)) {
                wire.send(head + "Authorization: me\r\n\r\nabc");
                assertEquals("3", wire.answer().body());
                assertEquals(401, wire.get("/nowhere").answer().status());
                assertEquals(200, wire.get("/probe").answer().status());
                wire.send(head + "Authorization: me\r\nX-Busy: 1\r\n\r\nabc");
                var busy = wire.answer();
                assertEquals(429, busy.status());
                assertEquals("1", busy.field("Retry-After"));
                wire.send(head + "Authorization: me\r\nX-Broken: 1\r\n\r\nabc");
                assertEquals(500, wire.answer().status());
            }
            assertEquals(List.of("POST /length", "POST /length", "POST /length", "GET unmatched", "POST /length",
                    "POST /length"), List.copyOf(seen));
            assertEquals(0, service.inFlight());
        }
    }

    @Test
    void theObserverSeesWhatHookAndHandlerNoted() throws Exception {
        var noted = new CompletableFuture<String>();
        router.beforeBody(request -> {
            request.attributes().put("user", "ann");
            return null;
        });
        router.route("GET", "/noted", request -> {
            request.attributes().put("cache", request.attributes().get("user") + "'s");
            return Response.empty(204);
        });
        options.observer = new Observer() {
            @Override
            public void answered(Request request, int status, long nanos, boolean complete) {
                noted.complete(request.attributes().get("user") + ", " + request.attributes().get("cache"));
            }
        };
        try (var service = HttpService.start(options, router); var wire = new Wire(service)) {
            assertEquals(204, wire.get("/noted").answer().status());
            assertEquals("ann, ann's", noted.get());
        }
    }

    @Test
    void theHandlersPlaceIsFreeOnlyWhenTheObserverHasReturned() throws Exception {
        start().close(); // for its routes
        var told = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        options.observer = new Observer() {
            @Override
            public void answered(Request request, int status, long nanos, boolean complete) {
                told.countDown();
                awaitUninterruptibly(go);
            }
        };
        try (var service = HttpService.start(options, router); var wire = new Wire(service)) {
            assertEquals(200, wire.get("/hello").answer().status());
            told.await();
            router.refuse("stopping");
            assertEquals(1, service.inFlight());
            assertFalse(service.awaitIdle(Duration.ZERO));
            go.countDown();
            assertTrue(service.awaitIdle(Duration.ofHours(1)));
        }
    }

    @Test
    void alsoWhereAnotherThreadAnswersInPlaceOfAHandlerThatIgnoresItsInterrupt() throws Exception {
        var told = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var handler = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        options.handlerTimeout = Duration.ofMillis(50);
        options.observer = new Observer() {
            @Override
            public void answered(Request request, int status, long nanos, boolean complete) {
                told.countDown();
                awaitUninterruptibly(go);
            }

            @Override
            public void ends(Request request) {
                ended.countDown();
            }

            @Override
            public void failed(Request request, String what, Throwable cause) {
                // as it is to be
            }
        };
        router.route("GET", "/deaf", request -> {
            awaitUninterruptibly(handler);
            return Response.empty(204);
        });
        try (var service = HttpService.start(options, router); var wire = new Wire(service)) {
            assertEquals(504, wire.get("/deaf").answer().status());
            told.await();
            handler.countDown();
            ended.await();
            assertFalse(service.awaitIdle(Duration.ofMillis(20)));
            go.countDown();
            assertTrue(service.awaitIdle(Duration.ofHours(1)));
            assertEquals(0, service.inFlight());
        }
    }

    private static boolean isCutBeforeTheAnswer(IOException e) {
        return e instanceof SocketException || e.getMessage().equals("ended after: ");
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        while (latch.getCount() > 0) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                // goes on
            }
        }
    }

    @Test
    void allErrorsHaveOneForm() throws Exception {
        var forms = new ConcurrentLinkedQueue<String>();
        router.errors((status, why, request) -> {
            forms.add(status + (request == null ? "" : " " + request.path()));
            return Response.text(status, "<" + why + ">");
        });
        router.route("GET", "/teapot", request -> {
            throw new HttpError(418, "short and stout");
        });
        try (var service = start(); var wire = new Wire(service)) {
            assertEquals("<no such resource>", wire.get("/nowhere").answer().body());
            var head = wire.send("HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").answer(false);
            assertEquals(404, head.status());
            assertEquals("18", head.field("Content-Length"));
            var wrong = wire.send("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n").answer();
            assertEquals(405, wrong.status());
            assertEquals("GET, HEAD, OPTIONS", wrong.field("Allow"));
            assertTrue(wrong.body().startsWith("<"), wrong.body());
            var options = wire.send("OPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n").answer();
            assertEquals(204, options.status());
            assertEquals("GET, HEAD, OPTIONS", options.field("Allow"));
            router.onlyDeclaredMethods();
            for (String method : List.of("HEAD", "OPTIONS")) {
                var refused = wire.send(method + " /hello HTTP/1.1\r\nHost: x\r\n\r\n")
                        .answer(method.equals("OPTIONS"));
                assertEquals(405, refused.status());
                assertEquals("GET", refused.field("Allow"));
            }
            assertEquals("<short and stout>", wire.get("/teapot").answer().body());
            router.refuse("stopping");
            assertEquals("<stopping>", wire.get("/hello").answer().body());
            router.refuse(null);
            assertTrue(wire.send("nonsense\r\n\r\n").answer().body().startsWith("<"));
        }
        assertEquals(List.of("404 /nowhere", "404 /nowhere", "405 /hello", "405 /hello", "405 /hello", "418 /teapot",
                "503 /hello", "400"), List.copyOf(forms));
    }

    @Test
    void aBrokenFormIsTheUsualOne() throws Exception {
        try (var service = start(); var wire = new Wire(service)) {
            for (Router.ErrorForm broken : List.<Router.ErrorForm>of((status, why, request) -> null,
                    (status, why, request) -> Response.stream(status, "text/plain", out -> { }),
                    (status, why, request) -> {
                        throw new StackOverflowError();
                    })) {
                log.clear();
                router.errors(broken);
                var answer = wire.get("/nowhere").answer();
                assertEquals(404, answer.status());
                assertEquals("{\"error\":\"no such resource\",\"request_id\":\"" + answer.field("X-Request-Id")
                        + "\"}", answer.body());
                await("error form failed");
            }
            assertThrows(NullPointerException.class, () -> router.errors(null));
            assertThrows(NullPointerException.class, () -> router.beforeBody(null));
        }
    }

    @Test
    void whoseBodyStillArrivesIsRefusedOnceNobodyIsLetIn() throws Exception {
        var called = new AtomicInteger();
        router.route("POST", "/slow", request -> {
            called.incrementAndGet();
            return Response.empty(204);
        });
        try (var service = start(); var wire = new Wire(service)) {
            wire.send("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
            assertTrue(wire.head().startsWith("HTTP/1.1 100 "), "it has passed the first look");
            router.refuse("stopping");
            assertTrue(service.awaitIdle(Duration.ZERO));
            var refused = wire.send("abc").answer();
            assertEquals(503, refused.status());
            assertEquals("1", refused.field("Retry-After"));
            assertTrue(service.awaitIdle(Duration.ofHours(1)), "its place is free again");
        }
        assertEquals(0, called.get());
    }

    @Test
    void whoIsLetInHasItsAnswerWhenNobodyIsIn() throws Exception {
        var answered = new AtomicInteger();
        var refused = new AtomicInteger();
        for (int round = 0; round < 20; round++) {
            var router = new Router();
            options.port = 0;
            options.observer = new Observer() { };
            var let = new AtomicInteger();
            router.route("POST", "/x", request -> {
                let.incrementAndGet();
                Thread.yield();
                return Response.empty(204);
            });
            try (var service = HttpService.start(options, router);
                    var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 20; i++) {
                    executor.submit(() -> {
                        try (var wire = new Wire(service)) {
                            (wire.post("/x", "text/plain", "abc").answer().status() == 204 ? answered : refused)
                                    .incrementAndGet();
                        }
                        return null;
                    });
                }
                while (let.get() < round) {
                    Thread.onSpinWait();
                }
                router.refuse("stopping");
                assertTrue(service.awaitIdle(Duration.ofHours(1)));
                int before = let.get();
                executor.shutdown();
                assertTrue(executor.awaitTermination(1, TimeUnit.HOURS));
                assertEquals(before, let.get(), "nobody has come in since");
            }
        }
        assertEquals(400, answered.get() + refused.get());
    }

    @Test
    void aHookOrObserverThatClosesItsServiceIsTold() throws Exception {
        var service = new AtomicReference<HttpService>();
        var told = new ConcurrentLinkedQueue<Class<?>>();
        Runnable close = () -> {
            try {
                service.get().close();
            } catch (IllegalStateException e) {
                told.add(e.getClass());
            }
        };
        router.beforeBody(request -> {
            close.run();
            return null;
        });
        router.errors((status, why, request) -> {
            close.run();
            return Response.text(status, why);
        });
        service.set(start());
        try (var open = service.get(); var wire = new Wire(open)) {
            assertEquals(404, wire.get("/nowhere").answer().status());
            assertEquals(2, told.size());
            assertEquals(200, wire.get("/hello").answer().status());
        }
    }
}
