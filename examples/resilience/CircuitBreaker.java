import java.io.IOException;
import java.time.Duration;
import java.util.BitSet;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * asyncio: the circuit breaker around an awaited call. Final API, JDK 21 and later.
 *
 * <p>Use to stop calling what is down: callers fail at once, and it gets time to recover. One instance for each thing that can be down.
 * Do not use for a failure now and then ({@code Retry}, outside the breaker) nor for something slow ({@code Bulkhead}).
 *
 * <p><b>Put the timeout inside</b>: {@code breaker.call(() -> Timeout.call(...))}. A call that is interrupted from outside says nothing
 * about the other side and counts for nothing, so with the timeout outside something that hangs never opens the breaker.
 *
 * <p>Thread-safe. Calls run in the caller's thread, and no lock is held meanwhile.
 *
 * <p>Run: {@code java examples/resilience/CircuitBreaker.java}
 */
public final class CircuitBreaker {

    // @start region="breaker"
    /** {@code OPEN} turns {@code HALF_OPEN} by time alone. */
    public enum State { CLOSED, OPEN, HALF_OPEN }

    /** What an exception says about the other side. {@code IGNORED}: nothing. A 404, say, is a success: it answered. */
    public enum Verdict { FAILURE, SUCCESS, IGNORED }

    /** The call was not made. */
    public static final class OpenException extends RejectedExecutionException {
        private static final long serialVersionUID = 1;
        private final Duration retryAfter;

        private OpenException(Duration retryAfter) {
            super("circuit open, retry after " + retryAfter);
            this.retryAfter = retryAfter;
        }

        /** At the latest then a trial is let through. */
        public Duration retryAfter() {
            return retryAfter;
        }
    }

    private final int failures;
    private final int window;
    private final long openNanos;
    private final int trials;
    private final Function<? super Exception, Verdict> judge;
    private final LongSupplier nanoTime;
    private final ReentrantLock lock = new ReentrantLock(); // guards what follows
    private final BitSet failed = new BitSet();
    private int slot;
    private boolean open;
    private boolean halfOpen;
    private long since; // of opening; half-open: of the latest trial's start
    private long era; // the calls of an earlier one are not counted
    private int started;
    private int succeeded;

    /**
     * @param failures it opens when so many
     * @param window   of the latest so many calls have failed, however old they are; the same number for failures in a row
     * @param openFor  refuses calls for so long, then lets trials through. Longer than the calls' timeout: a trial that has not ended
     *                 after this is written off, and another let through in its place
     * @param trials   successes that close it again, and the most calls at once until then; one failure opens it anew
     * @param judge    what an exception says. Not asked about an {@link InterruptedException}, an exception that leaves the interrupt flag
     *                 set, or an {@link Error}: those are {@code IGNORED}, and a trial's place is given back
     */
    public CircuitBreaker(int failures, int window, Duration openFor, int trials, Function<? super Exception, Verdict> judge) {
        this(failures, window, openFor, trials, judge, System::nanoTime);
    }

    /** For tests: with their own monotonic clock. */
    public CircuitBreaker(int failures, int window, Duration openFor, int trials, Function<? super Exception, Verdict> judge,
            LongSupplier nanoTime) {
        if (failures < 1 || window < failures || trials < 1 || !openFor.isPositive()) {
            throw new IllegalArgumentException("failures " + failures + ", window " + window + ", trials " + trials + ", openFor "
                    + openFor + ": must be 1 <= failures <= window, 1 <= trials, 0 < openFor");
        }
        this.failures = failures;
        this.window = window;
        this.openNanos = TimeUnit.NANOSECONDS.convert(openFor);
        this.trials = trials;
        this.judge = Objects.requireNonNull(judge);
        this.nanoTime = nanoTime;
    }

    /**
     * Makes the call, or refuses it. Whatever it returns or throws is passed on as it is.
     *
     * @throws OpenException the call was not made
     */
    public <T> T call(Callable<? extends T> task) throws Exception {
        long mine = enter();
        Verdict verdict = Verdict.IGNORED;
        try {
            T result = task.call();
            verdict = Verdict.SUCCESS;
            return result;
        } catch (Exception e) {
            if (!(e instanceof InterruptedException) && !Thread.currentThread().isInterrupted()) {
                verdict = Objects.requireNonNull(judge.apply(e));
            }
            throw e;
        } finally {
            leave(mine, verdict);
        }
    }

    /** For metrics and health: a moment later it may be another. */
    public State state() {
        lock.lock();
        try {
            return halfOpen || open && nanoTime.getAsLong() - since >= openNanos ? State.HALF_OPEN : open ? State.OPEN : State.CLOSED;
        } finally {
            lock.unlock();
        }
    }

    private long enter() {
        lock.lock();
        try {
            if (!open && !halfOpen) {
                return era;
            }
            long now = nanoTime.getAsLong();
            if (open && now - since >= openNanos) {
                change(false, true);
            }
            if (halfOpen && started == trials && now - since >= openNanos) {
                era++; // every trial that still runs is that old: written off
                started = succeeded;
            }
            if (open || started == trials) {
                throw new OpenException(Duration.ofNanos(openNanos - (now - since)));
            }
            started++;
            since = now;
            return era;
        } finally {
            lock.unlock();
        }
    }

    private void leave(long mine, Verdict verdict) {
        lock.lock();
        try {
            if (mine != era) {
                return;
            }
            if (halfOpen) {
                switch (verdict) {
                    case FAILURE -> change(true, false);
                    case IGNORED -> started--;
                    case SUCCESS -> {
                        if (++succeeded == trials) {
                            change(false, false);
                        }
                    }
                }
            } else if (verdict != Verdict.IGNORED) {
                failed.set(slot, verdict == Verdict.FAILURE);
                slot = (slot + 1) % window;
                if (failed.cardinality() >= failures) {
                    change(true, false);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void change(boolean toOpen, boolean toHalfOpen) {
        open = toOpen;
        halfOpen = toHalfOpen;
        since = nanoTime.getAsLong();
        era++;
        started = 0;
        succeeded = 0;
        failed.clear();
        slot = 0;
    }
    // @end region="breaker"

    public static void main(String[] args) throws Exception {
        var clock = new AtomicLong();
        var calls = new AtomicInteger();
        // @start region="use"
        var breaker = new CircuitBreaker(3, 10, Duration.ofSeconds(30), 2,
                failure -> failure instanceof IOException ? Verdict.FAILURE : Verdict.SUCCESS, clock::get);
        for (int i = 1; i <= 5; i++) {
            try {
                breaker.call(() -> {
                    calls.incrementAndGet();
                    throw new IOException("connection refused");
                });
            } catch (OpenException e) {
                System.out.println(i + ": refused, " + e.getMessage());
            } catch (IOException e) {
                System.out.println(i + ": " + e.getMessage());
            }
        }
        // @end region="use"
        check(calls.get() == 3 && breaker.state() == State.OPEN, "after three failures no call is made");

        clock.addAndGet(Duration.ofSeconds(30).toNanos());
        System.out.println("30 s later: " + breaker.state());
        check(breaker.call(() -> "first trial").equals("first trial") && breaker.state() == State.HALF_OPEN, "one trial is not enough");
        breaker.call(() -> "second trial");
        System.out.println("after two trials: " + breaker.state());
        check(breaker.state() == State.CLOSED, "two successes close it");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
