package service;

import java.util.concurrent.atomic.AtomicLong;

/** Metrics: nothing is lost of what two threads count, beside one that reads. */
public final class MetricsScenario {
    public static void main(String[] args) throws InterruptedException {
        var metrics = new Metrics();
        var value = new AtomicLong();
        Runnable caller = () -> {
            metrics.answered("/a", "GET", 200, 2_000_000);
            metrics.answered("/a", "GET", 503, 20_000_000_000L);
            value.incrementAndGet();
        };
        Thread other = Thread.ofVirtual().start(caller);
        Thread reader = Thread.ofVirtual().start(() -> check(metrics.text().startsWith("# TYPE http_requests_total"),
                "beside them"));
        metrics.value("served_total", value::get);
        caller.run();
        other.join();
        reader.join();
        String text = metrics.text();
        for (String line : new String[] {"http_requests_total{route=\"/a\",method=\"GET\",status=\"200\"} 2\n",
            "status=\"503\"} 2\n", "le=\"0.001\"} 0\n", "le=\"0.005\"} 2\n", "le=\"+Inf\"} 4\n",
            "_count{route=\"/a\"} 4\n",
            "# TYPE served_total counter\nserved_total 2\n"}) {
            check(text.contains(line), line + " in " + text);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
