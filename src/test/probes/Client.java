import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * What {@code java.net.http.HttpClient} does, in JVMs of their own where a setting, a thread or a carrier counts: its
 * settings are read once. The rest share one.
 */
public final class Client {

    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Length: ";
    private static final String PROPERTY = "-Djdk.httpclient.";

    /** Exchanges: nothing of a client is left that the next one could meet. */
    private static final Set<String> SHARE = Set.of("attempts", "kept", "refused", "unknownHost", "redirects",
            "defaults", "redirect", "upgrade", "headers", "badLength");

    private static final List<Probe.Action> SHARED = new ArrayList<>();

    /** What a raw server does with a connection. */
    private interface Peer {
        void accepted(Socket socket, int number) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        boolean shared = List.of(args).equals(List.of("shared"));
        if (args.length > 0 && !shared) {
            System.out.println(probe(args));
            Probe.end();
        }
        var probes = new ArrayList<Probe.Action>();
        for (String method : List.of("GET", "HEAD", "POST", "PUT", "DELETE")) {
            add(probes, "client.attempts-" + method.toLowerCase(), List.of(), "attempts", method);
        }
        add(probes, "client.attempts-get-closed-in-headers", List.of(), "attempts", "GET", "HTTP/1.1 200 OK\r\nCont");
        add(probes, "client.attempts-get-closed-in-body", List.of(), "attempts", "GET", HEAD + "10\r\n\r\nabc");
        for (String limit : List.of("0", "1", "2", "10")) {
            var set = List.of(PROPERTY + "redirects.retrylimit=" + limit);
            add(probes, "client.attempts-get-retrylimit-" + limit, set, "attempts", "GET");
        }
        var one = List.of(PROPERTY + "redirects.retrylimit=1");
        var all = List.of(PROPERTY + "enableAllMethodRetry=true");
        add(probes, "client.attempts-post-enableAllMethodRetry", all, "attempts", "POST");
        add(probes, "client.attempts-get-disableRetryConnect", List.of(PROPERTY + "disableRetryConnect=true"),
                "attempts", "GET");
        add(probes, "client.kept-connection-dropped-get", List.of(), "kept", "GET");
        add(probes, "client.kept-connection-dropped-post", List.of(), "kept", "POST");
        add(probes, "client.kept-connection-dropped-get-retrylimit-1", one, "kept", "GET");
        add(probes, "client.refused", List.of(), "refused");
        add(probes, "client.refused-retrylimit-1", one, "refused");
        add(probes, "client.unknown-host", List.of(), "unknownHost");
        add(probes, "client.redirects-without-end", List.of(), "redirects");
        add(probes, "client.redirects-without-end-retrylimit-1", one, "redirects");
        add(probes, "client.redirects-without-end-retrylimit-10", List.of(PROPERTY + "redirects.retrylimit=10"),
                "redirects");
        add(probes, "client.defaults", List.of(), "defaults");
        add(probes, "client.redirect-keeps-headers-same-origin", List.of(), "redirect", "127.0.0.1", "same");
        add(probes, "client.redirect-keeps-headers-other-port", List.of(), "redirect", "127.0.0.1", "other");
        add(probes, "client.redirect-keeps-headers-other-host", List.of(), "redirect", "localhost", "other");
        add(probes, "client.upgrade-header", List.of(), "upgrade");
        add(probes, "client.header-limit-379", List.of(), "headers", "379");
        add(probes, "client.header-limit-380", List.of(), "headers", "380");
        add(probes, "client.header-limit-maxHeaderSize-2000", List.of("-Djdk.http.maxHeaderSize=2000"), "headers", "2");
        add(probes, "client.bad-content-length", List.of(), "badLength");
        add(probes, "client.timeout-in-body", List.of(), "bodyTimeout");
        add(probes, "client.timeout-in-stream", List.of(), "streamTimeout");
        add(probes, "client.timeout-in-upload", List.of(), "uploadTimeout");
        add(probes, "client.timeout-of-any-length", List.of(), "longTimeout");
        add(probes, "client.orTimeout-connection", List.of(), "connectionAfter", "orTimeout");
        add(probes, "client.cancel-connection", List.of(), "connectionAfter", "cancel");
        add(probes, "client.interrupt-connection", List.of(), "connectionAfter", "interrupt");
        add(probes, "client.close-with-open-body", List.of(), "closeWithOpenBody");
        add(probes, "client.send-after-close", List.of(), "sendAfterClose");
        add(probes, "client.shutdownNow-in-request", List.of(), "shutdownNow");
        add(probes, "client.unreferenced", List.of(), "unreferenced");
        add(probes, "client.selector-thread", List.of(), "selector");
        add(probes, "client.carriers-computing", List.of(), "carriersComputing");
        add(probes, "client.carriers-computing-never",
                List.of("-Djdk.internal.httpclient.tcp.selector.useVirtualThreads=never"),
                "carriersComputing");
        if (shared) {
            for (Probe.Action each : SHARED) {
                each.run();
            }
        } else {
            probes.addFirst(() -> System.out.println(Probe.jvm(List.of(), "Client", "shared")));
            Probe.all(probes);
        }
        Probe.end();
    }

