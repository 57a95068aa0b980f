import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Debounce: the last value after the quiet time, at once where it leads or is flushed, never too late. */
public final class DebounceTimesScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        leads();
        flushes();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "at once, not after the quiet time");
        waits();
        isQuiet();
        fails();
    }

    private static void fails() throws InterruptedException {
        var others = Thread.getDefaultUncaughtExceptionHandler();
        var heard = new AtomicInteger();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            if ("boom".equals(e.getMessage())) {
                heard.incrementAndGet();
            } else {
                others.uncaughtException(thread, e);
            }
        });
        var debounce = new Debounce<Integer>(LONG, value -> {
            throw new IllegalStateException("boom");
        });
        debounce.call(1);
        flush(debounce);
        debounce.close();
        check(heard.get() == 1, "the uncaught handler hears of it");
        Thread.setDefaultUncaughtExceptionHandler(others);
    }

    private static void leads() throws InterruptedException {
        var ran = new CopyOnWriteArrayList<Integer>();
        var debounce = new Debounce<Integer>(LONG, Duration.ofMinutes(1), true, ran::add);
        debounce.call(1);
        await(ran, 1);
        debounce.call(2);
        Thread.sleep(Duration.ofHours(1));
        check(ran.equals(List.of(1, 2)), "the longest wait has passed: " + ran);
        debounce.close();
    }

    private static void flushes() throws InterruptedException {
        var ran = new CopyOnWriteArrayList<Integer>();
        var debounce = new Debounce<Integer>(LONG, ran::add);
        debounce.call(1);
        Thread other = Thread.ofVirtual().start(() -> flush(debounce));
        flush(debounce);
        check(ran.equals(List.of(1)), "has run: " + ran);
        other.join();
        flush(debounce);
        debounce.close();
        var leading = new Debounce<Integer>(LONG, LONG, true, ran::add);
        leading.call(2);
        leading.call(3);
        flush(leading);
        check(ran.equals(List.of(1, 2, 3)), "both have run: " + ran);
        leading.close();
    }

    private static void waits() throws InterruptedException {
        var ran = new CopyOnWriteArrayList<Integer>();
        var debounce = new Debounce<Integer>(Duration.ofHours(1), Duration.ofHours(2), false, ran::add);
        debounce.call(1);
        debounce.call(2);
        Thread.sleep(Duration.ofHours(3));
        check(ran.equals(List.of(2)), "the last value, once: " + ran);
        debounce.close();
        try {
            debounce.call(3);
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(ran.size() == 1, "nothing more");
        }
    }

    private static void isQuiet() throws InterruptedException {
        var ran = new CopyOnWriteArrayList<Integer>();
        var debounce = new Debounce<Integer>(Duration.ofMinutes(1), LONG, true, value -> ran.add(value + 1));
        debounce.call(1);
        Thread.sleep(Duration.ofHours(1));
        debounce.call(2);
        await(ran, 2);
        check(ran.equals(List.of(2, 3)), "each leads: " + ran);
        debounce.close();
    }

    private static void await(List<Integer> ran, int size) {
        while (ran.size() < size) {
            Thread.onSpinWait();
        }
    }

    private static void flush(Debounce<Integer> debounce) {
        try {
            debounce.flush();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
