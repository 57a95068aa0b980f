import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Throttle: the first value at once, then the last one an interval later, or at once if it is flushed. */
public final class ThrottleTimesScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var ran = new CopyOnWriteArrayList<Integer>();
        var throttle = new Throttle<Integer>(LONG, ran::add);
        throttle.call(1);
        Thread other = Thread.ofVirtual().start(() -> flush(throttle));
        flush(throttle);
        check(ran.equals(List.of(1)), "at once");
        other.join();
        throttle.call(2);
        flush(throttle);
        check(ran.equals(List.of(1, 2)), "has run: " + ran);
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "at once, not after the interval");
        throttle.call(3);
        throttle.close();
        try {
            throttle.call(4);
            check(false, "closed");
        } catch (IllegalStateException e) {
            check(ran.size() == 2, "what waited is dropped");
        }

        ran.clear();
        var hourly = new Throttle<Integer>(Duration.ofHours(1), ran::add);
        hourly.call(1);
        while (ran.isEmpty()) {
            Thread.onSpinWait();
        }
        hourly.call(2);
        hourly.call(3);
        Thread.sleep(Duration.ofHours(2));
        check(ran.equals(List.of(1, 3)), "the last value, once: " + ran);
        Thread.sleep(Duration.ofHours(2));
        long again = System.nanoTime();
        hourly.call(4);
        flush(hourly);
        check(ran.equals(List.of(1, 3, 4)), "at once again: " + ran);
        check(System.nanoTime() - again < Duration.ofMinutes(10).toNanos(), "after an interval without a call");
        hourly.close();
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
        var throttle = new Throttle<Integer>(LONG, value -> {
            throw new IllegalStateException("boom");
        });
        throttle.call(1);
        throttle.call(2);
        flush(throttle);
        throttle.close();
        check(heard.get() >= 1, "the uncaught handler hears of each");
        Thread.setDefaultUncaughtExceptionHandler(others);
    }

    private static void flush(Throttle<Integer> throttle) {
        try {
            throttle.flush();
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
