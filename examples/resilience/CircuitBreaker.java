import java.io.IOException;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/**
 * asyncio: the circuit breaker around an awaited call. Final API, JDK 21 and later.
 *
 * <p>Use to stop calling what is down: callers fail at once, and it gets time to recover. Use one instance for each
 * thing that can be down. {@link #call} is for a blocking call. {@link #tryAcquire()} never waits: ask for a permit,
 * and tell it how the call went, from any thread (an event loop, a callback, a server that answers 503 with {@link
 * #retryAfter()}). Do not use for occasional failures ({@code Retry}, outside the breaker) or for something slow
 * ({@code Bulkhead}).
 *
 * <p><b>Put the timeout inside</b>: {@code breaker.call(() -> Timeout.call(...))}. A call interrupted from outside says
 * nothing about the other side and is not counted: with the timeout outside, a service that hangs never opens the
 * breaker. A trial that never ends keeps all other calls out, unless it has a limit. A limit that the caller chooses is
 * no evidence when it is shorter than the other side usually takes: close the permit without a verdict, or one client
 * opens the breaker for all.
 *
 * <p>Thread-safe. Calls run in the caller's thread; no lock is held while your code runs, and none is taken while calls
 * succeed or the breaker is open.
 *
 * <p>Long because it counts in two ways, and only what belongs to its current state.
 *
 * <p>Run: {@code java examples/resilience/CircuitBreaker.java}
 */
public final class CircuitBreaker {

    // @start region="breaker"

    /** {@code OPEN} becomes {@code HALF_OPEN} by time alone. */
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

