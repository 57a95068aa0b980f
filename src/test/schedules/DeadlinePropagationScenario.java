import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * DeadlinePropagation: two layers share a deadline: a call is interrupted once, and has ended when the outer one
 * throws.
 */
public final class DeadlinePropagationScenario {
    public static void main(String[] args) throws Exception {
        var inside = new AtomicInteger();
        var twice = new AtomicInteger();
        DeadlinePropagation.Call<Integer> endless = deadline -> {
            inside.incrementAndGet();
            try {
                new CountDownLatch(1).await();
                return 1;
            } finally {
                Thread.yield();
                twice.addAndGet(Thread.interrupted() ? 1 : 0);
                inside.decrementAndGet();
            }
        };
        try {
            var deadline = DeadlinePropagation.Deadline.after(Duration.ofMillis(10));
            deadline.all(List.of(outer -> outer.all(List.of(endless))));
            check(false, "it passes");
        } catch (TimeoutException e) {
            check(inside.get() == 0 && twice.get() == 0, "ended, interrupted once");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
