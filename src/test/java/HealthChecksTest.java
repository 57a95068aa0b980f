import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class HealthChecksTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);
    private static final Duration SHORT = Duration.ofMillis(20);
    private final HealthChecks health = new HealthChecks();
    private final AtomicInteger runs = new AtomicInteger();

    private void started() throws InterruptedException {
        assertTrue(health.probe(HealthChecks.Probe.STARTUP).up());
    }

    @Test
    void runsTheChecksOfThatKindAtOnce() throws Exception {
        var together = new CyclicBarrier(3);
        for (String name : List.of("a", "b", "c")) {
            health.add(name, HealthChecks.Probe.LIVENESS, LONG, together::await);
        }
        health.add("other", HealthChecks.Probe.READINESS, LONG, () -> {
            throw new AssertionError("called");
        });
        assertEquals(new HealthChecks.Report(true, Map.of()), health.probe(HealthChecks.Probe.LIVENESS));
    }

    @Test
    void saysWhatFailedAndWhyAnErrorToo() throws Exception {
        health.add("io", HealthChecks.Probe.LIVENESS, LONG, () -> {
            throw new IOException("refused");
        });
        health.add("fine", HealthChecks.Probe.LIVENESS, LONG, () -> { });
        health.add("error", HealthChecks.Probe.LIVENESS, LONG, () -> {
            throw new StackOverflowError();
        });
        var report = health.probe(HealthChecks.Probe.LIVENESS);
        assertEquals(new HealthChecks.Report(false, Map.of("io", "java.io.IOException: refused", "error",
                "java.lang.StackOverflowError")), report);
        assertEquals(List.of("io", "error"), List.copyOf(report.failures().keySet()));
    }

    @Test
    void eachHasItsOwnDeadline() throws Exception {
        var interrupted = new CountDownLatch(1);
        health.add("waits for the other's interrupt", HealthChecks.Probe.LIVENESS, LONG, interrupted::await);
        health.add("hangs", HealthChecks.Probe.LIVENESS, SHORT, () -> {
            try {
                new CountDownLatch(1).await();
            } finally {
                interrupted.countDown();
            }
        });
        var report = health.probe(HealthChecks.Probe.LIVENESS);
        assertEquals(java.util.Set.of("hangs"), report.failures().keySet());
        assertTrue(report.failures().get("hangs").startsWith("no answer for "));
    }

    @Test
    void aCheckThatHangsIsNotRunAgainUntilItHasEnded() throws Exception {
        var go = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new CountDownLatch(1);
        health.add("hangs", HealthChecks.Probe.LIVENESS, SHORT, () -> {
            runs.incrementAndGet();
            for (boolean waited = false; !waited; ) {
                try {
                    go.await();
                    waited = true;
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            ended.countDown();
        });
        for (int i = 0; i < 50; i++) {
            assertFalse(health.probe(HealthChecks.Probe.LIVENESS).up());
        }
        while (interrupts.get() == 0) { // on its way to a busy thread, which may not even have begun
            Thread.yield();
        }
        assertEquals(1, runs.get());
        go.countDown();
        ended.await();
        assertEquals(1, interrupts.get(), "interrupted once");
        // back again with a run of its own: a probe may still join the first one, which ends a moment later
        while (!health.probe(HealthChecks.Probe.LIVENESS).up() || runs.get() == 1) {
            Thread.yield();
        }
    }

    @Test
    void probesAtTheSameTimeShareARun() throws Exception {
        var go = new CountDownLatch(1);
        var running = new CountDownLatch(1);
        health.add("shared", HealthChecks.Probe.LIVENESS, LONG, () -> {
            runs.incrementAndGet();
            running.countDown();
            go.await();
            throw new IOException();
        });
        var reports = IntStream.range(0, 50).mapToObj(i -> new CompletableFuture<HealthChecks.Report>()).toList();
        var probing = new CountDownLatch(50);
        var probers = reports.stream().map(report -> Thread.ofVirtual().start(() -> {
            try {
                probing.countDown();
                report.complete(health.probe(HealthChecks.Probe.LIVENESS));
            } catch (InterruptedException e) {
                report.completeExceptionally(e);
            }
        })).toList();
        probing.await();
        running.await();
        while (probers.stream().anyMatch(prober -> prober.getState() != Thread.State.TIMED_WAITING)) {
            Thread.yield();
        }
        go.countDown();
        for (var report : reports) {
            assertFalse(report.get().up());
        }
        assertEquals(1, runs.get());
    }

    @Test
    void readinessWaitsForStartupWhichStaysPassed() throws Exception {
        var migrated = new AtomicBoolean();
        health.add("migrated", HealthChecks.Probe.STARTUP, LONG, () -> {
            runs.incrementAndGet();
            if (!migrated.get()) {
                throw new IllegalStateException();
            }
        });
        health.add("ready", HealthChecks.Probe.READINESS, LONG, () -> { });
        assertFalse(health.probe(HealthChecks.Probe.STARTUP).up());
        assertEquals(new HealthChecks.Report(false, Map.of("application", "starting")),
                health.probe(HealthChecks.Probe.READINESS));
        migrated.set(true);
        started();
        assertTrue(health.probe(HealthChecks.Probe.READINESS).up());
        migrated.set(false);
        started();
        assertEquals(2, runs.get(), "not run again");
    }

    @Test
    void stoppingEndsReadinessAlone() throws Exception {
        health.add("ready", HealthChecks.Probe.READINESS, LONG, () -> {
            runs.incrementAndGet();
            health.stopping(); // while the probe is on its way
        });
        started();
        assertFalse(health.probe(HealthChecks.Probe.READINESS).up());
        assertEquals(new HealthChecks.Report(false, Map.of("application", "stopping")),
                health.probe(HealthChecks.Probe.READINESS));
        assertTrue(health.probe(HealthChecks.Probe.LIVENESS).up());
        assertEquals(1, runs.get());
    }

    @Test
    void anInterruptEndsTheProbeNotTheCheck() throws Exception {
        var go = new CountDownLatch(1);
        var running = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        health.add("slow", HealthChecks.Probe.LIVENESS, LONG, () -> {
            running.countDown();
            go.await();
            ended.countDown();
        });
        var seen = new CompletableFuture<Throwable>();
        var prober = Thread.ofVirtual().start(() -> {
            try {
                health.probe(HealthChecks.Probe.LIVENESS);
            } catch (InterruptedException e) {
                seen.complete(e);
            }
        });
        running.await();
        prober.interrupt();
        assertEquals(InterruptedException.class, seen.get().getClass());
        go.countDown();
        ended.await();
    }

    @Test
    void closeInterruptsWhatRuns() throws Exception {
        var running = new CountDownLatch(1);
        health.add("slow", HealthChecks.Probe.LIVENESS, LONG, () -> {
            running.countDown();
            new CountDownLatch(1).await();
        });
        var seen = new CompletableFuture<HealthChecks.Report>();
        Thread.ofVirtual().start(() -> {
            try {
                seen.complete(health.probe(HealthChecks.Probe.LIVENESS));
            } catch (InterruptedException e) {
                seen.completeExceptionally(e);
            }
        });
        running.await();
        health.close();
        assertFalse(seen.get().up());
        assertFalse(health.probe(HealthChecks.Probe.READINESS).up());
    }

    @Test
    void refusesNoCheck() {
        assertThrows(NullPointerException.class, () -> health.add("none", HealthChecks.Probe.LIVENESS, LONG, null));
    }

    /**
     * Many probers, checks that fail, hang and ignore their interrupt: never two runs of one check at a time, none left
     * running.
     */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        int kinds = 8;
        var alive = IntStream.range(0, kinds).mapToObj(i -> new AtomicInteger()).toList();
        var overlaps = new AtomicInteger();
        var down = new AtomicInteger();
        var results = new AtomicInteger();
        var random = new Random(1);
        for (int kind = 0; kind < kinds; kind++) {
            int mine = kind;
            health.add("check " + kind, HealthChecks.Probe.LIVENESS, Duration.ofNanos(500_000), () -> {
                overlaps.addAndGet(alive.get(mine).getAndIncrement());
                try {
                    switch (random.nextInt(40)) {
                        case 0 -> throw new IOException();
                        case 1 -> Thread.sleep(1);
                        case 2 -> java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
                        default -> {
                        }
                    }
                } finally {
                    alive.get(mine).decrementAndGet();
                }
            });
        }
        var wrong = new CompletableFuture<Void>();
        var probers = IntStream.range(0, 10).mapToObj(t -> Thread.ofVirtual().start(() -> {
            for (int i = 0; i < 1_500; i++) {
                try {
                    var report = health.probe(HealthChecks.Probe.LIVENESS);
                    results.addAndGet(kinds);
                    down.addAndGet(report.failures().size());
                    assertEquals(report.up(), report.failures().isEmpty());
                } catch (Throwable e) {
                    wrong.completeExceptionally(e);
                }
            }
        })).toList();
        for (var prober : probers) {
            prober.join();
        }
        wrong.getNow(null);
        for (var one : alive) {
            while (one.get() > 0) {
                Thread.sleep(1);
            }
        }
        System.out.println("HealthChecks: " + results + " results of checks, " + down + " down");
        assertEquals(0, overlaps.get());
        assertTrue(results.get() >= 100_000 && down.get() > 0);
    }

    @Test
    void aFailureWhoseToStringThrowsCostsTheOthersNothing() throws Exception {
        try (var health = new HealthChecks()) {
            health.add("broken", HealthChecks.Probe.LIVENESS, LONG, () -> {
                throw new IllegalStateException() {
                    private static final long serialVersionUID = 1;

                    @Override
                    public String toString() {
                        throw new AssertionError("toString");
                    }
                };
            });
            health.add("other", HealthChecks.Probe.LIVENESS, LONG, () -> {
                throw new java.io.IOException("down");
            });
            var report = health.probe(HealthChecks.Probe.LIVENESS);
            assertEquals(java.util.Set.of("broken", "other"), report.failures().keySet());
            assertEquals("java.io.IOException: down", report.failures().get("other"));
        }
    }

    @Test
    void limitsOfAnySize() throws Exception {
        var never = new java.util.concurrent.CountDownLatch(1);
        try (var health = new HealthChecks()) {
            health.add("past", HealthChecks.Probe.LIVENESS, Duration.ofSeconds(Long.MIN_VALUE), never::await);
            assertEquals(java.util.Set.of("past"), health.probe(HealthChecks.Probe.LIVENESS).failures().keySet());
            health.add("for ever", HealthChecks.Probe.STARTUP, Duration.ofSeconds(Long.MAX_VALUE), () -> { });
            assertTrue(health.probe(HealthChecks.Probe.STARTUP).up());
        }
    }

    @Test
    @SuppressWarnings("try") // close() by hand is what is tested
    void refusesWhatCannotWork() throws Exception {
        var limit = LONG;
        var probe = HealthChecks.Probe.LIVENESS;
        try (var health = new HealthChecks()) {
            assertThrows(NullPointerException.class, () -> health.add(null, probe, limit, () -> { }));
            assertThrows(NullPointerException.class, () -> health.add("a", null, limit, () -> { }));
            assertThrows(NullPointerException.class, () -> health.add("a", probe, null, () -> { }));
            assertThrows(NullPointerException.class, () -> health.add("a", probe, limit, null));
            assertThrows(NullPointerException.class, () -> health.probe(null));
            health.add("a", probe, limit, () -> { });
            assertThrows(IllegalArgumentException.class, () -> health.add("a", probe, limit, () -> { }));
            health.add("a", HealthChecks.Probe.STARTUP, limit, () -> { });
            health.add("closes", probe, limit, health::close);
            assertTrue(health.probe(probe).failures().get("closes").contains("close() within a check"));
        }
    }
}