    private static void add(List<Probe.Action> probes, String id, List<String> options, String... args) {
        if (options.isEmpty() && SHARE.contains(args[0])) {
            SHARED.add(() -> Probe.print(id, probe(args)));
            return;
        }
        var command = new ArrayList<>(List.of("Client"));
        command.addAll(List.of(args));
        probes.add(() -> Probe.print(id, Probe.jvm(options, command.toArray(String[]::new))));
    }

    private static String probe(String[] args) throws Exception {
        return switch (args[0]) {
            case "attempts" -> attempts(args[1], args.length > 2 ? args[2] : "");
            case "kept" -> keptConnectionDropped(args[1]);
            case "refused" -> refused();
            case "unknownHost" -> unknownHost();
            case "redirects" -> redirectsWithoutEnd();
            case "defaults" -> defaults();
            case "redirect" -> redirect(args[1], args[2].equals("same"));
            case "upgrade" -> upgrade();
            case "headers" -> headers(Integer.parseInt(args[1]));
            case "badLength" -> Probe.outcome(() -> send(HttpClient.newHttpClient(), answering(HEAD + "abc\r\n\r\n")));
            case "bodyTimeout" -> timeoutAfterHeaders(false);
            case "streamTimeout" -> timeoutAfterHeaders(true);
            case "uploadTimeout" -> uploadTimeout();
            case "longTimeout" -> Probe.outcome(() -> HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(answering(HEAD + "0\r\n\r\n"))
                    .timeout(Duration.ofSeconds(Long.MAX_VALUE)).build(), BodyHandlers.discarding()).statusCode());
            case "connectionAfter" -> connectionAfter(args[1]);
            case "closeWithOpenBody" -> closeWithOpenBody();
            case "sendAfterClose" -> sendAfterClose();
            case "shutdownNow" -> shutdownNow();
            case "unreferenced" -> unreferenced();
            case "selector" -> selector();
            case "carriersComputing" -> carriersComputing();
            default -> throw new IllegalArgumentException(args[0]);
        };
    }

    private static String attempts(String method, String answer) throws Exception {
        var connections = new AtomicInteger();
        URI uri = server((socket, number) -> {
            connections.set(number);
            readHead(socket);
            socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            socket.close();
        });
        String outcome = Probe.outcome(() -> HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).method(method, BodyPublishers.noBody()).build(),
                        BodyHandlers.ofString()));
        return outcome.startsWith("IOException") || outcome.startsWith("EOFException") ? connections + "" : connections
                + " " + outcome;
    }

    /** The server reads the second request of a connection and closes. */
    private static String keptConnectionDropped(String method) throws Exception {
        URI uri = server((socket, number) -> {
            readHead(socket);
            socket.getOutputStream().write((HEAD + "0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            readHead(socket);
            socket.close();
        });
        HttpClient client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(uri).method(method, BodyPublishers.noBody()).build();
        client.send(request, BodyHandlers.discarding());
        return type(Probe.outcome(() -> client.send(request, BodyHandlers.discarding()).statusCode()));
    }

    private static String refused() throws IOException {
        try (var bound = new Socket()) { // and does not listen: nobody else gets the port meanwhile
            bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            URI uri = URI.create("http://127.0.0.1:" + bound.getLocalPort());
            return Probe.outcome(() -> send(HttpClient.newHttpClient(), uri));
        }
    }

    private static String unknownHost() {
        try {
            return send(HttpClient.newHttpClient(), URI.create("http://no-such-host.invalid/"));
        } catch (IOException | InterruptedException e) {
            return Probe.thrown(e) + " <- " + Probe.thrown(root(e));
        }
    }

    private static String redirectsWithoutEnd() throws Exception {
        var requests = new AtomicInteger();
        URI uri = server((socket, number) -> {
            while (!readHead(socket).isEmpty()) {
                socket.getOutputStream()
                        .write(("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /" + requests.incrementAndGet()
                        + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            }
        });
        HttpClient client = HttpClient.newBuilder().followRedirects(Redirect.NORMAL).build();
        return Probe.outcome(() -> send(client, uri)) + " after " + requests;
    }

    private static String defaults() {
        HttpClient client = HttpClient.newHttpClient();
        return "redirects " + client.followRedirects() + ", cookies " + client.cookieHandler().isPresent()
                + ", connect timeout "
                + client.connectTimeout().isPresent() + ", version " + client.version();
    }

    private static String redirect(String host, boolean same) throws Exception {
        var heads = new CopyOnWriteArrayList<String>();
        Peer target = (socket, number) -> {
            heads.add(readHead(socket).toLowerCase());
            socket.getOutputStream().write((HEAD + "0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        };
        URI other = server(target);
        var first = new AtomicBoolean(true);
        URI uri = server((socket, number) -> {
            if (first.getAndSet(false)) {
                readHead(socket);
                String location = same ? "/target" : "http://" + host + ":" + other.getPort() + "/";
                socket.getOutputStream()
                        .write(("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + location
                        + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
                socket.close();
            } else {
                target.accepted(socket, number);
            }
        });
        HttpClient client = HttpClient.newBuilder().followRedirects(Redirect.NORMAL).build();
        client.send(HttpRequest.newBuilder(uri).header("Authorization", "Bearer token").header("Cookie", "a=b")
                .header("X-Api-Key", "key")
                .build(), BodyHandlers.discarding());
        var kept = List.of("Authorization", "Cookie", "X-Api-Key").stream()
                .filter(name -> heads.getLast().contains("\n" + name.toLowerCase() + ":")).toList();
        return String.join(", ", kept);
    }

    private static String upgrade() throws Exception {
        var heads = new CopyOnWriteArrayList<String>();
        var connections = new AtomicInteger();
        URI uri = server((socket, number) -> {
            connections.set(number);
            for (String head = readHead(socket); !head.isEmpty(); head = readHead(socket)) {
                heads.add(head);
                socket.getOutputStream().write((HEAD + "0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            }
        });
        HttpClient client = HttpClient.newHttpClient();
        for (String method : List.of("GET", "GET", "POST")) {
            client.send(HttpRequest.newBuilder(uri).method(method, BodyPublishers.noBody()).build(),
                    BodyHandlers.discarding());
        }
        return heads.stream().filter(head -> head.contains("Upgrade: h2c")).count() + " of 3 requests, connections "
                + connections;
    }

    private static String headers(int kilobytes) throws Exception {
        var text = new StringBuilder(HEAD + "0\r\n");
        for (int i = 0; i < kilobytes; i++) {
            text.append("X-").append(i).append(": ").append("y".repeat(1_000)).append("\r\n");
        }
        return type(Probe.outcome(() -> send(HttpClient.newHttpClient(), answering(text + "\r\n"))));
    }

    /**
     * The body stops after three bytes. What counts is a timeout after the headers: a cold client may take longer for
     * those, and then again with a longer one.
     */
    private static String timeoutAfterHeaders(boolean stream) throws Exception {
        URI uri = answering(HEAD + "10\r\n\r\nabc");
        for (var timeout = Duration.ofMillis(300); ; timeout = timeout.multipliedBy(4)) {
            var request = HttpRequest.newBuilder(uri).timeout(timeout).build();
            var headers = new AtomicBoolean();
            long end = System.nanoTime() + timeout.toNanos();
            var failure = new CompletableFuture<Throwable>();
            Probe.daemon(() -> {
                try (var body = HttpClient.newHttpClient().send(request, info -> {
                    headers.set(System.nanoTime() - end < 0);
                    return stream ? BodySubscribers.ofInputStream()
                            : BodySubscribers.mapping(BodySubscribers.ofByteArray(), ByteArrayInputStream::new);
                }).body()) {
                    body.readAllBytes();
                } catch (IOException e) {
                    failure.complete(e);
                }
            });
            Probe.happens(failure::isDone, (int) timeout.toMillis()); // each of 5 ms or more
            if (headers.get()) {
                return !failure.isDone() ? "does not fire" : root(failure.get()) instanceof HttpTimeoutException
                        ? "fires" : "" + failure.get();
            }
        }
    }

    private static Throwable root(Throwable e) {
        return e.getCause() == null ? e : root(e.getCause());
    }

    private static String uploadTimeout() throws Exception {
        var request = HttpRequest.newBuilder(silent()).POST(BodyPublishers.ofByteArray(new byte[30_000_000]));
        for (var timeout = Duration.ofMillis(300); ; timeout = timeout.multipliedBy(4)) {
            request.timeout(timeout);
            String outcome = type(Probe.outcome(() -> HttpClient.newHttpClient()
                    .sendAsync(request.build(), BodyHandlers.ofString()).get()));
            if (!outcome.equals("HttpConnectTimeoutException")) { // not even connected yet
                return outcome;
            }
        }
    }

    private static String connectionAfter(String end) throws Exception {
        var accepted = new AtomicBoolean();
        var closed = new AtomicBoolean();
        URI uri = server((socket, number) -> {
            readHead(socket);
            accepted.set(true);
            try {
                if (socket.getInputStream().read() >= 0) {
                    return;
                }
            } catch (IOException e) {
                // reset: closed as well
            }
            closed.set(true);
        });
        HttpClient client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(uri).build();
        if (end.equals("interrupt")) {
            Thread thread = Probe.daemon(() -> client.send(request, BodyHandlers.ofString()));
            Probe.until(accepted::get);
            thread.interrupt();
        } else {
            var future = client.sendAsync(request, BodyHandlers.ofString());
            Probe.until(accepted::get);
            if (end.equals("cancel")) {
                future.cancel(true);
            } else {
                Probe.outcome(() -> future.orTimeout(10, TimeUnit.MILLISECONDS).get());
            }
        }
        return Probe.happens(closed::get) ? "closed" : "open";
    }

    private static String closeWithOpenBody() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpResponse<?> response = client.send(HttpRequest.newBuilder(answering(HEAD + "10\r\n\r\nabc")).build(),
                BodyHandlers.ofInputStream());
        Thread closing = Probe.daemon(client::close);
        String first = Probe.happens(() -> !closing.isAlive()) ? "returns" : "waits";
        client.shutdownNow();
        closing.join();
        return first + "; shutdownNow ends it" + (response.statusCode() == 200 ? "" : "?");
    }

    private static String sendAfterClose() {
        HttpClient client = HttpClient.newHttpClient();
        client.close();
        return Probe.outcome(() -> send(client, URI.create("http://127.0.0.1:1/")));
    }

    private static String shutdownNow() throws Exception {
        var accepted = new AtomicBoolean();
        URI uri = server((socket, number) -> {
            readHead(socket);
            accepted.set(true);
            socket.getInputStream().read();
        });
        HttpClient client = HttpClient.newHttpClient();
        var future = client.sendAsync(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        Probe.until(accepted::get);
        client.shutdownNow();
        return Probe.outcome(future::get);
    }

    /** Clients that nobody closed and nobody refers to: does a collection end their threads? */
    private static String unreferenced() throws Exception {
        URI uri = server((socket, number) -> {
            while (!readHead(socket).isEmpty()) {
                socket.getOutputStream().write((HEAD + "0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            }
        });
        for (int i = 0; i < 5; i++) {
            send(HttpClient.newHttpClient(), uri);
        }
        return Probe.happens(() -> {
            System.gc();
            return threads().findAny().isEmpty();
        }) ? "end with a collection" : "stay";
    }

    private static java.util.stream.Stream<String> threads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                .filter(name -> name.startsWith("HttpClient-"));
    }

    private static String selector() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        send(client, answering(HEAD + "0\r\n\r\n"));
        String selectors = threads().filter(name -> name.endsWith("SelectorManager")).map(name -> "platform")
                .collect(Collectors.joining());
        return client.version() != null && selectors.isEmpty() ? "virtual" : selectors;
    }

    /** As many computing virtual threads as carriers; then a request from a platform thread, with a timeout. */
    private static String carriersComputing() throws Exception {
        URI uri = server((socket, number) -> {
            while (!readHead(socket).isEmpty()) {
                socket.getOutputStream().write((HEAD + "0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            }
        });
        HttpClient client = HttpClient.newHttpClient();
        send(client, uri);
        var computing = new AtomicInteger();
        int processors = Runtime.getRuntime().availableProcessors();
        Probe.settle(0); // nothing of the first request is left to do
        for (int i = 0; i < processors; i++) {
            Thread.startVirtualThread(() -> {
                computing.incrementAndGet();
                while (true) {
                    Thread.onSpinWait();
                }
            });
        }
        Probe.until(() -> computing.get() == processors);
        for (var timeout = Duration.ofSeconds(1); ; timeout = timeout.multipliedBy(4)) {
            var future = client.sendAsync(HttpRequest.newBuilder(uri).timeout(timeout).build(),
                    BodyHandlers.discarding());
            Probe.happens(future::isDone, (int) timeout.toMillis() * 2 / 5, processors);
            if (!future.isCompletedExceptionally()) {
                return future.isDone() ? "answered " + future.get().statusCode() : "no answer, no timeout";
            }
        }
    }

    private static String send(HttpClient client, URI uri) throws IOException, InterruptedException {
        BodyHandler<String> body = BodyHandlers.ofString();
        return "" + client.send(HttpRequest.newBuilder(uri).build(), body).statusCode();
    }

    private static String type(String outcome) {
        return outcome.replaceFirst(":.*", "");
    }

    private static URI answering(String answer) throws IOException {
        return server((socket, number) -> {
            readHead(socket);
            socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().read();
        });
    }

    private static URI silent() throws IOException {
        return server((socket, number) -> {
            try (socket) { // a collection closes what nobody refers to
                new CompletableFuture<>().get();
            }
        });
    }

    private static URI server(Peer peer) throws IOException {
        var server = new ServerSocket();
        server.setReceiveBufferSize(4_096);
        server.bind(new InetSocketAddress("127.0.0.1", 0), 100);
        Probe.daemon(() -> {
            for (int i = 1; ; i++) {
                Socket socket = server.accept();
                int number = i;
                Probe.daemon(() -> peer.accepted(socket, number));
            }
        });
        return URI.create("http://127.0.0.1:" + server.getLocalPort() + "/");
    }

    /** Empty at the end of the connection. */
    private static String readHead(Socket socket) throws IOException {
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                return "";
            }
            head.append((char) next);
        }
        return head.toString();
    }
}
