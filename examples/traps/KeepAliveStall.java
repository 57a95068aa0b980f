import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Trap: {@code HttpServer} writes headers and body apart. On a kept connection the body waits, by Nagle's algorithm,
 * for the client's delayed acknowledgement of the headers: 40 ms a request, 25 requests a second. Nothing is busy
 * meanwhile.
 *
 * <p>Holds for: JDK 21 (measured: about 41 ms each). No stall on 25, 26, 27.
 * Cure: {@code sun.net.httpserver.nodelay=true}, set before the first server of the JVM is created: it is read once.
 *
 * <p>Run: {@code java examples/traps/KeepAliveStall.java}
 */
public final class KeepAliveStall {

    private static final int REQUESTS = 10;

    private KeepAliveStall() {
    }

    // @start region="right"
    private static void beforeTheFirstServer() {
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }
    // @end region="right"

    /** Nanoseconds of one request on a kept connection. */
    private static long measure() throws IOException, InterruptedException {
        // @start region="wrong"
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        // @end region="wrong"
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 2);
                exchange.getResponseBody().write("ok".getBytes());
            }
        });
        server.start();
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
                    .build();
            for (int i = 0; i < 5; i++) {
                client.send(request, BodyHandlers.ofString()); // opens the connection, loads the classes
            }
            long start = System.nanoTime();
            for (int i = 0; i < REQUESTS; i++) {
                client.send(request, BodyHandlers.ofString());
            }
            return (System.nanoTime() - start) / REQUESTS;
        } finally {
            server.stop(0);
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            beforeTheFirstServer();
            System.out.println(measure());
            return;
        }
        int jdk = Runtime.version().feature();
        double wrong = measure() / 1e6;
        double right = inAnotherJvm() / 1e6; // in this one the property is read already
        System.out.printf("wrong: as it comes, JDK %d:  %.1f ms a request on a kept connection%n", jdk, wrong);
        System.out.printf("right: nodelay before it:  %.1f ms%n", right);
        if (jdk < 25) {
            check(wrong > 35, "each request waits for a delayed acknowledgement");
        }
    }

    private static long inAnotherJvm() throws Exception {
        Path here = Path.of(KeepAliveStall.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(here.toString().endsWith(".java") ? List.of(here.toString())
                : List.of("-cp", here.toString(), "KeepAliveStall"));
        command.add("right");
        var process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        return Long.parseLong(new String(process.getInputStream().readAllBytes()).strip());
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
