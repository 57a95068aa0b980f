import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** HealthChecks: two probes of a check that hangs share one run, both find it down, and it is interrupted once. */
public final class HealthChecksScenario {

    public static void main(String[] args) throws InterruptedException {
        var runs = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var release = new CountDownLatch(1);
        var health = new HealthChecks();
        health.add("hangs", HealthChecks.Probe.LIVENESS, Duration.ofSeconds(1), () -> {
            runs.incrementAndGet();
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
        });
        var other = Thread.ofVirtual().start(() -> {
            try {
                down(health.probe(HealthChecks.Probe.LIVENESS));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        down(health.probe(HealthChecks.Probe.LIVENESS));
        health.close();
        other.join();
        if (runs.get() > 1 || interrupts.get() > 1) {
            throw new AssertionError(runs + " runs, " + interrupts + " interrupts");
        }
        release.countDown();
        Map<String, String> failures;
        do {
            failures = health.probe(HealthChecks.Probe.LIVENESS).failures();
        } while (!failures.isEmpty());
    }

    private static void down(HealthChecks.Report report) {
        if (report.up() || !report.failures().keySet().equals(Set.of("hangs"))) {
            throw new AssertionError(report);
        }
    }
}
