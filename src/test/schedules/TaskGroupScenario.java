import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * TaskGroup: a failure interrupts a sibling at most once, which is CANCELLED; join throws the failure when both have
 * ended.
 */
public final class TaskGroupScenario {
    public static void main(String[] args) throws InterruptedException {
        var interrupts = new AtomicInteger();
        var running = new AtomicInteger();
        try (var group = TaskGroup.failFast()) {
            var waiting = group.fork(() -> {
                running.incrementAndGet();
                try {
                    new CountDownLatch(1).await();
                    return 1;
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                    throw e;
                } finally {
                    running.decrementAndGet();
                }
            });
            var failing = group.fork(() -> {
                throw new IllegalStateException("boom");
            });
            try {
                group.join();
                check(false, "the failure is thrown");
            } catch (ExecutionException e) {
                check(e.getCause().getMessage().equals("boom"), "the failure");
                check(e.getSuppressed().length == 0, "nothing else");
            }
            check(running.get() == 0 && interrupts.get() <= 1, "ended, interrupted at most once");
            check(waiting.state() == State.CANCELLED && failing.state() == State.FAILED, "states");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