        /** Like {@link CircuitBreaker#retryAfter()}. */
        public Duration retryAfter() {
            return retryAfter;
        }
    }

    /**
     * Permission for one call. Tell it how the call went, on every path, from any thread. Only the first answer counts,
     * and only if the breaker has not changed state since it gave the permit.
     */
    public final class Permit implements AutoCloseable {
        private final Phase given;
        private final long until; // for a trial
        private final AtomicBoolean told = new AtomicBoolean();

        private Permit(Phase given, long until) {
            this.given = given;
            this.until = until;
        }

        public void succeeded() {
            tell(Verdict.SUCCESS);
        }

        /** Returns whether this opened the breaker. */
        public boolean failed() {
            return tell(Verdict.FAILURE);
        }

        /**
         * The call says nothing: it was not made, or cancelled. Frees a trial's place. No effect after the other two.
         */
        @Override
        public void close() {
            tell(Verdict.IGNORED);
        }

        /** Whether the call tests if the service works again: make one request, do not repeat or share it. */
        public boolean isTrial() {
            return given.state == State.HALF_OPEN;
        }

        /** False if the breaker has changed state since: do not make a call that has not gone out yet. */
        public boolean isValid() {
            return given == phase;
        }

        private boolean tell(Verdict verdict) {
            return told.compareAndSet(false, true) && count(this, verdict);
        }
    }

    private static final class Phase { // a new one at each change; permits of an earlier one are not heard
        private final State state;
        private final long since;
        private final Window window; // while closed
        private volatile boolean quiet; // nothing in the window that a success would change
        private final Set<Permit> trials = new HashSet<>(); // while half-open: those that are out
        private int succeeded;

        private Phase(State state, long since, Window window) {
            this.state = state;
            this.since = since;
            this.window = window;
            this.quiet = window.quiet();
        }
    }

    private interface Window {
        /** Counts a call that has ended; true: too many have failed. */
        boolean count(boolean failure, long now);

        boolean quiet();
    }

    private record InARow(int failures, int[] count) implements Window {
        @Override
        public boolean count(boolean failure, long now) {
            count[0] = failure ? count[0] + 1 : 0;
            return count[0] >= failures;
        }

        @Override
        public boolean quiet() {
            return count[0] == 0;
        }
    }

    private record Latest(int failures, int size, BitSet failed, int[] slotAndCount) implements Window {
        @Override
        public boolean count(boolean failure, long now) {
            int slot = slotAndCount[0];
            slotAndCount[0] = (slot + 1) % size;
            slotAndCount[1] += (failure ? 1 : 0) - (failed.get(slot) ? 1 : 0);
            failed.set(slot, failure);
            return slotAndCount[1] >= failures;
        }

        @Override
        public boolean quiet() {
            return failed.isEmpty();
        }
    }

    private record Lately(double rate, int least, long nanos, long start, long[][] slices) implements Window {
        @Override
        public boolean count(boolean failure, long now) { // a slice: its number, calls, failures
            long number = Math.max(0, now - start) / nanos;
            long[] slice = slices[(int) (number % slices.length)];
            if (slice[0] < number) {
                slice[0] = number;
                slice[1] = slice[2] = 0;
            }
            slice[1]++;
            slice[2] += failure ? 1 : 0;
            long[] sum = new long[2];
            for (long[] each : slices) {
                if (each[0] > number - slices.length) {
                    sum[0] += each[1];
                    sum[1] += each[2];
                }
            }
            return failure && sum[0] >= least && sum[1] >= rate * sum[0];
        }

        @Override
        public boolean quiet() {
            return false;
        }
    }

    private final LongFunction<Window> windows; // from what time it is
    private final long openNanos;
    private final int trials;
    private final Function<? super Exception, Verdict> judge;
    private final LongSupplier nanoTime;
    private final ReentrantLock lock = new ReentrantLock(); // guards what changes: the phase and all that is in it
    private volatile Phase phase;

    /**
     * Opens after this number of failures in a row; each exception counts. Then one call at a time may try. A very
     * large number switches the breaker off: give such a setting no maximum.
     */
    public CircuitBreaker(int failures, Duration openFor) {
        this(failures, failures, openFor, 1, failure -> Verdict.FAILURE);
    }

    /**
     * Opens when {@code failures} of the latest {@code window} calls have failed, however old they are.
     *
     * @param window  if equal to {@code failures}, they must be in a row
     * @param openFor refuses calls for this time, then lets trials through
     * @param trials  successes that close it again, and the most calls at a time until then; one failure opens it again
     * @param judge   what an exception says. Not asked about an {@link InterruptedException}, an exception that leaves
     *                the interrupt flag set, or an {@link Error}: those are {@code IGNORED}. So is one for which the
     *                judge throws; that is suppressed
     */
    public CircuitBreaker(int failures, int window, Duration openFor, int trials,
            Function<? super Exception, Verdict> judge) {
        this(failures, window, openFor, trials, judge, System::nanoTime);
    }

    /** With your own monotonic clock. */
    public CircuitBreaker(int failures, int window, Duration openFor, int trials,
            Function<? super Exception, Verdict> judge, LongSupplier nanoTime) {
        this(now -> failures == window ? new InARow(failures, new int[1])
                : new Latest(failures, window, new BitSet(), new int[2]), openFor, trials, judge, nanoTime,
                1 <= failures && failures <= window, "failures " + failures + ", window " + window);
    }

    /**
     * Opens at a failure if {@code calls} or more have ended within {@code within} (to a tenth), and at least {@code
     * rate} of them have failed.
     *
     * @param rate above 0, at most 1
     */
    public static CircuitBreaker byRate(double rate, int calls, Duration within, Duration openFor, int trials,
            Function<? super Exception, Verdict> judge, LongSupplier nanoTime) {
        Objects.requireNonNull(within, "within");
        long nanos = TimeUnit.NANOSECONDS.convert(within) / 10;
        return new CircuitBreaker(now -> new Lately(rate, calls, nanos, now, new long[10][3]), openFor, trials, judge,
                nanoTime, rate > 0 && rate <= 1 && calls > 0 && nanos > 0,
                "rate " + rate + ", calls " + calls + ", within " + within);
    }

    private CircuitBreaker(LongFunction<Window> windows, Duration openFor, int trials,
            Function<? super Exception, Verdict> judge, LongSupplier nanoTime, boolean valid, String arguments) {
        if (!valid || trials < 1 || !openFor.isPositive()) {
            throw new IllegalArgumentException(arguments + ", trials " + trials + ", openFor " + openFor
                    + ": must be positive, failures at most window, rate at most 1");
        }
        this.windows = windows;
        this.openNanos = TimeUnit.NANOSECONDS.convert(openFor);
        this.trials = trials;
        this.judge = Objects.requireNonNull(judge, "judge");
        this.nanoTime = Objects.requireNonNull(nanoTime, "nanoTime");
        change(State.CLOSED, nanoTime.getAsLong());
    }

    /**
     * Makes the call or refuses it. Returns or throws what the call does.
     *
     * @throws OpenException the call was not made
     */
    public <T> T call(Callable<? extends T> task) throws Exception {
        Objects.requireNonNull(task, "task");
        var permit = tryAcquire().orElseThrow(() -> new OpenException(retryAfter()));
        var verdict = Verdict.IGNORED;
        try {
            T result = task.call();
            verdict = Verdict.SUCCESS;
            return result;
        } catch (Exception e) {
            verdict = judge(e);
            throw e;
        } finally {
            permit.tell(verdict);
        }
    }

    /** A permit for one call; if empty, do not call: {@link #retryAfter()} says for how long. Never waits. */
    public Optional<Permit> tryAcquire() {
        return tryAcquire(Duration.ofNanos(Long.MAX_VALUE));
    }

    /** The same, but if the permit is a trial and not answered after {@code limit}, another call may try instead. */
    public Optional<Permit> tryAcquire(Duration limit) {
        if (!limit.isPositive()) {
            throw new IllegalArgumentException("limit " + limit + " must be positive");
        }
        var seen = phase;
        if (seen.state == State.CLOSED) {
            return Optional.of(new Permit(seen, 0));
        }
        long now = nanoTime.getAsLong();
        if (seen.state == State.OPEN && now - seen.since < openNanos) {
            return Optional.empty();
        }
        lock.lock();
        try {
            if (phase.state == State.OPEN && now - phase.since >= openNanos) {
                change(State.HALF_OPEN, now);
            }
            if (room(phase, now) > 0) {
                return Optional.empty();
            }
            var permit = new Permit(phase, now + Math.min(TimeUnit.NANOSECONDS.convert(limit), Long.MAX_VALUE / 2));
            if (permit.isTrial()) {
                phase.trials.add(permit);
            }
            return Optional.of(permit);
        } finally {
            lock.unlock();
        }
    }

    /**
     * How long until a call may be made; zero means now. While trials run, as if one failed now. For {@code
     * Retry-After}.
     */
    public Duration retryAfter() {
        long now = nanoTime.getAsLong();
        var seen = phase;
        if (seen.state != State.HALF_OPEN) {
            return Duration.ofNanos(room(seen, now));
        }
        lock.lock();
        try {
            return Duration.ofNanos(room(phase, now));
        } finally {
            lock.unlock();
        }
    }

    /** For metrics and health checks: it may change a moment later. */
    public State state() {
        var seen = phase;
        boolean elapsed = seen.state == State.OPEN && nanoTime.getAsLong() - seen.since >= openNanos;
        return elapsed ? State.HALF_OPEN : seen.state;
    }

    /** Nanoseconds until there is room. The lock is held, if it is half-open. */
    private long room(Phase seen, long now) {
        if (seen.state != State.HALF_OPEN) {
            return seen.state == State.CLOSED ? 0 : Math.max(0, openNanos - (now - seen.since));
        }
        seen.trials.removeIf(trial -> now - trial.until >= 0);
        return seen.trials.size() + seen.succeeded < trials ? 0
                : seen.trials.stream().mapToLong(trial -> trial.until - now).reduce(openNanos, Math::min);
    }

    private boolean count(Permit permit, Verdict verdict) {
        var given = permit.given;
        if (given.state == State.CLOSED && (verdict == Verdict.IGNORED || verdict == Verdict.SUCCESS && given.quiet)) {
            return false;
        }
        long now;
        try {
            now = nanoTime.getAsLong();
        } catch (Throwable e) { // or a trial would keep its place for ever
            lock.lock();
            given.trials.remove(permit);
            lock.unlock();
            throw e;
        }
        lock.lock();
        try {
            if (given != phase || given.state == State.HALF_OPEN && !given.trials.remove(permit)) {
                return false;
            }
            boolean failure = verdict == Verdict.FAILURE;
            boolean opens = given.state == State.CLOSED ? given.window.count(failure, now) : failure;
            given.quiet = given.window.quiet();
            if (opens) {
                change(State.OPEN, now);
            } else if (given.state == State.HALF_OPEN && verdict == Verdict.SUCCESS && ++given.succeeded == trials) {
                change(State.CLOSED, now);
            }
            return opens;
        } finally {
            lock.unlock();
        }
    }

    private void change(State state, long now) {
        phase = new Phase(state, now, windows.apply(now));
    }

    private Verdict judge(Exception e) {
        if (e instanceof InterruptedException || Thread.currentThread().isInterrupted()) {
            return Verdict.IGNORED;
        }
        try {
            return Objects.requireNonNull(judge.apply(e), "the judge's verdict");
        } catch (Throwable broken) {
            if (broken != e && e.getSuppressed().length < 10) { // a shared constant would grow with each call
                e.addSuppressed(broken);
            }
            return Verdict.IGNORED;
        }
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
        check(breaker.call(() -> "first trial").equals("first trial"), "a trial is a call");
        check(breaker.state() == State.HALF_OPEN, "one trial is not enough");
        breaker.call(() -> "second trial");
        System.out.println("after two trials: " + breaker.state());
        check(breaker.state() == State.CLOSED, "two successes close it");

        var supplier = new CircuitBreaker(5, Duration.ofSeconds(5)); // failures in a row, then one trial at a time
        // @start region="ask"
        var permit = supplier.tryAcquire(); // never waits: for a callback, an event loop, a handler
        if (permit.isEmpty()) {
            System.out.println("503, Retry-After: " + supplier.retryAfter().plusNanos(999_999_999).toSeconds());
        } else {
            send(request -> permit.get().succeeded(), failure -> permit.get().failed());
        }
        // @end region="ask"
        check(supplier.state() == State.CLOSED && permit.get().isValid(), "it was told");
    }

    private static void send(Consumer<String> onAnswer, Consumer<Throwable> onFailure) {
        onAnswer.accept("200");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
