import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** CircuitBreaker: opens after two failures in a row, lets one trial through at a time, and its success closes it. */
public final class CircuitBreakerScenario {
    public static void main(String[] args) throws InterruptedException {
        var breaker = new CircuitBreaker(2, Duration.ofHours(1));
        Thread other = Thread.ofVirtual().start(() -> fail(breaker));
        fail(breaker);
        other.join();
        check(breaker.state() == CircuitBreaker.State.OPEN, "open: " + breaker.state());
        check(breaker.tryAcquire().isEmpty() && !breaker.retryAfter().isNegative(), "refuses");
        Thread.sleep(Duration.ofHours(2));
        var trials = new AtomicInteger();
        var refused = new AtomicInteger();
        Runnable trial = () -> {
            try {
                breaker.call(() -> {
                    check(trials.incrementAndGet() == 1 || breaker.state() == CircuitBreaker.State.CLOSED,
                            "one trial, until one has succeeded");
                    return 1;
                });
            } catch (CircuitBreaker.OpenException e) {
                refused.incrementAndGet();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        };
        Thread late = Thread.ofVirtual().start(trial);
        trial.run();
        late.join();
        check(trials.get() + refused.get() == 2 && trials.get() >= 1, "tried: " + trials);
        check(breaker.state() == CircuitBreaker.State.CLOSED && breaker.retryAfter().isZero(), "closed");
    }

    private static void fail(CircuitBreaker breaker) {
        try {
            breaker.call(() -> {
                throw new IllegalStateException("down");
            });
            check(false, "the failure is passed on");
        } catch (IllegalStateException e) {
            check(e.getMessage().equals("down"), "as it is");
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
