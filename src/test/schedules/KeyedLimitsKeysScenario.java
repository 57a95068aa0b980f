import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** KeyedLimits: keys of the same hash, a place given back twice, more keys than there is room for, idle ones. */
public final class KeyedLimitsKeysScenario {
    public static void main(String[] args) throws InterruptedException {
        var now = new AtomicLong();
        var limits = new KeyedLimits<String>(new KeyedLimits.Rate(1, Duration.ofNanos(100), 1),
                new KeyedLimits.Running(1, 3), 4, now::get);
        var taken = new AtomicInteger();
        Runnable caller = () -> {
            for (String key : new String[] {"AaAa", "AaBB", "BBAa"}) { // of one hash
                taken.addAndGet(limits.reserve(key).isZero() ? 1 : 0);
            }
        };
        Thread other = Thread.ofVirtual().start(caller);
        caller.run();
        other.join();
        check(taken.get() == 3 && limits.keys() == 3, "one permit each, not " + taken);
        check(limits.reserve("AaAa").toNanos() == 100 && limits.reserve("BBAa").toNanos() == 100, "how long");

        var place = limits.tryEnter("AaBB").orElseThrow();
        Thread closer = Thread.ofVirtual().start(place::close);
        place.close();
        closer.join();
        var again = limits.tryEnter("AaBB").orElseThrow();
        place.close();
        check(limits.tryEnter("AaBB").isEmpty(), "it is taken, whoever closes another one");
        again.close();

        limits.reserve("fourth");
        limits.reserve("fifth");
        limits.reserve("sixth");
        check(limits.keys() == 4, "bounded: " + limits.keys());
        now.set(1_000);
        for (int i = 0; i < 9; i++) {
            limits.reserve("seventh");
        }
        check(limits.keys() == 1, "idle ones are forgotten: " + limits.keys());
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
