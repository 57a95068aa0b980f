import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: an {@code HttpClient} made for one call opens a connection for that call, keeps it for a next one that never
 * comes, and keeps its threads too: until the garbage collector finds it, or {@code close()}.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27: 25 calls leave 25 connections and about 50 threads, until a
 * garbage collection finds that nobody refers to the clients).
 * Cure: one client for the program, in a field; one that must be short-lived in {@code try (...)}.
 *
 * <p>Run: {@code java examples/traps/HttpClientPerRequest.java}
 */
public final class HttpClientPerRequest {

    private static final int CALLS = 25;

    private HttpClientPerRequest() {
    }

    // @start region="wrong"
    static String wrong(URI page) throws IOException, InterruptedException {
        return HttpClient.newHttpClient().send(HttpRequest.newBuilder(page).build(), BodyHandlers.ofString()).body();
    }
    // @end region="wrong"

    // @start region="right"
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    static String right(URI page) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(page).build(), BodyHandlers.ofString()).body();
    }
    // @end region="right"

    private interface Call {
        String get(URI page) throws IOException, InterruptedException;
    }

    /** Connections that {@code CALLS} calls have opened. */
    private static int connections(String name, Call call) throws IOException, InterruptedException {
        Set<Socket> open = ConcurrentHashMap.newKeySet();
        var opened = new AtomicInteger();
        try (var server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.startVirtualThread(() -> accept(server, open, opened));
            var page = URI.create("http://127.0.0.1:" + server.getLocalPort());
            long start = System.nanoTime();
            long threads = threads();
            for (int i = 0; i < CALLS; i++) {
                call.get(page);
            }
            System.out.println(name + CALLS + " calls opened " + opened + " connections, leave " + open.size()
                    + " and " + (threads() - threads) + " client threads, took "
                    + (System.nanoTime() - start) / 1_000_000 + " ms");
            return opened.get();
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName()
                .startsWith("HttpClient-")).count();
    }

    public static void main(String[] args) throws Exception {
        right(healthy()); // loads the classes
        int wrong = connections("wrong: ", HttpClientPerRequest::wrong);
        int right = connections("right: ", HttpClientPerRequest::right);
        check(wrong == CALLS, "each opens its own; the garbage collector may have found some already");
        check(right == 1, "one client keeps one connection for calls that follow one another");
    }

    private static URI healthy() throws IOException {
        var server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.startVirtualThread(() -> accept(server, ConcurrentHashMap.newKeySet(), new AtomicInteger()));
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    /** Answers every request with "ok" and keeps the connections. */
    private static void accept(ServerSocket server, Set<Socket> open, AtomicInteger opened) {
        try {
            while (true) {
                Socket socket = server.accept();
                open.add(socket);
                opened.incrementAndGet();
                Thread.startVirtualThread(() -> {
                    try (socket) {
                        while (socket.getInputStream().read(new byte[4096]) > 0) {
                            socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes());
                        }
                    } catch (IOException e) {
                        // the client has left
                    } finally {
                        open.remove(socket);
                    }
                });
            }
        } catch (IOException e) {
            // closed
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
