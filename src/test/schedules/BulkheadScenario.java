import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Bulkhead: never more than its room, no permit lost to one that is interrupted, out of patience or refused. */
public final class BulkheadScenario {
    public static void main(String[] args) throws Exception {
        var bulkhead = new Bulkhead(1, 1, Duration.ofMillis(2));
        var inside = new AtomicInteger();
        var calls = new AtomicInteger();
        Thread interrupted = Thread.ofVirtual().start(() -> call(bulkhead, inside, calls));
        Thread other = Thread.ofVirtual().start(() -> call(bulkhead, inside, calls));
        interrupted.interrupt();
        call(bulkhead, inside, calls);
        interrupted.join();
        other.join();
        check(bulkhead.running() == 0 && bulkhead.waiting() == 0 && calls.get() <= 3, "empty");
        check(bulkhead.call(() -> 7) == 7, "room again");
        var permit = bulkhead.tryEnter().orElseThrow();
        check(bulkhead.tryEnter().isEmpty(), "no second one");
        Thread waiter = Thread.ofVirtual().start(() -> {
            try (var room = bulkhead.enter(Duration.ofDays(9))) {
                check(bulkhead.running() == 1, "its own");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        permit.close();
        permit.close(); // once counts
        waiter.join();
        check(bulkhead.running() == 0 && bulkhead.tryEnter().isPresent(), "given back once");
    }

    private static void call(Bulkhead bulkhead, AtomicInteger inside, AtomicInteger calls) {
        try {
            bulkhead.call(() -> {
                check(inside.incrementAndGet() == 1, "one at a time");
                try {
                    Thread.sleep(1);
                    return calls.incrementAndGet();
                } finally {
                    inside.decrementAndGet();
                }
            });
        } catch (Bulkhead.FullException e) {
            return; // too many, or too long
        } catch (InterruptedException e) {
            check(!Thread.currentThread().isInterrupted(), "the exception has the flag's place");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
