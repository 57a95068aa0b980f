import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Bulkhead: one place, waiters refused while it is left: each caller has a permit or a refusal, no place is lost. */
public final class BulkheadRefuseScenario {
    public static void main(String[] args) throws Exception {
        var bulkhead = new Bulkhead(1, 2, Duration.ofDays(1));
        long start = System.nanoTime();
        var inside = new AtomicInteger();
        var ended = new AtomicInteger();
        var refusals = new AtomicInteger();
        var permit = bulkhead.tryEnter().orElseThrow();
        var callers = new Thread[2];
        for (int i = 0; i < callers.length; i++) {
            callers[i] = Thread.ofVirtual().start(() -> {
                try {
                    bulkhead.call(() -> {
                        check(inside.incrementAndGet() == 1, "one at a time");
                        return inside.decrementAndGet();
                    });
                } catch (Bulkhead.FullException e) {
                    refusals.incrementAndGet();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
                ended.incrementAndGet();
            });
        }
        int refused = bulkhead.refuseWaiters();
        permit.close();
        for (var caller : callers) {
            caller.join();
        }
        check(ended.get() == 2, "each has ended");
        check(refusals.get() == refused, "as many are refused as it says");
        check(System.nanoTime() - start < Duration.ofHours(1).toNanos(), "woken, not out of patience");
        check(bulkhead.running() == 0 && bulkhead.waiting() == 0, "all is free");
        check(bulkhead.call(() -> 1) == 1, "and taken again");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
