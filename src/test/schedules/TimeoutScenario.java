import java.time.Duration;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Timeout: a result at the limit is returned or the task was interrupted, once; it has ended either way. */
public final class TimeoutScenario {
    public static void main(String[] args) throws Exception {
        var ended = new AtomicInteger();
        var interrupts = new AtomicInteger();
        try {
            int result = Timeout.call(() -> {
                try {
                    Thread.sleep(10);
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                    ended.incrementAndGet();
                    throw e;
                }
                ended.incrementAndGet();
                return 1;
            }, Duration.ofMillis(10));
            check(result == 1 && interrupts.get() == 0, "the result");
        } catch (TimeoutException e) {
            check(interrupts.get() == 1 && e.getSuppressed().length == 0, "interrupted");
        }
        check(ended.get() == 1, "ended");

        var item = new SynchronousQueue<Integer>();
        Thread caller = Thread.currentThread();
        Thread.ofVirtual().start(() -> {
            caller.interrupt();
            caller.interrupt();
        });
        try {
            Timeout.call(item::take, Duration.ofDays(1));
            check(false, "nothing to take");
        } catch (InterruptedException | TimeoutException e) { // the clock may run ahead by a day
            check(e.getSuppressed().length == 0, "the answer to the interrupt is not suppressed");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
