import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Shield: an outcome in the moment of an interrupt is not lost; drain() and close() wait for all, and refuse. */
public final class ShieldDrainScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws Exception {
        long start = System.nanoTime();
        var told = new AtomicInteger();
        var shield = new Shield((section, outcome) -> told.addAndGet((Integer) outcome.resultNow()));
        Thread caller = Thread.currentThread();
        int got = 0;
        boolean left = false;
        try {
            got = shield.call("interrupts", () -> {
                caller.interrupt();
                return 1;
            }, LONG);
            check(Thread.interrupted(), "the flag is set again");
        } catch (InterruptedException e) {
            left = true;
        }
        Thread beside = Thread.ofVirtual().start(() -> {
            try {
                shield.call("minute", () -> {
                    Thread.sleep(Duration.ofMinutes(1));
                    return 10;
                }, Duration.ofMillis(1));
                check(false, "it takes a minute");
            } catch (TimeoutException e) {
                check(e.getMessage().startsWith("minute still runs"), "named: " + e.getMessage());
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        beside.join();
        var self = new CountDownLatch(1);
        Thread two = Thread.ofVirtual().start(() -> {
            try {
                check(shield.call("two minutes", () -> {
                    try {
                        shield.close();
                        check(false, "it would wait for itself");
                    } catch (IllegalStateException e) {
                        self.countDown();
                    }
                    Thread.sleep(Duration.ofMinutes(2));
                    return 100;
                }, LONG) == 100, "its outcome");
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        self.await();
        check(shield.drain(LONG) && shield.running().isEmpty(), "both have ended");
        check(got + told.get() == 11 && (got == 1) == !left, "one place each: " + got + " " + told);
        refused(shield);
        two.join();
        closes();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "woken, not out of time");
    }

    private static void closes() throws Exception {
        var ended = new AtomicInteger();
        var shield = new Shield((section, outcome) -> ended.addAndGet(10));
        for (int minutes = 1; minutes <= 2; minutes++) {
            var time = Duration.ofMinutes(minutes);
            try {
                shield.call("section", () -> {
                    Thread.sleep(time);
                    return ended.incrementAndGet();
                }, Duration.ZERO);
                check(false, "left at once");
            } catch (TimeoutException e) {
                check(e.getMessage().startsWith("section still runs"), "named");
            }
        }
        Thread.currentThread().interrupt();
        shield.close();
        check(Thread.interrupted() && ended.get() == 22, "all have ended, the flag is kept: " + ended);
        refused(shield);
    }

    private static void refused(Shield shield) throws Exception {
        try {
            shield.call("late", () -> {
                throw new AssertionError("not begun");
            }, LONG);
            check(false, "closed");
        } catch (RejectedExecutionException e) {
            check(e.getMessage().startsWith("late"), "named");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
