package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What {@link Routes} answers, over the network. Keep it, and add a test for each route of yours. */
@Timeout(600)
class RoutesTest {

    private static HttpClient client;
    private static Main service;

    @BeforeAll
    static void start() throws Exception {
        var environment = new HashMap<>(Map.of("PORT", "0", "ACCESS_LOG", "0", "DRAIN_DELAY", "0s"));
        environment.put("PRICES_URL", "http://127.0.0.1:1/"); // nobody is there
        var settings = new Settings(environment);
        service = Main.start(settings, new Routes(settings));
        client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    @AfterAll
    static void stop() {
        client.shutdownNow();
        assertTrue(service.stop(), "nothing still runs");
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return client.send(request.timeout(Duration.ofSeconds(30)).build(), BodyHandlers.ofString());
    }

    private static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + service.port() + path));
    }

    private static HttpResponse<String> order(String json) throws Exception {
        return send(to("/orders").header("Content-Type", "application/json").POST(BodyPublishers.ofString(json)));
    }

    @Test
    void greets() throws Exception {
        var answer = send(to("/hello/J%C3%BCrgen"));
        assertEquals(200, answer.statusCode());
        assertEquals(Map.of("hello", "J\u00fcrgen"), Json.parse(answer.body()));
    }

    @Test
    void takesAnOrder() throws Exception {
        var answer = order("{\"item\":\"tea\",\"count\":3}");
        assertEquals(201, answer.statusCode());
        assertEquals(Map.of("item", "tea", "count", 3L), Json.parse(answer.body()));
    }

    @Test
    void refusesAnOrderWithoutItem() throws Exception {
        var answer = order("{\"count\":3}");
        assertEquals(400, answer.statusCode());
        assertTrue(answer.body().contains("item must be a String"), answer::body);
    }

    @Test
    void saysThatTheOtherServiceFailed() throws Exception {
        assertEquals(502, send(to("/prices")).statusCode());
    }

    @Test
    void isReady() throws Exception {
        assertEquals(200, send(to("/readyz")).statusCode());
        assertEquals(202, send(to("/reports").POST(BodyPublishers.noBody())).statusCode());
    }
}
