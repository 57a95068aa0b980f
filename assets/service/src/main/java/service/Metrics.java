package service;

import java.util.Formatter;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/** Counts requests by route, and writes all in Prometheus' text format. Thread-safe. Needs no other file. */
public final class Metrics {
    private static final int[] BUCKETS = {1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000}; // milliseconds
    private final Map<String, Route> routes = new ConcurrentSkipListMap<>();
    private final Map<String, LongSupplier> values = new ConcurrentSkipListMap<>();

    private static final class Route {
        private final Map<String, LongAdder> answers = new ConcurrentHashMap<>(); // by labels
        private final LongAdder[] buckets = new LongAdder[BUCKETS.length + 1];
        private final LongAdder nanos = new LongAdder();

        private Route() {
            for (int i = 0; i < buckets.length; i++) {
                buckets[i] = new LongAdder();
            }
        }
    }

    /** @param pattern and @param method as configured, not as sent: clients may send any */
    public void answered(String pattern, String method, int status, long nanos) {
        Objects.requireNonNull(pattern, "pattern");
        Objects.requireNonNull(method, "method");
        var route = routes.get(pattern);
        route = route == null ? routes.computeIfAbsent(pattern, p -> new Route()) : route;
        String labels = "method=\"" + method + "\",status=\"" + status + '"';
        var counter = route.answers.get(labels);
        (counter == null ? route.answers.computeIfAbsent(labels, k -> new LongAdder()) : counter).increment();
        int bucket = 0;
        while (bucket < BUCKETS.length && nanos > BUCKETS[bucket] * 1_000_000L) {
            bucket++;
        }
        route.buckets[bucket].increment();
        route.nanos.add(nanos);
    }

    /** @param name ends in {@code _total} if it only grows */
    public void value(String name, LongSupplier value) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        values.put(name, value);
    }

    public String text() {
        var text = new Formatter(new StringBuilder(4096), Locale.ROOT);
        text.format("# TYPE http_requests_total counter\n");
        routes.forEach((pattern, route) -> route.answers.forEach((labels, count) ->
                text.format("http_requests_total{route=\"%s\",%s} %d\n", pattern, labels, count.sum())));
        String name = "http_request_duration_seconds";
        text.format("# TYPE %s histogram\n", name);
        routes.forEach((pattern, route) -> {
            long sum = 0;
            for (int i = 0; i < route.buckets.length; i++) {
                sum += route.buckets[i].sum();
                String most = i < BUCKETS.length ? String.valueOf(BUCKETS[i] / 1_000.0) : "+Inf";
                text.format("%s_bucket{route=\"%s\",le=\"%s\"} %d\n", name, pattern, most, sum);
            }
            text.format("%s_sum{route=\"%s\"} %s\n", name, pattern, route.nanos.sum() / 1e9);
            text.format("%s_count{route=\"%s\"} %d\n", name, pattern, sum);
        });
        values.forEach((value, supplier) ->
                text.format("# TYPE %1$s %2$s\n%1$s %3$s\n", value, value.endsWith("_total") ? "counter" : "gauge",
                        read(supplier)));
        return text.toString();
    }

    private static String read(LongSupplier value) {
        try {
            return String.valueOf(value.getAsLong());
        } catch (Throwable e) { // the others are still there
            return "NaN";
        }
    }
}
