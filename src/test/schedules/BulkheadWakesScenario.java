import java.time.Duration;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Bulkhead: room that comes free wakes the next in line, by priority, though one is interrupted; too many are refused.
 */
public final class BulkheadWakesScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var bulkhead = new Bulkhead(1, 2, Duration.ofDays(9));
        var order = new CopyOnWriteArrayList<Integer>();
        var permit = bulkhead.tryEnter().orElseThrow();
        Thread late = waiter(bulkhead, 5, order);
        while (bulkhead.waiting() < 1) {
            Thread.onSpinWait();
        }
        Thread urgent = waiter(bulkhead, 1, order);
        while (bulkhead.waiting() < 2) {
            Thread.onSpinWait();
        }
        try {
            bulkhead.enter(Duration.ofDays(9), 1, 7);
            check(false, "as many wait as may");
        } catch (Bulkhead.FullException e) {
            check(bulkhead.waiting() == 2, "the others wait on");
        }
        Thread interrupter = Thread.ofVirtual().start(urgent::interrupt);
        permit.close();
        urgent.join();
        late.join();
        interrupter.join();
        check(order.getLast() == 5, "the urgent one before, if it was not interrupted: " + order);
        check(bulkhead.running() == 0 && bulkhead.waiting() == 0 && bulkhead.tryEnter().isPresent(), "none is lost");
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "woken, not out of patience");
    }

    private static Thread waiter(Bulkhead bulkhead, int priority, CopyOnWriteArrayList<Integer> order) {
        return Thread.ofVirtual().start(() -> {
            try (var room = bulkhead.enter(Duration.ofDays(9), 1, priority)) {
                order.add(priority);
            } catch (InterruptedException e) {
                check(priority == 1 && !Thread.currentThread().isInterrupted(), "told once");
            }
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
