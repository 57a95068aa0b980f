import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Debounce: close() interrupts the action once and waits for its end, ends a flush(), and is refused in the action. */
public final class DebounceCloseScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var self = new Debounce<?>[1];
        var begun = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var flushed = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var debounce = new Debounce<Integer>(Duration.ofMillis(1), value -> {
            try {
                self[0].close();
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                begun.incrementAndGet();
            }
            try {
                Thread.sleep(Duration.ofDays(9));
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
            }
            while (flushed.getCount() > 0) {
                try {
                    flushed.await();
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            ended.incrementAndGet();
            throw new InterruptedException("the answer to close(): no failure");
        });
        self[0] = debounce;
        debounce.call(1);
        while (begun.get() == 0) {
            Thread.onSpinWait();
        }
        Thread flusher = Thread.ofVirtual().start(() -> {
            try {
                debounce.flush();
                check(ended.get() == 0, "at close(), before the end of the action");
                flushed.countDown();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread other = Thread.ofVirtual().start(() -> {
            debounce.close();
            check(ended.get() == 1, "has ended");
        });
        Thread.currentThread().interrupt();
        debounce.close();
        check(Thread.interrupted(), "the flag is kept");
        check(ended.get() == 1 && interrupts.get() == 1, "ended, told once: " + interrupts);
        flusher.join();
        other.join();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of time");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
