import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * KeyedLimits: a key that is forgotten and comes again while another caller asks for it has one bucket and one set of
 * places all the same.
 */
public final class KeyedLimitsScenario {
    public static void main(String[] args) throws InterruptedException {
        var now = new AtomicLong();
        var limits = new KeyedLimits<String>(new KeyedLimits.Rate(1, Duration.ofNanos(10), 1),
                new KeyedLimits.Running(1, 2), 2, now::get);
        check(limits.reserve("a").isZero() && limits.keys() == 1, "its first permit");
        now.set(10); // "a" is idle, and forgotten by whoever comes next
        var taken = new AtomicInteger();
        var inside = new AtomicInteger();
        Runnable caller = () -> {
            taken.addAndGet(limits.reserve("a").isZero() ? 1 : 0);
            var place = limits.tryEnter("a");
            if (place.isPresent()) {
                check(inside.incrementAndGet() == 1, "one at a time");
                inside.decrementAndGet();
                place.get().close();
            }
        };
        var first = Thread.ofVirtual().start(caller);
        var second = Thread.ofVirtual().start(caller);
        limits.tryEnter("b").ifPresent(KeyedLimits.Permit::close);
        first.join();
        second.join();
        check(taken.get() == 1, "one permit in that time, not " + taken);
        check(limits.keys() <= 2, "bounded");
        check(limits.tryEnter("a").isPresent() && limits.tryEnter("b").isPresent(), "no place is lost");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
