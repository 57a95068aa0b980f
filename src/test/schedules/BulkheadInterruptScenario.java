import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Bulkhead: one place, one may wait; patience and an interrupt end the wait: never two inside, no place lost. */
public final class BulkheadInterruptScenario {
    public static void main(String[] args) throws Exception {
        var bulkhead = new Bulkhead(1, 1, Duration.ofDays(1));
        var inside = new AtomicInteger();
        var waiter = Thread.ofVirtual().start(() -> {
            try {
                var permit = bulkhead.enter(Duration.ofMillis(10));
                enter(inside, permit);
            } catch (InterruptedException | Bulkhead.FullException e) {
                check(bulkhead.waiting() <= 1, "who gave up is gone");
            }
        });
        bulkhead.tryEnter().ifPresent(permit -> {
            waiter.interrupt();
            enter(inside, permit);
        });
        waiter.join();
        check(bulkhead.running() == 0 && bulkhead.waiting() == 0, "all is free");
        check(bulkhead.call(() -> 1) == 1, "and taken again");
    }

    private static void enter(AtomicInteger inside, Bulkhead.Permit permit) {
        check(inside.incrementAndGet() == 1, "one at a time");
        inside.decrementAndGet();
        permit.close();
        permit.close();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
