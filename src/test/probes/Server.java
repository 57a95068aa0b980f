import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** What {@code com.sun.net.httpserver.HttpServer} does, each of it in a JVM of its own: its settings are read once. */
public final class Server {

    /** Rounds for what takes several connections. */
    private static final int MANY = 1_000;
    private static final Executor PLATFORM = Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            System.out.println(probe(args));
            Probe.end();
        }
        var probes = new ArrayList<Probe.Action>();
        add(probes, "server.first-byte-chunked", List.of(), "firstByte", "0");
        add(probes, "server.first-byte-known-length", List.of(), "firstByte", "5");
        add(probes, "server.attribute-seen-by-next-request", List.of(), "attribute");
        add(probes, "server.attribute-seen-by-next-request-property", List.of("-Djdk.httpserver.attributes=context"),
                "attribute");
        add(probes, "server.handler-throws-exception", List.of(), "handlerThrows", "exception");
        add(probes, "server.handler-throws-error", List.of(), "handlerThrows", "error");
        add(probes, "server.try-exchange-half-written", List.of(), "halfWritten");
        add(probes, "server.path-foobar-in-context-foo", List.of(), "status", "/foobar", "Host: x");
        add(probes, "server.path-foobar-in-context-foo-property",
                List.of("-Dsun.net.httpserver.pathMatcher=stringPrefix"), "status", "/foobar",
                "Host: x");
        add(probes, "server.path-below-context-foo", List.of(), "status", "/foo/bar", "Host: x");
        add(probes, "server.no-host", List.of(), "status", "/foo");
        add(probes, "server.two-hosts", List.of(), "status", "/foo", "Host: a", "Host: b");
        add(probes, "server.no-host-property", List.of("-Dsun.net.httpserver.disableHostValidation=true"), "status",
                "/foo");
        add(probes, "server.stop-idle", List.of(), "stop", "GET /done HTTP/1.1\r\nHost: x\r\n\r\n");
        add(probes, "server.stop-in-mid-request", List.of(), "stop", "GET /done HTTP/1.1\r\nHo");
        add(probes, "server.stop-handler-runs", List.of(), "stopWhileHandlerRuns");
        add(probes, "server.stop-ends-executor", List.of(), "stopEndsExecutor");
        add(probes, "server.frozen-by-two-half-requests", List.of(), "frozen");
        add(probes, "server.kept-connection-stalls", List.of(), "stall");
        add(probes, "server.kept-connection-stalls-nodelay", List.of("-Dsun.net.httpserver.nodelay=true"), "stall");
        add(probes, "server.without-executor", List.of(), "withoutExecutor");
        add(probes, "server.idle-connections-kept", List.of("-Dsun.net.httpserver.idleInterval=3600"), "idle");
        add(probes, "server.body-limit", List.of(), "bodyLimit");
        Probe.all(probes);
        Probe.end();
    }

    private static void add(List<Probe.Action> probes, String id, List<String> options, String... args) {
        var command = new ArrayList<>(List.of("Server"));
        command.addAll(List.of(args));
        probes.add(() -> Probe.print(id, Probe.jvm(options, command.toArray(String[]::new))));
    }

    private static String probe(String[] args) throws Exception {
        return switch (args[0]) {
            case "firstByte" -> firstByte(Long.parseLong(args[1]));
            case "attribute" -> attribute();
            case "handlerThrows" -> handlerThrows(args[1].equals("error"));
            case "halfWritten" -> halfWritten();
            case "status" -> status(args[1], List.of(args).subList(2, args.length));
            case "stop" -> stop(args[1]);
            case "stopWhileHandlerRuns" -> stopWhileHandlerRuns();
            case "stopEndsExecutor" -> stopEndsExecutor();
            case "frozen" -> frozen();
            case "stall" -> stall();
            case "withoutExecutor" -> withoutExecutor();
            case "idle" -> idle();
            case "bodyLimit" -> bodyLimit();
            default -> throw new IllegalArgumentException(args[0]);
        };
    }

    /** The handler sends the headers, then the body only when the client gave up waiting for them. */
    private static String firstByte(long length) throws Exception {
        var goOn = new CountDownLatch(1);
        var sent = new AtomicBoolean();
        HttpServer server = server(PLATFORM, exchange -> {
            exchange.sendResponseHeaders(200, length);
            sent.set(true);
            await(goOn);
            exchange.getResponseBody().write("hello".getBytes(StandardCharsets.US_ASCII));
            exchange.close();
        });
        try (var socket = request(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")) {
            Probe.until(sent::get);
            var in = socket.getInputStream();
            var there = new AtomicBoolean();
            Thread reader = Probe.daemon(() -> there.set(in.read() >= 0));
            String first = Probe.happens(there::get) ? "at once" : "with the body";
            goOn.countDown();
            reader.join();
            return first;
        }
    }

    private static String attribute() throws Exception {
        HttpServer server = server(PLATFORM, exchange -> {
            Object before = exchange.getAttribute("key");
            exchange.setAttribute("key", "set");
            answer(exchange, before == null ? "no" : "yes");
        });
        try (var client = HttpClient.newHttpClient()) {
            get(client, server);
            return get(client, server);
        }
    }

    private static String handlerThrows(boolean error) throws Exception {
        var runs = new AtomicInteger();
        HttpServer server = server(PLATFORM, exchange -> {
            runs.incrementAndGet();
            if (error) {
                throw new StackOverflowError();
            }
            throw new IllegalStateException();
        });
        var future = HttpClient.newHttpClient().sendAsync(HttpRequest.newBuilder(uri(server)).build(),
                BodyHandlers.discarding());
        return Probe.happens(future::isDone, MANY) ? "the client gives up, the handler ran " + runs + " times"
                : "the client hangs";
    }

    private static String halfWritten() throws Exception {
        HttpServer server = server(PLATFORM, exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().write("half".getBytes(StandardCharsets.US_ASCII));
                throw new IllegalStateException();
            } catch (IllegalStateException e) {
                // too late
            }
        });
        try (var client = HttpClient.newHttpClient()) {
            return "the client gets " + get(client, server) + " as a whole answer";
        }
    }

    private static String status(String path, List<String> headers) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/foo", exchange -> answer(exchange, "foo"));
        server.start();
        var lines = new ArrayList<>(List.of("GET " + path + " HTTP/1.1"));
        lines.addAll(headers);
        try (var socket = request(server, String.join("\r\n", lines) + "\r\nConnection: close\r\n\r\n")) {
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .replaceFirst("(?s)\\S+ (\\d+) .*", "$1");
        }
    }

    private static String stop(String request) throws Exception {
        HttpServer server = server(PLATFORM, exchange -> answer(exchange, "done"));
        try (var socket = request(server, request)) {
            if (request.endsWith("\r\n\r\n")) {
                while (socket.getInputStream().read() != 'e') {
                    // up to the end of "done"
                }
            } else {
                Probe.settle(0); // until the server has read half a request: nobody can ask it
            }
            Thread stopping = Probe.daemon(() -> server.stop(3_600));
            return Probe.happens(() -> !stopping.isAlive()) ? "returns at once" : "waits as long as it may";
        }
    }

    private static String stopWhileHandlerRuns() throws Exception {
        var running = new CountDownLatch(1);
        var interrupted = new AtomicBoolean();
        HttpServer server = server(PLATFORM, exchange -> {
            running.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
        });
        Socket socket = request(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        running.await();
        server.stop(0);
        socket.close();
        return Probe.happens(interrupted::get) ? "is interrupted" : "runs on";
    }

    private static String stopEndsExecutor() throws Exception {
        try (var executor = Executors.newCachedThreadPool()) {
            HttpServer server = server(executor, exchange -> answer(exchange, ""));
            server.stop(0);
            return executor.isShutdown() ? "yes" : "no";
        }
    }

    /** On a virtual-thread executor, two processors: two clients stop in the middle of their body. */
    private static String frozen() throws Exception {
        var inside = new AtomicInteger();
        HttpServer server = server(Thread::startVirtualThread, exchange -> {
            inside.incrementAndGet();
            exchange.getRequestBody().readAllBytes();
            answer(exchange, "");
        });
        String half = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
        var halves = List.of(request(server, half), request(server, half));
        Probe.until(() -> inside.get() == 2);
        Probe.settle(0); // both are in the read
        var answered = new AtomicBoolean();
        Socket socket = request(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        Probe.daemon(() -> answered.set(socket.getInputStream().read() >= 0));
        String frozen = Probe.happens(answered::get, MANY) ? "no" : "yes";
        Reference.reachabilityFence(halves); // a collection closes what nobody refers to
        return frozen;
    }

    /**
     * The fastest of many requests: a stall of 40 ms is a timer of the system's, so none is below it. But a connection
     * that is new, or had a pause of 200 ms, is acknowledged at once for 16 segments.
     */
    private static String stall() throws Exception {
        HttpServer server = server(PLATFORM, exchange -> answer(exchange, "e"));
        long fastest = Long.MAX_VALUE;
        try (var socket = request(server, "")) {
            int atOnce = 20;
            long last = System.nanoTime();
            for (int counted = 0; counted < 60 && fastest > 35_000_000; ) {
                long start = System.nanoTime();
                socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                readAnswer(socket.getInputStream());
                long end = System.nanoTime();
                if (end - last > 100_000_000) {
                    atOnce = 20;
                } else if (atOnce > 0) {
                    atOnce--;
                } else {
                    counted++;
                    fastest = Math.min(fastest, end - start);
                }
                last = end;
            }
        }
        return fastest > 35_000_000 ? "40 ms each" : "no";
    }

    private static String withoutExecutor() throws Exception {
        var inside = new AtomicInteger();
        var both = new AtomicBoolean();
        HttpServer server = server(null, exchange -> {
            inside.incrementAndGet();
            try {
                if (Probe.happens(() -> inside.get() == 2)) {
                    both.set(true);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            inside.decrementAndGet();
            answer(exchange, "e");
        });
        var sockets = List.of(request(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                request(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        for (Socket socket : sockets) {
            readAnswer(socket.getInputStream());
        }
        return both.get() ? "side by side" : "one request after the other";
    }

    private static String idle() throws Exception {
        HttpServer server = server(PLATFORM, exchange -> answer(exchange, "e"));
        var sockets = new ArrayList<Socket>();
        for (int i = 0; i < 220; i++) {
            Socket socket = request(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            readAnswer(socket.getInputStream());
            sockets.add(socket);
        }
        var kept = new AtomicInteger();
        Probe.happens(() -> {
            kept.set(0);
            sockets.forEach(socket -> kept.addAndGet(isOpen(socket) ? 1 : 0));
            return kept.get() == 200;
        });
        return "" + kept;
    }

    private static boolean isOpen(Socket socket) {
        try {
            socket.setSoTimeout(1);
            return socket.getInputStream().read() >= 0;
        } catch (SocketTimeoutException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static String bodyLimit() throws Exception {
        HttpServer server = server(PLATFORM, exchange -> answer(exchange, "" + exchange.getRequestBody()
                .readAllBytes().length));
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(uri(server))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[20_000_000])).build();
            return client.send(request, BodyHandlers.ofString()).body().equals("20000000") ? "none" : "some";
        }
    }

    private static HttpServer server(Executor executor, HttpHandler handler) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 300);
        server.setExecutor(executor);
        server.createContext("/", handler);
        server.start();
        return server;
    }

    private static void answer(HttpExchange exchange, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static String get(HttpClient client, HttpServer server) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri(server)).build(), BodyHandlers.ofString()).body();
    }

    private static URI uri(HttpServer server) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    private static Socket request(HttpServer server, String text) throws IOException {
        var socket = new Socket("127.0.0.1", server.getAddress().getPort());
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /** Headers and a body of one byte. */
    private static void readAnswer(InputStream in) throws IOException {
        var text = new StringBuilder();
        while (text.indexOf("\r\n\r\n") < 0) {
            text.append((char) in.read());
        }
        in.read();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
