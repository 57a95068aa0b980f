import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** SimpleHttpServer, HttpMiddleware and HttpRequests. */
@Timeout(600)
class HttpServersTest {

    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private final HttpClient client = HttpClient.newHttpClient();
    private final ExecutorService handlers = Executors.newCachedThreadPool();
    private HttpServer plain;

    @AfterEach
    void stop() {
        client.shutdownNow();
        handlers.shutdownNow();
        if (plain != null) {
            plain.stop(0);
        }
    }

    private URI plain(HttpHandler handler, Filter... filters) throws IOException {
        plain = HttpServer.create(LOOPBACK, 0);
        plain.setExecutor(handlers);
        plain.createContext("/", handler).getFilters().addAll(List.of(filters));
        plain.start();
        return URI.create("http://127.0.0.1:" + plain.getAddress().getPort() + "/");
    }

    private HttpResponse<String> post(URI uri, BodyPublisher body, String... headers) throws IOException,
            InterruptedException {
        var request = HttpRequest.newBuilder(uri).POST(body);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    @Test
    void clientsThatStopInMidRequestDoNotStopTheServer() throws Exception {
        var stalled = new ArrayList<Socket>();
        try (var server = new SimpleHttpServer(LOOPBACK,
                Map.of("/", request -> SimpleHttpServer.Answer.text(200, "ok")), List.of(), Duration.ZERO)) {
            for (int i = 0; i < 20; i++) {
                var socket = new Socket("127.0.0.1", server.uri().getPort());
                socket.getOutputStream()
                        .write((i % 2 == 0 ? "GET / HT"
                                : "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf").getBytes());
                stalled.add(socket);
            }
            for (int i = 0; i < 5; i++) {
                assertEquals("ok", post(server.uri(), BodyPublishers.noBody()).body());
            }
        } finally {
            for (Socket socket : stalled) {
                socket.close();
            }
        }
    }

    @Test
    void failuresAreAnswered() throws Exception {
        Logger.getLogger("http").setLevel(Level.OFF);
        Map<String, SimpleHttpServer.Handler> routes = Map.of("/exception", request -> {
            throw new Exception("checked");
        }, "/error", request -> {
            throw new StackOverflowError("made up");
        }, "/null", request -> null, "/empty", request -> SimpleHttpServer.Answer.text(204, ""));
        try (var server = new SimpleHttpServer(LOOPBACK, routes, List.of(), Duration.ZERO)) {
            assertEquals(500, post(server.uri().resolve("/exception"), BodyPublishers.noBody()).statusCode());
            assertEquals(500, post(server.uri().resolve("/error"), BodyPublishers.noBody()).statusCode());
            assertEquals(500, post(server.uri().resolve("/null"), BodyPublishers.noBody()).statusCode());
            assertEquals(204, post(server.uri().resolve("/empty"), BodyPublishers.noBody()).statusCode());
            assertEquals(404, post(server.uri().resolve("/nowhere"), BodyPublishers.noBody()).statusCode());
        }
    }

    @Test
    void closeInterruptsHandlersAndWaitsForThem() throws Exception {
        var inside = new CountDownLatch(1);
        var ended = new AtomicBoolean();
        var server = new SimpleHttpServer(LOOPBACK, Map.of("/", request -> {
            inside.countDown();
            try {
                Thread.sleep(60_000);
            } finally {
                Thread.interrupted();
                Thread.sleep(50); // a slow cleanup
                ended.set(true);
            }
            return SimpleHttpServer.Answer.text(200, "late");
        }), List.of(), Duration.ZERO);
        Logger.getLogger("http").setLevel(Level.OFF);
        var call = Thread.ofVirtual()
                .start(() -> assertThrows(IOException.class, () -> post(server.uri(), BodyPublishers.noBody())));
        inside.await();
        server.close();
        assertTrue(ended.get());
        call.join();
    }

    @Test
    void anInterruptedHandlerIsAnsweredAllTheSame() throws Exception {
        Logger.getLogger("http").setLevel(Level.OFF);
        Map<String, SimpleHttpServer.Handler> routes = Map.of("/thrown", request -> {
            throw new InterruptedException("a deadline of its own");
        }, "/flag", request -> {
            Thread.currentThread().interrupt();
            return SimpleHttpServer.Answer.text(503, "busy");
        }, "/toString", request -> {
            throw new IllegalStateException() {
                private static final long serialVersionUID = 1;

                @Override
                public String toString() {
                    throw new IllegalStateException("toString");
                }
            };
        }, "/header", request -> new SimpleHttpServer.Answer(200, "text/plain\r\nX: y", new byte[0]));
        try (var server = new SimpleHttpServer(LOOPBACK, routes, List.of(), Duration.ZERO)) {
            assertEquals(500, post(server.uri().resolve("/thrown"), BodyPublishers.noBody()).statusCode());
            assertEquals(503, post(server.uri().resolve("/flag"), BodyPublishers.noBody()).statusCode());
            assertEquals(500, post(server.uri().resolve("/toString"), BodyPublishers.noBody()).statusCode());
            assertEquals(500, post(server.uri().resolve("/header"), BodyPublishers.noBody()).statusCode());
        }
        for (boolean throwing : new boolean[] {true, false}) {
            var uri = plain(exchange -> {
                Thread.currentThread().interrupt();
                if (throwing) {
                    throw new IllegalStateException();
                }
                exchange.getRequestBody().readAllBytes();
                Thread.interrupted();
                exchange.sendResponseHeaders(200, 2);
                exchange.getResponseBody().write("ok".getBytes());
                Thread.currentThread().interrupt();
            }, HttpMiddleware.errors((exchange, failure) -> { }));
            assertEquals(throwing ? "500 " : "200 ok", status(post(uri, BodyPublishers.noBody())));
            plain.stop(0);
        }
    }

    private static String status(HttpResponse<String> response) {
        return response.statusCode() + " " + response.body();
    }

    @Test
    @SuppressWarnings("try") // close() by hand is what is tested
    void closeInARequestIsRefusedAndSeveralClosesWait() throws Exception {
        Logger.getLogger("http").setLevel(Level.OFF);
        var self = new CompletableFuture<SimpleHttpServer>();
        var server = new SimpleHttpServer(LOOPBACK, Map.of("/", request -> {
            assertThrows(IllegalStateException.class, () -> self.get().close());
            return SimpleHttpServer.Answer.text(200, "refused");
        }), List.of(), Duration.ofSeconds(Long.MIN_VALUE));
        self.complete(server);
        assertEquals("200 refused", status(post(server.uri(), BodyPublishers.noBody())));
        Thread.currentThread().interrupt();
        server.close();
        assertTrue(Thread.interrupted(), "the flag is kept");
        server.close();
    }

    @Test
    void aHandlerIsInterruptedOnceWhateverClosersDo() throws Exception {
        Logger.getLogger("http").setLevel(Level.OFF);
        var inside = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var server = new SimpleHttpServer(LOOPBACK, Map.of("/", request -> {
            inside.countDown();
            while (go.getCount() > 0) {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                    interrupted.countDown();
                }
            }
            return SimpleHttpServer.Answer.text(200, "late");
        }), List.of(), Duration.ZERO);
        var call = Thread.ofVirtual()
                .start(() -> assertThrows(IOException.class, () -> post(server.uri(), BodyPublishers.noBody())));
        inside.await();
        var closers = List.of(Thread.ofVirtual().start(server::close), Thread.ofVirtual().start(server::close));
        interrupted.await();
        closers.forEach(Thread::interrupt);
        while (closers.stream().anyMatch(Thread::isInterrupted)) {
            Thread.onSpinWait();
        }
        go.countDown();
        for (var closer : closers) {
            closer.join();
        }
        assertEquals(1, interrupts.get());
        call.join();
    }

