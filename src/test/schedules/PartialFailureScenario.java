import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * PartialFailure: the first failure aborts while the caller is interrupted: what runs hears one interrupt, all have
 * ended, and outcomes tell what was touched.
 */
public final class PartialFailureScenario {
    public static void main(String[] args) throws Exception {
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        var twice = new AtomicInteger();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                var outcomes = PartialFailure.<Integer, Integer>map(List.of(0, 1, 2), 2, 1, item -> {
                    begun.incrementAndGet();
                    try {
                        if (item == 0) {
                            throw new IOException();
                        }
                        Thread.sleep(1_000);
                        return item;
                    } catch (InterruptedException e) {
                        Thread.yield();
                        twice.addAndGet(Thread.interrupted() ? 1 : 0);
                        throw e;
                    } finally {
                        ended.incrementAndGet();
                    }
                });
                check(outcomes.get(0) instanceof PartialFailure.Outcome.Failure, "the failure");
                long touched = outcomes.stream().filter(outcome ->
                        !outcome.equals(new PartialFailure.Outcome.Cancelled<>(outcome.item(), false))).count();
                check(touched == begun.get(), "touched " + outcomes);
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted() || begun.get() <= 3, "interrupted");
            }
            check(begun.get() == ended.get(), "all have ended");
        });
        caller.interrupt();
        caller.join();
        check(twice.get() == 0, "one interrupt each");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
