import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import service.JsonBody;
import service.Log;
import service.Main;
import service.Response;

/** The service with handlers that misbehave; {@code harness.ServiceIT} runs it in a JVM of its own. */
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
        Main.run(System.getenv(), settings -> {
            URI downstream = settings.uri("DOWNSTREAM"); // must be set
            boolean swallow = settings.oneOf("SWALLOW", 0, 1) == 1;
            Duration startDelay = settings.duration("START_DELAY", "0s", 0, 600_000);
            return service -> {
                service.closeAtStop(() -> Log.info("resource closed"));
                var router = service.router;
                router.route("GET", "/work", request -> {
                    Log.info("begun", "id", request.query("id"));
                    Thread.sleep(Long.parseLong(request.query("ms")));
                    return Response.text(200, request.query("id"));
                });
                router.route("POST", "/length", request -> Response.text(200, String.valueOf(request.body().length)));
                router.route("POST", "/upload", request -> {
                    long length = 0;
                    byte[] part = new byte[8192];
                    for (int n = 0; n >= 0; n = request.stream().read(part)) {
                        length += n;
                    }
                    return Response.text(200, String.valueOf(length));
                }).streaming().maxBody(1 << 30);
                router.route("GET", "/throw", request -> {
                    if (request.query("what").equals("error")) {
                        throw new StackOverflowError("on purpose\nsecond line");
                    }
                    throw new IllegalStateException("on purpose\nsecond line");
                });
                router.route("GET", "/hang", request -> {
                    while (true) {
                        try {
                            Thread.sleep(Duration.ofDays(1));
                        } catch (InterruptedException e) {
                            if (!"yes".equals(request.query("ignore"))) {
                                Log.info("interrupted", "gone", request.clientGone());
                                throw e;
                            }
                        }
                    }
                });
                router.route("GET", "/spin", request -> { // computes, and heeds nothing
                    long end = System.nanoTime() + Long.parseLong(request.query("ms")) * 1_000_000;
                    while (System.nanoTime() - end < 0) {
                        Thread.onSpinWait();
                    }
                    return Response.text(200, "spun");
                });
                router.route("GET", "/half", request -> Response.stream(200, "text/plain", out -> {
                    out.write("half of the answer".getBytes(StandardCharsets.US_ASCII));
                    out.flush();
                    throw new IllegalStateException("the database has gone");
                }));
                router.route("GET", "/large", request -> Response.stream(200, "text/plain", out -> {
                    byte[] part = "0123456789abcdef".repeat(64).getBytes(StandardCharsets.US_ASCII);
                    for (int i = 0; i < Integer.parseInt(request.query("kb")); i++) {
                        out.write(part);
                    }
                }));
                router.route("GET", "/events", request -> Response.events(sink -> {
                    while (true) {
                        sink.send(null, null, "tick");
                        Thread.sleep(20);
                    }
                }));
                router.route("GET", "/never", request -> null);
                router.route("GET", "/flag", request -> {
                    Thread.currentThread().interrupt(); // left behind
                    return Response.text(200, "x".repeat(100_000));
                });
                router.route("GET", "/pin", request -> {
                    Thread.ofVirtual().start(SlowToLoad::load).join();
                    return Response.text(200, "");
                });
                router.route("GET", "/call", request -> Response.text(200,
                        String.valueOf(service.outgoing.call(HttpRequest.newBuilder(downstream), request.memory())
                                .body().length)));
                router.route("GET", "/inherit/{name}", request ->
                        JsonBody.response(200, Map.of("name", request.path("name"))));
                try {
                    Thread.sleep(startDelay);
                } catch (InterruptedException e) {
                    if (!swallow) {
                        throw e;
                    }
                }
            };
        });
    }
}
