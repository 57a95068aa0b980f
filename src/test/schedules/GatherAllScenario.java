import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Gather: results in the order of the tasks; the first failure ends the sibling, which has one interrupt, and waits.
 */
public final class GatherAllScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        check(Gather.all(List.<Callable<Integer>>of(() -> 1, () -> 2)).equals(List.of(1, 2)), "in order");
        var interrupts = new AtomicInteger();
        var inside = new AtomicInteger();
        Callable<Integer> endless = () -> {
            inside.incrementAndGet();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
            }
            inside.decrementAndGet();
            return 1;
        };
        Callable<Integer> failing = () -> {
            throw new IllegalStateException("boom");
        };
        try {
            Gather.all(List.of(endless, failing));
            check(false, "the failure is thrown");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom"), "the failure");
        }
        check(inside.get() == 0 && interrupts.get() == 1, "the other one was interrupted once, and has ended");
        check(!Thread.interrupted(), "the caller was not");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
