package service;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Health: starting, then what the checks say, then stopping for good; one that hangs is down, and not begun again. */
public final class HealthScenario {
    public static void main(String[] args) throws InterruptedException {
        Log.LINES.clear();
        var health = new Health();
        var runs = new AtomicInteger();
        var release = new CountDownLatch(1);
        health.readiness("hangs", Duration.ofMinutes(1), () -> {
            runs.incrementAndGet();
            release.await();
        });
        health.readiness("fails", Duration.ofMinutes(1), () -> {
            throw new IllegalStateException("boom");
        });
        health.readiness("well", Duration.ofMinutes(1), () -> check(!health.isStarting(), "not before"));
        check(health.isStarting() && health.failures().equals(Map.of("service", "starting")), "starting");
        health.started();
        Thread other = Thread.ofVirtual().start(() -> check(down(health), "down"));
        check(down(health), "down");
        other.join();
        check(down(health) && runs.get() == 1, "it hangs, and is not begun again");
        release.countDown();
        while (health.failures().size() == 2) {
            Thread.onSpinWait();
        }
        check(health.failures().equals(Map.of("fails", "failed, see the log")), "the others are well");
        check(Log.LINES.contains("not ready: fails: boom"), "why");

        Thread starter = Thread.ofVirtual().start(health::started);
        health.stopping();
        starter.join();
        check(health.failures().equals(Map.of("service", "stopping")) && !health.isStarting(), "stopping, for good");
        var early = new Health();
        Thread late = Thread.ofVirtual().start(early::started);
        early.stopping();
        late.join();
        check(early.failures().equals(Map.of("service", "stopping")), "also if it has only just started");
    }

    private static boolean down(Health health) {
        try {
            return health.failures().equals(Map.of("fails", "failed, see the log", "hangs",
                    "no answer within 60000 ms"));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
