import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** HealthChecks: ready between a startup that has passed and stopping(), beside a probe; a late check is told once. */
public final class HealthChecksStopScenario {
    public static void main(String[] args) throws InterruptedException {
        ready();
        closed();
    }

    private static void ready() throws InterruptedException {
        var health = new HealthChecks();
        var starts = new AtomicInteger();
        health.add("start", HealthChecks.Probe.STARTUP, Duration.ofDays(9), starts::incrementAndGet);
        health.add("ready", HealthChecks.Probe.READINESS, Duration.ofDays(9), () -> check(starts.get() > 0, "started"));
        check(health.probe(HealthChecks.Probe.READINESS).failures().get("application").equals("starting"), "not yet");
        Thread other = probe(health, HealthChecks.Probe.STARTUP);
        check(health.probe(HealthChecks.Probe.STARTUP).up(), "started");
        other.join();
        int ran = starts.get();
        check(health.probe(HealthChecks.Probe.STARTUP).up() && starts.get() == ran, "once it has passed, no more");
        check(health.probe(HealthChecks.Probe.READINESS).up(), "ready");
        Thread beside = Thread.ofVirtual().start(health::stopping);
        health.probe(HealthChecks.Probe.READINESS);
        beside.join();
        check(health.probe(HealthChecks.Probe.READINESS).failures().get("application").equals("stopping"), "down");
        check(health.probe(HealthChecks.Probe.LIVENESS).up(), "liveness stays");
    }

    private static void closed() throws InterruptedException {
        var health = new HealthChecks();
        var interrupts = new AtomicInteger();
        var release = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        health.add("hangs", HealthChecks.Probe.LIVENESS, Duration.ofMillis(10), () -> {
            try {
                health.close();
                check(false, "close() within a check");
            } catch (IllegalStateException e) {
                begun.countDown();
            }
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            interrupts.addAndGet(Thread.interrupted() ? 1 : 0);
            ended.countDown();
        });
        health.add("start", HealthChecks.Probe.STARTUP, Duration.ofDays(9), () -> { });
        check(health.probe(HealthChecks.Probe.STARTUP).up(), "started");
        Thread other = probe(health, HealthChecks.Probe.LIVENESS);
        begun.await();
        check(!health.probe(HealthChecks.Probe.LIVENESS).up(), "late");
        other.join();
        health.close();
        release.countDown();
        ended.await();
        check(interrupts.get() == 1, "told once: " + interrupts);
        check(!health.probe(HealthChecks.Probe.READINESS).up(), "closed is stopping, too");
    }

    private static Thread probe(HealthChecks health, HealthChecks.Probe kind) {
        return Thread.ofVirtual().start(() -> {
            try {
                health.probe(kind);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
