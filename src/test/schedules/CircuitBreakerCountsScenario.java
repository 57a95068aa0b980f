import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;

/** CircuitBreaker: what counts as a failure, beside calls that succeed in another thread; rates of the last while. */
public final class CircuitBreakerCountsScenario {
    public static void main(String[] args) throws InterruptedException {
        counts();
        rate();
    }

    private static void counts() throws InterruptedException {
        var now = new AtomicLong();
        var breaker = new CircuitBreaker(2, 2, Duration.ofNanos(10), 1, e -> {
            if (e instanceof UnsupportedOperationException) {
                throw new IllegalArgumentException("the judge");
            }
            return CircuitBreaker.Verdict.FAILURE;
        }, now::get);
        fails(breaker, () -> {
            throw new IllegalStateException("one");
        });
        Thread reader = Thread.ofVirtual().start(() -> {
            check(breaker.state() == CircuitBreaker.State.CLOSED || breaker.tryAcquire().isEmpty(), "or it refuses");
            check(breaker.retryAfter().toNanos() <= 10, "a moment, or none");
        });
        fails(breaker, () -> {
            throw new InterruptedException();
        });
        fails(breaker, () -> {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the answer to an interrupt");
        });
        check(Thread.interrupted(), "the flag stays");
        var judged = fails(breaker, () -> {
            throw new UnsupportedOperationException();
        });
        check(judged.getSuppressed().length == 1, "what the judge threw is suppressed");
        breaker.tryAcquire().orElseThrow().close();
        check(breaker.state() == CircuitBreaker.State.CLOSED, "none of them counts");
        check(breaker.tryAcquire().orElseThrow().failed(), "the second in a row");
        reader.join();
    }

    private static void rate() throws InterruptedException {
        var now = new AtomicLong();
        var breaker = CircuitBreaker.byRate(0.5, 4, Duration.ofNanos(100), Duration.ofNanos(10), 1,
                e -> CircuitBreaker.Verdict.FAILURE, now::get);
        for (int i = 0; i < 3; i++) {
            check(!breaker.tryAcquire().orElseThrow().failed(), "too few calls");
        }
        now.set(105); // these are out of time, and their slices are used again
        Thread other = Thread.ofVirtual().start(() -> breaker.tryAcquire().orElseThrow().succeeded());
        breaker.tryAcquire().orElseThrow().succeeded();
        other.join();
        check(!breaker.tryAcquire().orElseThrow().failed(), "three calls");
        now.set(195); // in the last of their slices
        check(breaker.tryAcquire().orElseThrow().failed(), "two of four");
        now.set(205);
        breaker.tryAcquire().orElseThrow().succeeded();
        check(breaker.state() == CircuitBreaker.State.CLOSED, "its trial succeeded");
        check(!breaker.tryAcquire().orElseThrow().failed(), "with a window of its own");
        var far = CircuitBreaker.byRate(1, 2, Duration.ofNanos(100), Duration.ofNanos(10), 1,
                e -> CircuitBreaker.Verdict.FAILURE, now::get);
        check(!far.tryAcquire().orElseThrow().failed(), "one");
        now.set(355);
        check(!far.tryAcquire().orElseThrow().failed(), "the other is long ago");
    }

    private static Exception fails(CircuitBreaker breaker, Callable<Integer> call) {
        try {
            breaker.call(call);
            throw new AssertionError("it fails");
        } catch (Exception e) {
            return e;
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
