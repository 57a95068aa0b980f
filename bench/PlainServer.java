import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/** An HttpServer as most people write it, for service-throughput.sh: {@code java PlainServer.java PORT}. */
public final class PlainServer {

    private static final Pattern ORDER = Pattern.compile("\\{\"item\": *\"([^\"]*)\", *\"count\": *(\\d+)}");

    private PlainServer() {
    }

    public static void main(String[] args) throws IOException {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/hello/", exchange ->
                answer(exchange, 200, "{\"hello\":\"" + exchange.getRequestURI().getPath()
                        .substring("/hello/".length()) + "\"}"));
        server.createContext("/orders", exchange -> {
            var order = ORDER.matcher(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            if (order.matches()) {
                answer(exchange, 201, "{\"item\":\"" + order.group(1) + "\",\"count\":" + order.group(2) + "}");
            } else {
                answer(exchange, 400, "{}");
            }
        });
        server.createContext("/ticks", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (var out = exchange.getResponseBody()) {
                while (true) {
                    out.write("data: tick\n\n".getBytes(StandardCharsets.UTF_8));
                    out.flush();
                    Thread.sleep(1_000);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        try (var out = exchange.getResponseBody()) {
            out.write(body);
        }
    }
}
