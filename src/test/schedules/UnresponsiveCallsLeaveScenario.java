import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** UnresponsiveCalls: an interrupted caller leaves a deaf call, told once, which holds its thread to its end. */
public final class UnresponsiveCallsLeaveScenario {
    public static void main(String[] args) throws InterruptedException {
        var told = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var begun = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var calls = new UnresponsiveCalls(1, (call, outcome) -> told.addAndGet((Integer) outcome.resultNow()));
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                calls.call("deaf", () -> {
                    begun.countDown();
                    while (release.getCount() > 0) {
                        try {
                            release.await();
                        } catch (InterruptedException e) {
                            interrupts.incrementAndGet();
                        }
                    }
                    return 5;
                }, Duration.ofDays(9));
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "told once");
            } catch (ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        begun.await();
        caller.interrupt();
        caller.join();
        check(calls.abandoned() == 1, "left behind, and counted");
        try {
            calls.call("next", () -> {
                throw new AssertionError("not made");
            }, Duration.ofMillis(1));
            check(false, "no thread is free");
        } catch (RejectedExecutionException e) {
            check(e.getMessage().startsWith("next: no thread free, 1"), e.getMessage());
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
        while (interrupts.get() == 0) {
            Thread.onSpinWait();
        }
        release.countDown();
        int got = 0;
        Thread me = Thread.currentThread();
        try {
            got = calls.call("interrupts", () -> {
                me.interrupt();
                return 2;
            }, Duration.ofDays(9));
            check(Thread.interrupted(), "the flag is set again");
        } catch (InterruptedException e) {
            check(got == 0, "left");
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
        while (got + told.get() < 7 || calls.abandoned() > 0) {
            Thread.onSpinWait();
        }
        check(interrupts.get() == 1 && got + told.get() == 7, "one place each, told once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