    @Test
    void refusesWhatCannotWorkAndLeavesNoListener() throws Exception {
        SimpleHttpServer.Handler handler = request -> null;
        assertThrows(NullPointerException.class, () -> new SimpleHttpServer(null, Map.of(), List.of(), Duration.ZERO));
        assertThrows(NullPointerException.class, () -> new SimpleHttpServer(LOOPBACK, null, List.of(), Duration.ZERO));
        assertThrows(NullPointerException.class, () -> new SimpleHttpServer(LOOPBACK, Map.of(), null, Duration.ZERO));
        assertThrows(NullPointerException.class, () -> new SimpleHttpServer(LOOPBACK, Map.of(), List.of(), null));
        for (int tries = 1; ; tries++) {
            int port;
            try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = free.getLocalPort();
            }
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
            assertThrows(IllegalArgumentException.class,
                    () -> new SimpleHttpServer(address, Map.of("no slash", handler), List.of(), Duration.ZERO));
            try {
                new SimpleHttpServer(address, Map.of("/", handler), List.of(), Duration.ZERO).close();
                break;
            } catch (BindException e) {
                assertTrue(tries < 5, e::toString); // else another process may have got the port meanwhile
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new SimpleHttpServer.Answer(100, "text/plain", new byte[0]));
        assertThrows(NullPointerException.class, () -> new SimpleHttpServer.Answer(200, null, new byte[0]));
        assertThrows(NullPointerException.class, () -> new SimpleHttpServer.Answer(200, "text/plain", null));
        assertThrows(NullPointerException.class, () -> HttpMiddleware.log(null));
        assertThrows(NullPointerException.class, () -> HttpMiddleware.errors(null));
        assertThrows(NullPointerException.class, () -> HttpMiddleware.bearer(null));
        assertThrows(IllegalArgumentException.class, () -> HttpMiddleware.concurrency(0));
        assertThrows(IllegalArgumentException.class, () -> HttpMiddleware.bodyLimit(-1));
    }

