import com.sun.net.httpserver.HttpServer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/**
 * aiohttp: {@code session.get(url, params=...)}, {@code post(json=...)}, {@code post(data=...)}, {@code FormData},
 * {@code headers=...}. Final API, JDK 21 and later.
 *
 * <p>Use for bodies and queries that {@code HttpRequest} leaves to you. The JDK has no JSON: pass the text that your
 * library makes. Do not use {@link Multipart} for one large file to your own server: {@code FileTransfer} sends it as
 * is.
 *
 * <p>No state, thread-safe; a {@link Multipart} is for one thread until it is built.
 *
 * <p>Run: {@code java examples/http/HttpRequests.java}
 */
public final class HttpRequests {

    private HttpRequests() {
    }

    // @start region="query"
    /** Adds the parameters after those {@code page} has; names and values are encoded. A fragment is dropped. */
    public static URI withQuery(URI page, Map<String, String> parameters) {
        String text = page.toString().replaceFirst("#.*", "");
        return parameters.isEmpty() ? URI.create(text)
                : URI.create(text + (page.getRawQuery() == null ? "?" : "&") + encoded(parameters));
    }

    /** {@code application/x-www-form-urlencoded}, in the order of the map. */
    private static String encoded(Map<String, String> parameters) {
        return parameters.entrySet().stream()
                .map(parameter -> URLEncoder.encode(parameter.getKey(), StandardCharsets.UTF_8) + "="
                + URLEncoder.encode(parameter.getValue(), StandardCharsets.UTF_8)).collect(Collectors.joining("&"));
    }
    // @end region="query"

    // @start region="bodies"
    /** Sets method and Content-Type. */
    public static HttpRequest.Builder json(HttpRequest.Builder request, String method, String json) {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(json, "json");
        return request.header("Content-Type", "application/json").method(method, BodyPublishers.ofString(json));
    }

    /** A form as a browser sends it: POST. */
    public static HttpRequest.Builder form(HttpRequest.Builder request, Map<String, String> fields) {
        Objects.requireNonNull(fields, "fields");
        return request.header("Content-Type",
                "application/x-www-form-urlencoded").POST(BodyPublishers.ofString(encoded(fields)));
    }
    // @end region="bodies"

    // @start region="multipart"
    /** {@code multipart/form-data}; files are read while they are sent, so they may be larger than the heap. */
    public static final class Multipart {
        private final String boundary = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
        private final List<BodyPublisher> parts = new ArrayList<>();

        public Multipart field(String name, String value) {
            String head = head("name=\"" + quoted(name) + "\"", "text/plain; charset=utf-8");
            parts.add(BodyPublishers.ofString(head + Objects.requireNonNull(value, "value") + "\r\n"));
            return this;
        }

        /** @param contentType such as {@code application/octet-stream} */
        public Multipart file(String name, Path file, String contentType) throws FileNotFoundException {
            if (contentType.indexOf('\r') >= 0 || contentType.indexOf('\n') >= 0) {
                throw new IllegalArgumentException("contentType has a line end");
            }
            var disposition = "name=\"" + quoted(name) + "\"; filename=\"" + quoted(file.getFileName().toString())
                    + "\"";
            parts.add(BodyPublishers.ofString(head(disposition, contentType)));
            parts.add(BodyPublishers.ofFile(file));
            parts.add(BodyPublishers.ofString("\r\n"));
            return this;
        }

        public HttpRequest.Builder post(HttpRequest.Builder request) {
            var all = new ArrayList<>(parts);
            all.add(BodyPublishers.ofString("--" + boundary + "--\r\n"));
            return request.header("Content-Type", "multipart/form-data; boundary=" + boundary)
                    // the length is known, so not chunked
                    .POST(BodyPublishers.concat(all.toArray(BodyPublisher[]::new)));
        }

        private String head(String disposition, String contentType) {
            return "--" + boundary + "\r\nContent-Disposition: form-data; " + disposition + "\r\nContent-Type: "
                    + contentType + "\r\n\r\n";
        }

        /** As browsers do it: a quote or line end in a name would start a new header. */
        private static String quoted(String name) {
            return name.replace("\"", "%22").replace("\r", "%0D").replace("\n", "%0A");
        }
    }
    // @end region="multipart"

    public static void main(String[] args) throws Exception {
        // before the first server: on 21 a kept connection stalls 40 ms
        System.setProperty("sun.net.httpserver.nodelay", "true");
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) { // sends back what came
                var headers = exchange.getRequestHeaders();
                String text = exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                        + headers.getFirst("Content-Type") + " "
                        + headers.getFirst("Authorization") + "\n"
                                + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
                byte[] body = text.getBytes(StandardCharsets.UTF_8);
                boolean head = exchange.getRequestMethod().equals("HEAD");
                exchange.sendResponseHeaders(200, head ? -1 : body.length);
                if (!head) {
                    exchange.getResponseBody().write(body);
                }
            }
        });
        server.start();
        var base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/items?a=1");
        Path file = Files.createTempFile("multipart", ".txt");
        try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            Files.writeString(file, "content of the file");
            // @start region="use"
            var get = HttpRequest.newBuilder(HttpRequests.withQuery(base, Map.of("q", "a & b=ü")))
                    .header("Authorization", "Bearer token"); // setHeader replaces, header adds
            var put = HttpRequests.json(HttpRequest.newBuilder(base), "PUT", "{\"name\": \"Ada\"}");
            var login = HttpRequests.form(HttpRequest.newBuilder(base), Map.of("user", "Ada & Co"));
            var upload = new HttpRequests.Multipart().field("title", "A \"title\"").file("file", file, "text/plain")
                    .post(HttpRequest.newBuilder(base));
            var head = HttpRequest.newBuilder(base).HEAD(); // likewise DELETE(); PATCH: method("PATCH", body)
            // @end region="use"
            check(send(client, get).startsWith("GET /items?a=1&q=a+%26+b%3D%C3%BC null Bearer token"),
                    "query and header");
            check(send(client, put).endsWith("application/json null\n{\"name\": \"Ada\"}"), "JSON text");
            check(send(client, login).endsWith("\nuser=Ada+%26+Co"), "form");
            check(send(client, upload).contains("filename=\"" + file.getFileName()
                    + "\"\r\nContent-Type: text/plain\r\n\r\ncontent of the file\r\n--"),
                    "multipart");
            check(client.send(head.build(), BodyHandlers.ofString()).statusCode() == 200, "no body");
        } finally {
            server.stop(0);
            Files.delete(file);
        }
    }

    private static String send(HttpClient client, HttpRequest.Builder request) throws IOException,
            InterruptedException {
        String text = client.send(request.build(), BodyHandlers.ofString()).body();
        System.out.println(text + "\n");
        return text;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
