import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** AsCompleted: in order, never more than two ahead; leaving interrupts what runs, once, and waits for it. */
public final class AsCompletedScenario {
    public static void main(String[] args) throws InterruptedException {
        var begun = new AtomicInteger();
        var taken = new AtomicInteger();
        var running = new AtomicInteger();
        var interrupts = new AtomicInteger();
        Callable<Integer> quick = () -> {
            int now = begun.incrementAndGet();
            check(now - taken.get() <= 2, "at most two ahead");
            return now;
        };
        Callable<Integer> endless = () -> {
            running.incrementAndGet();
            try {
                new CountDownLatch(1).await();
                return -1;
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                throw e;
            } finally {
                running.decrementAndGet();
            }
        };
        try (var results = AsCompleted.inOrder(List.of(quick, quick, endless).iterator(), 2)) {
            for (int i = 0; i < 2; i++) {
                var outcome = results.next();
                check(outcome.index() == i, "in order: " + outcome);
                check(outcome instanceof AsCompleted.Outcome.Success<Integer>, "a success: " + outcome);
                taken.incrementAndGet();
            }
            try {
                results.next(Duration.ofMillis(1));
                check(false, "nothing comes");
            } catch (TimeoutException e) {
                Thread.currentThread().interrupt(); // as after an interrupt of next()
            }
        }
        check(Thread.interrupted(), "the flag is kept");
        check(running.get() == 0 && interrupts.get() <= 1, "ended, interrupted at most once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
