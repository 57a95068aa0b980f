import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * RateLimiter: two permits for three that have no patience, from the bucket and from atMost: never more, never fewer.
 */
public final class RateLimiterScenario {
    public static void main(String[] args) throws InterruptedException {
        takeTwo(new RateLimiter(1, Duration.ofDays(10_000), 2));
        takeTwo(RateLimiter.atMost(2, Duration.ofDays(10_000)));
    }

    private static void takeTwo(RateLimiter limiter) throws InterruptedException {
        var taken = new AtomicInteger();
        var first = Thread.ofVirtual().start(() -> taken.addAndGet(limiter.reserve().isZero() ? 1 : 0));
        var second = Thread.ofVirtual().start(() -> {
            try {
                taken.addAndGet(limiter.tryAcquire(Duration.ZERO) ? 1 : 0);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        limiter.setRate(2, Duration.ofDays(20_000)); // what is there stays, and what was taken
        taken.addAndGet(limiter.reserve().isZero() ? 1 : 0);
        first.join();
        second.join();
        check(taken.get() == 2, "two permits are there, taken: " + taken);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
