import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Bulkhead: a heavy waiter, and an urgent one that displaces or overtakes it: both bounds hold, nothing is lost. */
public final class BulkheadWeightScenario {
    public static void main(String[] args) throws Exception {
        var bulkhead = new Bulkhead(2, 1, Duration.ofDays(1));
        var held = bulkhead.tryEnter().orElseThrow();
        var ended = new AtomicInteger();
        var heavy = Thread.ofVirtual().start(() -> {
            try {
                bulkhead.enter(Duration.ofDays(1), 2, 5).close();
                ended.incrementAndGet();
            } catch (Bulkhead.FullException e) {
                ended.incrementAndGet(); // displaced
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        var urgent = Thread.ofVirtual().start(() -> {
            try {
                bulkhead.enter(Duration.ofDays(1), 1, 0).close();
                ended.incrementAndGet();
            } catch (Bulkhead.FullException e) {
                ended.incrementAndGet(); // a day had passed
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        check(bulkhead.waiting() <= 1 && bulkhead.running() <= 2, "both bounds");
        held.close();
        heavy.join();
        urgent.join();
        check(ended.get() == 2 && bulkhead.running() == 0 && bulkhead.waiting() == 0, "served, and all is free");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
