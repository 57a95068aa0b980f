import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * RateLimiter: one waits and is interrupted, one has patience, one comes late. Who gave up took nothing and is no
 * longer waited for; never more than the rate.
 */
public final class RateLimiterInterruptScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var limiter = new RateLimiter(1, Duration.ofSeconds(1), 1);
        limiter.acquire();
        var taken = new AtomicInteger(1);
        var impatient = Thread.ofVirtual().start(() -> {
            try {
                limiter.acquire();
                taken.incrementAndGet();
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "the interrupt was told once");
            }
        });
        var patient = Thread.ofVirtual().start(() -> {
            try {
                taken.addAndGet(limiter.tryAcquire(Duration.ofMillis(2_500)) ? 1 : 0);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        impatient.interrupt();
        impatient.join();
        patient.join();
        check(taken.get() <= 1 + (System.nanoTime() - start) / 1_000_000_000, "never faster than allowed: " + taken);
        check(limiter.reserve().compareTo(Duration.ofSeconds(1)) <= 0, "nobody is waited for who is gone");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
