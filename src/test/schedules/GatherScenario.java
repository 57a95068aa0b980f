import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Gather: a failure beside two interrupts of the caller: one of both is thrown, all have ended, each heard one
 * interrupt.
 */
public final class GatherScenario {
    public static void main(String[] args) {
        var inside = new AtomicInteger();
        var twice = new AtomicInteger();
        Callable<Integer> endless = () -> {
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
        Callable<Integer> failing = () -> {
            throw new IllegalStateException("boom");
        };
        Thread caller = Thread.currentThread();
        Thread other = Thread.ofVirtual().start(() -> {
            caller.interrupt();
            caller.interrupt();
        });
        try {
            Gather.all(List.of(endless, failing));
            check(false, "one of both is thrown");
        } catch (InterruptedException e) {
            check(inside.get() == 0, "all have ended");
        } catch (ExecutionException e) {
            check(inside.get() == 0 && e.getCause().getMessage().equals("boom"), "all have ended");
        }
        check(twice.get() == 0, "one interrupt");
        while (other.isAlive()) {
            try {
                other.join();
            } catch (InterruptedException e) {
                continue; // the second one
            }
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
