import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Debounce: the last value before a flush is run, in order and never two at a time; close() beside it waits, and
 * nothing runs after.
 */
public final class DebounceScenario {
    public static void main(String[] args) throws InterruptedException {
        var inside = new AtomicInteger();
        var ran = new CopyOnWriteArrayList<Integer>();
        var closed = new AtomicInteger();
        var debounce = new Debounce<Integer>(Duration.ofMillis(5), value -> {
            check(inside.incrementAndGet() == 1 && closed.get() == 0, "one at a time, none after close");
            ran.add(value);
            inside.decrementAndGet();
        });
        debounce.call(1);
        debounce.call(2);
        debounce.flush();
        check(ran.equals(List.of(1, 2)) || ran.equals(List.of(2)), "the last value, in order: " + ran);
        Thread other = Thread.ofVirtual().start(() -> {
            try {
                debounce.call(3);
                debounce.flush();
            } catch (IllegalStateException | InterruptedException e) {
                return; // closed
            }
        });
        debounce.close();
        closed.incrementAndGet();
        debounce.close();
        other.join();
        check(inside.get() == 0, "nothing runs");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
