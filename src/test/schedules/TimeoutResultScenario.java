import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Timeout: a result after the limit or an interrupt is not lost; what a task throws instead of it is suppressed. */
public final class TimeoutResultScenario {
    public static void main(String[] args) throws Exception {
        check(Timeout.call(() -> {
            try {
                Thread.sleep(Duration.ofDays(9));
                return 1;
            } catch (InterruptedException e) {
                return 2;
            }
        }, Duration.ofMillis(10)) == 2, "its result, after the limit");
        try {
            Timeout.call(TimeoutResultScenario::fails, Duration.ofMillis(10));
            check(false, "out of time");
        } catch (TimeoutException e) {
            check(e.getMessage().startsWith("not done within"), "the limit: " + e.getMessage());
            check(e.getSuppressed().length == 1 && e.getSuppressed()[0].getMessage().equals("cleanup"), "suppressed");
        }
        var begun = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                check(Timeout.call(() -> {
                    begun.countDown();
                    try {
                        Thread.sleep(Duration.ofDays(9));
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                    }
                    return 3;
                }, Duration.ofDays(9)) == 3, "its result");
                check(Thread.interrupted() && interrupts.get() == 1, "the flag is set again");
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new AssertionError("the result is not lost", e);
            }
        });
        begun.await();
        caller.interrupt();
        caller.join();
        Thread failing = Thread.ofVirtual().start(() -> {
            try {
                Timeout.call(TimeoutResultScenario::fails, Duration.ofDays(9));
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(e.getSuppressed().length == 1 && !Thread.interrupted(), "suppressed, told once");
            } catch (ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        failing.interrupt();
        failing.join();
        try {
            Timeout.call(() -> {
                throw new TimeoutException("its own");
            }, Duration.ofDays(9));
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("its own"), "its failure");
        }
    }

    private static int fails() throws InterruptedException {
        try {
            Thread.sleep(Duration.ofDays(9));
            return 1;
        } catch (InterruptedException e) {
            throw new IllegalStateException("cleanup");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
