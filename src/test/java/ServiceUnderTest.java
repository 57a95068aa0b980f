import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/** The template filled in with handlers that misbehave; {@code harness.ServiceIT} runs it in a JVM of its own. */
public final class ServiceUnderTest {

    private ServiceUnderTest() {
    }

    /** Blocking in a class initializer pins on every JDK. */
    private static final class SlowToLoad {
        static {
            try {
                Thread.sleep(200);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private static void load() {
        }
    }

    public static void main(String[] args) {
        AsyncServiceTemplate.run(System.getenv(), settings -> {
            URI downstream = settings.uri("DOWNSTREAM"); // must be set
            Duration startDelay = settings.duration("START_DELAY", "0s", 0, 60_000);
            return service -> {
                service.closeAtStop(() -> AsyncServiceTemplate.Log.info("resource closed"));
                service.route("GET", "/work", request -> {
                    AsyncServiceTemplate.Log.info("begun", "id", request.query("id"));
                    Thread.sleep(Long.parseLong(request.query("ms")));
                    return AsyncServiceTemplate.Response.text(200, request.query("id"));
                });
                service.route("POST", "/length", request ->
                        AsyncServiceTemplate.Response.text(200, String.valueOf(request.body().length)));
                service.route("GET", "/throw", request -> {
                    if (request.query("what").equals("error")) {
                        throw new StackOverflowError("on purpose\nsecond line");
                    }
                    throw new IllegalStateException("on purpose\nsecond line");
                });
                service.route("GET", "/hang", request -> {
                    while (true) {
                        try {
                            Thread.sleep(Duration.ofDays(1));
                        } catch (InterruptedException e) {
                            if (!"yes".equals(request.query("ignore"))) {
                                throw e;
                            }
                        }
                    }
                });
                service.route("GET", "/twice", request -> {
                    request.exchange().sendResponseHeaders(200, 5);
                    request.exchange().getResponseBody().write("first".getBytes(StandardCharsets.US_ASCII));
                    return AsyncServiceTemplate.Response.text(500, "second");
                });
                service.route("GET", "/never", request -> null);
                service.route("GET", "/flag", request -> {
                    Thread.currentThread().interrupt(); // left behind
                    return AsyncServiceTemplate.Response.text(200, "x".repeat(100_000));
                });
                service.route("GET", "/pin", request -> {
                    Thread.ofVirtual().start(SlowToLoad::load).join();
                    return AsyncServiceTemplate.Response.text(200, "");
                });
                service.route("GET", "/call", request ->
                        AsyncServiceTemplate.Response.text(200, String.valueOf(service.call(HttpRequest.newBuilder(downstream)).body().length)));
                service.route("GET", "/inherit/{name}", request ->
                        AsyncServiceTemplate.Response.json(200, Map.of("name", request.path("name"))));
                Thread.sleep(startDelay);
            };
        });
    }
}