    @Test
    void aLogOrReportThatThrowsCostsNoAnswer() throws Exception {
        var uncaught = new CopyOnWriteArrayList<Throwable>();
        var thrown = new CopyOnWriteArrayList<Throwable>();
        var uri = plain(exchange -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {
                uncaught.add(e);
                throw new IllegalStateException("the uncaught handler");
            });
            throw new IllegalStateException("broken");
        }, new Filter() {
            @Override
            public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
                try {
                    chain.doFilter(exchange);
                } catch (Throwable e) {
                    thrown.add(e);
                    throw e;
                }
            }

            @Override
            public String description() {
                return "outermost";
            }
        }, HttpMiddleware.log(line -> {
            throw new AssertionError("log");
        }), HttpMiddleware.errors((exchange, failure) -> {
            throw new AssertionError("report");
        }));
        for (int i = 0; i < 3; i++) {
            assertEquals(500, post(uri, BodyPublishers.noBody()).statusCode());
        }
        while (uncaught.size() < 6) { // a report and a line for each request, after its answer
            Thread.sleep(1);
        }
        assertTrue(uncaught.stream().anyMatch(e -> e.getMessage().equals("report")));
        assertEquals(List.of(), thrown);
    }

    @Test
    void skippedBytesCountToo() throws Exception {
        var uri = plain(exchange -> {
            exchange.getRequestBody().skipNBytes(1001);
            exchange.sendResponseHeaders(200, -1);
        }, HttpMiddleware.errors((exchange, failure) -> { }), HttpMiddleware.bodyLimit(1000));
        assertEquals(413, post(uri, chunked(2000)).statusCode());
    }

    @Test
    void aBodyAnnouncedAsTooLargeIsAnsweredAlthoughTheClientPauses() throws Exception {
        var uri = plain(exchange -> exchange.sendResponseHeaders(200, -1),
                HttpMiddleware.errors((exchange, failure) -> { }), HttpMiddleware.bodyLimit(1000));
        try (var socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.getOutputStream().write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\nhalf".getBytes());
            assertEquals("HTTP/1.1 413", new String(socket.getInputStream().readNBytes(12)));
        }
    }

    /** HttpServer tells a handler nothing: what it writes is what fails, once the reset has come back. */
    @Test
    void onlyAWriteTellsThatTheClientHasGone() throws Exception {
        var gone = new CountDownLatch(1);
        var writes = new CompletableFuture<Integer>();
        var uri = plain(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write("begun".getBytes());
            exchange.getResponseBody().flush();
            await(gone);
            for (int i = 1; ; i++) {
                try {
                    exchange.getResponseBody().write("line\n".getBytes());
                    exchange.getResponseBody().flush();
                    Thread.sleep(1);
                } catch (IOException | InterruptedException e) {
                    writes.complete(i);
                    throw new IOException(e);
                }
            }
        });
        try (var socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: h\r\n\r\n".getBytes());
            // all of it: what is unread would be told by a reset
            for (String seen = ""; !seen.endsWith("begun\r\n"); ) {
                seen += (char) socket.getInputStream().read();
            }
        }
        gone.countDown();
        System.out.println("the client's end was noticed at write " + writes.get());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theLimitOfBodiesHoldsAnnouncedOrNot() throws Exception {
        var reported = new CopyOnWriteArrayList<Throwable>();
        var uri = plain(exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            // before the answer, after which the client goes on
            reported.add(new Exception(Integer.toString(body.length)));
            exchange.sendResponseHeaders(200, -1);
        }, HttpMiddleware.errors((exchange, failure) -> reported.add(failure)), HttpMiddleware.bodyLimit(1000));
        assertEquals(200, post(uri, BodyPublishers.ofByteArray(new byte[1000])).statusCode());
        assertEquals(413, post(uri, BodyPublishers.ofByteArray(new byte[1001])).statusCode());
        assertEquals(200, post(uri, chunked(1000)).statusCode());
        assertEquals(413, post(uri, chunked(1001)).statusCode());
        assertEquals(List.of("1000", "1000"), reported.stream().map(Throwable::getMessage).toList());
    }

    private static BodyPublisher chunked(int length) {
        return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[length]));
    }

    @Test
    void anAnswerThatFailsHalfWayIsSeenToBeIncomplete() throws Exception {
        var reported = new AtomicReference<Throwable>();
        var uri = plain(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(new byte[20_000]);
            exchange.getResponseBody().flush();
            throw new IllegalStateException("half way");
        }, HttpMiddleware.errors((exchange, failure) -> reported.set(failure)));
        // chunked: exchange.close() must not write the last chunk as if all were well
        assertThrows(IOException.class, () -> post(uri, BodyPublishers.noBody()));
        assertEquals("half way", reported.get().getMessage());
    }

    @Test
    void permitsComeBackAndTokensAreCompared() throws Exception {
        var uri = plain(exchange -> {
            throw new IllegalStateException("broken");
        }, HttpMiddleware.errors((exchange, failure) -> { }), HttpMiddleware.concurrency(1),
                HttpMiddleware.bearer("secret"));
        for (int i = 0; i < 20; i++) {
            assertEquals(500, admitted(uri, "Authorization", "Bearer secret").statusCode());
        }
        for (String wrong : List.of("Bearer secre", "Bearer secret2", "bearer secret", "Basic c2VjcmV0", "Bearer")) {
            assertEquals(401, admitted(uri, "Authorization", wrong).statusCode(), wrong);
        }
        var none = admitted(uri);
        assertEquals(401, none.statusCode());
        assertEquals("Bearer", none.headers().firstValue("WWW-Authenticate").orElseThrow());
    }

    /** Again while 503: a permit is free a moment after the answer. */
    private HttpResponse<String> admitted(URI uri, String... headers) throws IOException, InterruptedException {
        var response = post(uri, BodyPublishers.noBody(), headers);
        while (response.statusCode() == 503) {
            response = post(uri, BodyPublishers.noBody(), headers);
        }
        return response;
    }

    @Test
    void queriesAreEncoded() {
        var parameters = new LinkedHashMap<String, String>();
        parameters.put("a b", "1&2=3");
        parameters.put("ü", "+/?#");
        assertEquals("http://h/p?x=1&a+b=1%262%3D3&%C3%BC=%2B%2F%3F%23",
                HttpRequests.withQuery(URI.create("http://h/p?x=1#top"), parameters).toString());
        assertEquals("http://h/p", HttpRequests.withQuery(URI.create("http://h/p"), Map.of()).toString());
        assertEquals("http://h/p?a=", HttpRequests.withQuery(URI.create("http://h/p"), Map.of("a", "")).toString());
    }

    @Test
    void multipartHasAKnownLengthAndNoNameBreaksOut(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("a\"b.txt"), "content");
        var uri = plain(exchange -> {
            try (InputStream in = exchange.getRequestBody()) {
                byte[] body = in.readAllBytes();
                String length = exchange.getRequestHeaders().getFirst("Content-Length");
                byte[] answer = (length + " " + body.length + "\n"
                        + new String(body, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, answer.length);
                exchange.getResponseBody().write(answer);
            }
            exchange.close();
        });
        var request = new HttpRequests.Multipart().field("evil\"\r\nX: y", "välue").file("f", file,
                "text/plain").post(HttpRequest.newBuilder(uri)).build();
        String body = client.send(request, BodyHandlers.ofString()).body();
        String[] lengths = body.lines().findFirst().orElseThrow().split(" ");
        assertEquals(lengths[0], lengths[1], "the length is announced");
        assertTrue(body.contains("name=\"evil%22%0D%0AX: y\"\r\n") && body.contains("filename=\"a%22b.txt\"")
                && body.contains("\r\n\r\nvälue\r\n"), body);
    }

    @Test
    void aPartRefusesWhatWouldBreakIt(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("a.txt"), "content");
        var multipart = new HttpRequests.Multipart();
        assertThrows(NullPointerException.class, () -> multipart.field("name", null));
        assertThrows(IllegalArgumentException.class, () -> multipart.file("f", file, "text/plain\r\nX: y"));
        assertThrows(NullPointerException.class, () -> HttpErrors.of(null));
        assertThrows(NullPointerException.class, () -> TlsLoopback.selfSigned(null));
        assertTrue(assertThrows(IOException.class,
                () -> TlsLoopback.selfSigned("nonsense")).getMessage().startsWith("keytool: "));
    }
}
