import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** RateLimiter: who is interrupted takes none; who cannot get it in time is told at once, or when it knows. */
public final class RateLimiterPatienceScenario {
    public static void main(String[] args) throws InterruptedException {
        var limiter = new RateLimiter(1, Duration.ofSeconds(240), 1);
        Thread.currentThread().interrupt();
        try {
            limiter.acquire();
            check(false, "interrupted before");
        } catch (InterruptedException e) {
            check(limiter.tryAcquire(Duration.ZERO), "it is still there");
        }
        check(!limiter.tryAcquire(Duration.ZERO) && !limiter.reserve().isZero(), "taken");
        var taken = new AtomicInteger();
        Thread first = Thread.ofVirtual().start(() -> {
            try {
                taken.addAndGet(limiter.tryAcquire(Duration.ofSeconds(260)) ? 1 : 0);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        while (first.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        long start = System.nanoTime();
        check(!limiter.tryAcquire(Duration.ofSeconds(120)), "not in time, even if nobody waited");
        check(System.nanoTime() - start < Duration.ofSeconds(10).toNanos(), "told at once");
        check(!limiter.tryAcquire(Duration.ofSeconds(360)), "the first takes it");
        check(System.nanoTime() - start < Duration.ofSeconds(400).toNanos(), "not longer than its patience");
        first.join();
        check(taken.get() == 1, "in time");
        limiter.acquire();
        check(System.nanoTime() - start >= Duration.ofSeconds(460).toNanos(), "one in that time");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
