import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * CircuitBreaker: the second failure in a row opens it, told once; of two callers one may try; what its permit is
 * told first decides, and a permit from before is not heard.
 */
public final class CircuitBreakerPermitScenario {
    public static void main(String[] args) throws InterruptedException {
        var now = new AtomicLong();
        var breaker = new CircuitBreaker(2, 2, Duration.ofNanos(10), 1, e -> CircuitBreaker.Verdict.FAILURE, now::get);
        var late = breaker.tryAcquire().orElseThrow();
        var opened = new AtomicInteger();
        var told = breaker.tryAcquire().orElseThrow();
        var again = Thread.ofVirtual().start(told::failed);
        check(!told.failed(), "told twice it counts once");
        again.join();
        check(breaker.state() == CircuitBreaker.State.CLOSED, "one failure");
        breaker.tryAcquire().orElseThrow().succeeded();
        var a = breaker.tryAcquire().orElseThrow();
        var other = Thread.ofVirtual().start(() -> opened.addAndGet(a.failed() ? 1 : 0));
        opened.addAndGet(breaker.tryAcquire().orElseThrow().failed() ? 1 : 0);
        other.join();
        check(opened.get() == 1 && breaker.state() == CircuitBreaker.State.OPEN, "opened once, told once");
        check(breaker.tryAcquire().isEmpty() && breaker.retryAfter().toNanos() == 10, "refused for its time");

        now.set(10);
        var trials = new AtomicInteger();
        var reopened = new AtomicInteger();
        var second = Thread.ofVirtual().start(() -> {
            var trial = breaker.tryAcquire();
            if (trial.isPresent()) {
                trials.incrementAndGet();
                reopened.addAndGet(trial.get().failed() ? 1 : 0);
                trial.get().succeeded(); // too late
            }
        });
        late.failed();
        var trial = breaker.tryAcquire();
        boolean first = trial.isPresent();
        if (first) {
            trials.incrementAndGet();
            check(trial.get().isTrial(), "the first of all is a trial");
            reopened.addAndGet(trial.get().failed() ? 1 : 0);
        }
        second.join();
        check(trials.get() == 1 && reopened.get() == 1, "one may try, and its failure opens it anew: " + trials);
        check(breaker.state() == CircuitBreaker.State.OPEN && breaker.tryAcquire().isEmpty(), "open again");

        now.set(20);
        var last = breaker.tryAcquire().orElseThrow();
        var gone = Thread.ofVirtual().start(last::close);
        last.succeeded();
        gone.join();
        var state = breaker.state();
        var next = breaker.tryAcquire();
        check(next.isPresent(), "its place is free");
        check(next.get().isTrial() == (state == CircuitBreaker.State.HALF_OPEN), "a trial, or closed");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
