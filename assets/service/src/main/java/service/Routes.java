package service;

import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Map;

/** <b>The file to edit</b>: what this service answers and does. */
public final class Routes implements Main.Application {
    // @start region="routes"
    private final URI prices;

    /** Reads settings of its own; every problem is reported at once. */
    public Routes(Settings settings) {
        this.prices = settings.uri("PRICES_URL", "http://localhost:8081/"); // no second argument: must be set
    }

    /**
     * Opens what is needed, says what is answered. Meanwhile probes are answered, all else gets 503. SIGTERM interrupts
     * it.
     */
    @Override
    public void start(Main service) {
        var router = service.router;
        router.route("GET", "/hello/{name}", request -> JsonBody.response(200, Map.of("hello", request.path("name"))));
        router.route("POST", "/orders", request -> {
            String item = JsonBody.field(request, "item", String.class); // or 400
            Long count = JsonBody.field(request, "count", Long.class);
            return JsonBody.response(request, 201, Map.of("item", item, "count", count));
        });
        router.route("POST", "/reports", request -> {
            service.tasks.background("report", () -> Log.info("report written")); // 503 if there are too many
            return JsonBody.response(202, Map.of("state", "accepted"));
        });
        router.route("GET", "/prices", request -> {
            var price = service.outgoing.call(HttpRequest.newBuilder(prices), request.memory());
            return Response.bytes(price.statusCode(), "application/json", price.body());
        });
        router.route("GET", "/ticks", request -> Response.events(sink -> {
            for (int tick = 0; true; tick++) {
                sink.send(String.valueOf(tick), null, "tick"); // fails if the client has gone
                Thread.sleep(Duration.ofSeconds(1));
            }
        }));
        service.health.readiness("disk", Duration.ofMillis(500), () -> { }); // throws if this instance cannot work
        service.tasks.every("sweeper", Duration.ofMinutes(1), () -> Log.info("swept"));
    }
    // @end region="routes"
}
