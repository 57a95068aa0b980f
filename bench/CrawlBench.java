import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.concurrent.Executors;

/** {@code serve PORT_FILE}, or {@code crawl PORT PAGES LIMIT ROUNDS}: prints the requests per second of each round. */
public final class CrawlBench {

    private CrawlBench() {
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("serve")) {
            System.setProperty("sun.net.httpserver.nodelay", "true");
            System.setProperty("sun.net.httpserver.maxIdleConnections", "10000");
            byte[] body = "x".repeat(1000).getBytes();
            var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1000);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            server.createContext("/", exchange -> {
                try (exchange) {
                    exchange.sendResponseHeaders(200, body.length);
                    exchange.getResponseBody().write(body);
                }
            });
            server.start();
            System.out.println(server.getAddress().getPort());
        } else {
            int pages = Integer.parseInt(args[2]);
            int limit = Integer.parseInt(args[3]);
            var uris = new ArrayList<URI>();
            for (int i = 0; i < pages; i++) {
                uris.add(URI.create("http://127.0.0.1:" + args[1] + "/page/" + i));
            }
            var limits = new BoundedCrawl.Limits(limit, limit, Duration.ofSeconds(30));
            var rates = new ArrayList<Long>();
            try (var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
                for (int round = 0; round < Integer.parseInt(args[4]); round++) {
                    long start = System.nanoTime();
                    var outcomes = BoundedCrawl.all(client, uris, limits, BoundedCrawl.bytes(1_000_000));
                    rates.add(pages * 1_000_000_000L / (System.nanoTime() - start));
                    if (!outcomes.stream().allMatch(o -> o instanceof BoundedCrawl.Fetched<byte[]> f
                            && f.result().length == 1000)) {
                        throw new IllegalStateException("a page failed: " + outcomes.stream()
                                .filter(BoundedCrawl.Failed.class::isInstance).findFirst());
                    }
                }
            }
            System.out.println(rates + " best " + Collections.max(rates));
        }
    }
}
