import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** PeriodicTask: close() tells a run once and waits for its end, interrupted or not; a handler that hangs is left. */
public final class PeriodicTaskCloseScenario {
    public static void main(String[] args) throws InterruptedException {
        plan();
        long start = System.nanoTime();
        var self = new PeriodicTask[1];
        var known = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        var task = PeriodicTask.start("task", Duration.ZERO, Duration.ofDays(9), () -> {
            known.await();
            refused(self[0]);
            begun.countDown();
            for (int i = 0; i < 2; i++) {
                try {
                    Thread.sleep(i == 0 ? Duration.ofDays(9) : Duration.ofMillis(10));
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            ended.incrementAndGet();
        }, (name, cause) -> check(false, "no failure: " + cause));
        self[0] = task;
        known.countDown();
        begun.await();
        Thread other = Thread.ofVirtual().start(() -> {
            task.close();
            check(ended.get() == 1, "waits for its end, too");
        });
        Thread.currentThread().interrupt();
        task.close();
        check(Thread.interrupted(), "the flag is kept");
        check(ended.get() == 1 && interrupts.get() == 1, "ended, told once: " + interrupts);
        other.join();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of time");
        hangs();
    }

    private static void hangs() throws InterruptedException {
        var told = new CountDownLatch(1);
        var reports = new AtomicInteger();
        var self = new PeriodicTask[1];
        var known = new CountDownLatch(1);
        var task = PeriodicTask.startAtFixedRate("task", Duration.ZERO, Duration.ofDays(9), () -> {
            throw new IllegalStateException("boom");
        }, (name, cause) -> {
            reports.incrementAndGet();
            try {
                known.await();
                refused(self[0]);
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                told.countDown();
            }
        });
        self[0] = task;
        known.countDown();
        while (reports.get() == 0) {
            Thread.onSpinWait();
        }
        task.close();
        told.await();
        check(reports.get() == 1, "its failure");
    }

    private static void plan() {
        var plan = PeriodicTask.Plan.fixedDelay(5, Duration.ofNanos(10), Duration.ofSeconds(1));
        check(!plan.begin(14) && plan.waitNanos(14) == 1, "not yet due");
        check(plan.begin(15) && !plan.begin(16) && plan.waitNanos(16) == Long.MAX_VALUE, "one run at a time");
        plan.ended(20);
        check(plan.waitNanos(20) == 1_000_000_000, "from its end");
    }

    private static void refused(PeriodicTask task) {
        try {
            task.close();
            check(false, "it would wait for itself");
        } catch (IllegalStateException e) {
            check(e.getMessage().contains("stop()"), "what to use");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
