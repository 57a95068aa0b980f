import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Bulkhead: room for two lets two in at once; who is displaced by a more urgent one is told at once. */
public final class BulkheadManyScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var bulkhead = new Bulkhead(2, 2, LONG);
        var both = bulkhead.enter(LONG, 2, 0);
        var inside = new AtomicInteger();
        var refused = new AtomicInteger();
        Thread one = enter(bulkhead, 5, inside, refused);
        Thread two = enter(bulkhead, 5, inside, refused);
        while (bulkhead.waiting() < 2) {
            Thread.onSpinWait();
        }
        Thread urgent = enter(bulkhead, 1, inside, refused);
        while (refused.get() == 0) {
            Thread.onSpinWait();
        }
        check(bulkhead.waiting() <= 2 && bulkhead.running() == 2, "one was displaced");
        both.close();
        while (inside.get() < 2) { // both stay until both are inside
            Thread.onSpinWait();
        }
        one.join();
        two.join();
        urgent.join();
        check(refused.get() == 1 && bulkhead.running() == 0 && bulkhead.waiting() == 0, "all is free");
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of patience");
    }

    private static Thread enter(Bulkhead bulkhead, int priority, AtomicInteger inside, AtomicInteger refused) {
        return Thread.ofVirtual().start(() -> {
            try (var permit = bulkhead.enter(LONG, 1, priority)) {
                inside.incrementAndGet();
                while (inside.get() < 2) {
                    Thread.onSpinWait();
                }
                permit.close();
            } catch (Bulkhead.FullException e) {
                check(e.getMessage().startsWith("more urgent ones wait"), e.getMessage());
                refused.incrementAndGet();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
