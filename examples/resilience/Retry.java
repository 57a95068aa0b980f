import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * asyncio: the retry loop with {@code await asyncio.sleep(delay)}, and {@code @retry} as a decorator. Final API, JDK
 * 21 and later.
 *
 * <p>Use for idempotent calls that fail briefly, at one layer only: three layers of four attempts make 64 calls. {@link
 * #call(Attempt)} is for a blocking call; {@link #next(Exception, int, Duration) next} only decides how long to wait,
 * or to give up. Do not use to wait for something that is down ({@code CircuitBreaker}) or slow ({@code
 * HedgedRequest}). {@code HttpClient} itself repeats a GET on a dropped connection: 2 attempts on 21 and 25, 5 on 26
 * and 27.
 *
 * <p>Immutable and thread-safe. Calls run in the caller's thread; no other thread is started.
 *
 * <p>Run: {@code java examples/resilience/Retry.java}
 */
public final class Retry {

    // @start region="retry"
    /**
     * Decides about a failure: empty gives up; else the least wait, as {@code Retry-After} asks for, or zero for the
     * backoff alone. If the rule throws or returns null, that is suppressed on the failure, and there is no further
     * attempt.
     */
    @FunctionalInterface
    public interface Rule {
        Optional<Duration> leastWait(Exception failure);
    }

    /** The call to try. It gets what is left of the total, to pass to its own timeout. */
    @FunctionalInterface
    public interface Attempt<T> {
        T call(Duration remaining) throws Exception;
    }

    /** {@code Thread::sleep}, or a test's. */
    @FunctionalInterface
    public interface Sleeper {
        void sleep(Duration duration) throws InterruptedException;
    }

    /**
     * @param attempts   calls at most, including the first
     * @param firstDelay the longest backoff before the second attempt, doubled before each further one
     * @param maxDelay   no backoff is longer, including jitter and {@code firstDelay}
     * @param total      no attempt starts when this has passed since the first, nor a wait that would end later
     */
    public record Policy(int attempts, Duration firstDelay, Duration maxDelay, Duration total, Rule rule) {
        public Policy {
            Objects.requireNonNull(rule, "rule");
            if (attempts < 1 || firstDelay.isNegative() || maxDelay.isNegative() || !total.isPositive()) {
                throw new IllegalArgumentException("attempts and total must be positive, delays not negative: attempts "
                        + attempts + ", firstDelay " + firstDelay + ", maxDelay " + maxDelay + ", total " + total);
            }
        }
    }

    private static final int KEPT = 10; // of the earlier failures, the latest: not all of a retry without end
    private final Policy policy;
    private final Sleeper sleeper;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;

    public Retry(Policy policy) {
        this(policy, Thread::sleep, System::nanoTime, () -> ThreadLocalRandom.current().nextLong());
    }

    /** For tests: with your own sleep, monotonic clock and random numbers. */
    public Retry(Policy policy, Sleeper sleeper, LongSupplier nanoTime, RandomGenerator random) {
        this.policy = Objects.requireNonNull(policy, "policy");
        this.sleeper = Objects.requireNonNull(sleeper, "sleeper");
        this.nanoTime = Objects.requireNonNull(nanoTime, "nanoTime");
        this.random = Objects.requireNonNull(random, "random");
    }

    /**
     * How long to wait before the next attempt; empty to give up: if the rule says so, if the attempts are used up, if
     * {@code left} of your budget would be over by then, or if the caller was cancelled: an {@link
     * InterruptedException} (as such or as a cause), or any failure that leaves the interrupt flag set. The wait is a
     * random part of the backoff ("full jitter"), after the least wait that the rule asks for.
     *
     * @param made attempts so far, 1 or more
     */
    public Optional<Duration> next(Exception failure, int made, Duration left) {
        Objects.requireNonNull(failure, "failure");
        Objects.requireNonNull(left, "left");
        if (made >= policy.attempts || cancelled(failure)) {
            return Optional.empty();
        }
        Optional<Duration> least;
        try {
            least = Objects.requireNonNull(policy.rule.leastWait(failure), "what the rule returned");
        } catch (Throwable broken) {
            suppress(failure, broken);
            return Optional.empty();
        }
        return least.flatMap(wait -> next(wait, made, left));
    }

    /** The same for an answer that is not an exception, without the rule: 503 with {@code Retry-After}, "not yet". */
    public Optional<Duration> next(Duration leastWait, int made, Duration left) {
        if (made < 1) {
            throw new IllegalArgumentException("made " + made + " must be 1 or more");
        }
        Objects.requireNonNull(leastWait, "leastWait");
        Objects.requireNonNull(left, "left");
        long wait = plus(Math.max(0, nanos(leastWait)), jitter(made));
        return made < policy.attempts && wait < nanos(left) ? Optional.of(Duration.ofNanos(wait)) : Optional.empty();
    }

    /**
     * Returns the first result. Between attempts it waits, and it gives up, as {@link #next(Exception, int, Duration)
     * next} says; at once on an {@link Error}.
     *
     * <p>A running attempt is not cut off when the total has passed: pass {@code remaining} on, or wrap it in {@code
     * Timeout.call}.
     *
     * @throws InterruptedException while waiting; the failures so far, at most the last ten here and below, are
     *                              suppressed
     * @throws Exception            the last failure itself, with the earlier ones suppressed; an Error likewise
     */
    public <T> T call(Attempt<? extends T> attempt) throws Exception {
        return call(policy.total, result -> Optional.empty(), attempt);
    }

    /**
     * The same within this caller's budget, if that is less than the policy's total. Results count, too.
     *
     * @param budget zero or less: no attempt is made, TimeoutException
     * @param again  empty: the result is good; else the call is tried again after at least this wait; on giving up, the
     *               latest result is returned
     */
    public <T> T call(Duration budget, Function<? super T, Optional<Duration>> again, Attempt<? extends T> attempt)
            throws Exception {
        long start = nanoTime.getAsLong();
        Objects.requireNonNull(budget, "budget");
        long total = Math.max(0, nanos(budget));
        return callWithin(() -> Duration.ofNanos(total - (nanoTime.getAsLong() - start)), again, attempt);
    }

    /**
     * The same within a budget that may change: a call that several callers wait for, each with its own deadline, may
     * go on until the last deadline, and more may join. What is left is asked before the first attempt, after each one,
     * and after each wait. Giving up is final, even if the budget grows later.
     *
     * @param budgetLeft from now; the policy's total holds as well
     */
    public <T> T callWithin(Supplier<Duration> budgetLeft, Function<? super T, Optional<Duration>> again,
            Attempt<? extends T> attempt) throws Exception {
        Objects.requireNonNull(budgetLeft, "budgetLeft");
        Objects.requireNonNull(again, "again");
        Objects.requireNonNull(attempt, "attempt");
        long start = nanoTime.getAsLong();
        LongSupplier nanosLeft = () -> Math.min(
                nanos(Objects.requireNonNull(budgetLeft.get(), "what is left of the budget")),
                nanos(policy.total) - (nanoTime.getAsLong() - start));
        ArrayDeque<Throwable> earlier = null; // made at the first failure
        try {
            long left = nanosLeft.getAsLong();
            if (left <= 0) {
                throw new TimeoutException("nothing is left of the budget");
            }
            for (int made = 1; ; made++) {
                T result = null;
                Exception failure = null;
                try {
                    result = attempt.call(Duration.ofNanos(left));
                } catch (Exception e) {
                    failure = e;
                    if (earlier == null) {
                        earlier = new ArrayDeque<>();
                    } else if (earlier.size() > KEPT) {
                        earlier.remove();
                    }
                    earlier.add(e);
                }
                Optional<Duration> least = failure == null ? again.apply(result) : Optional.empty();
                if (failure == null && least.isEmpty()) {
                    return result;
                }
                left = nanosLeft.getAsLong();
                var wait = failure == null ? next(least.get(), made, Duration.ofNanos(left))
                        : next(failure, made, Duration.ofNanos(left));
                if (wait.isPresent()) {
                    sleeper.sleep(wait.get());
                    left = nanosLeft.getAsLong(); // it may have slept longer than asked for
                }
                if (wait.isEmpty() || left <= 0) {
                    if (failure != null) {
                        throw failure;
                    }
                    return result;
                }
            }
        } catch (Throwable last) {
            if (earlier != null) {
                earlier.forEach(failure -> suppress(last, failure));
            }
            throw last;
        }
    }

    /** Returns a task that calls the given one, which takes no deadline, with retries. */
    public <T> Callable<T> decorate(Callable<? extends T> task) {
        Objects.requireNonNull(task, "task");
        return () -> call(remaining -> task.call());
    }

    /** Retries these failures, with backoff alone. */
    public static Rule on(Predicate<? super Exception> failures) {
        Objects.requireNonNull(failures, "failures");
        return failure -> failures.test(failure) ? Optional.of(Duration.ZERO) : Optional.empty();
    }

    private static void suppress(Throwable thrown, Throwable other) {
        if (other != thrown && thrown.getSuppressed().length < KEPT) { // a shared constant would grow with each call
            thrown.addSuppressed(other);
        }
    }

    private long jitter(int made) {
        long first = nanos(policy.firstDelay);
        long max = nanos(policy.maxDelay);
        int doublings = Math.min(made - 1, 62);
        long backoff = first > max >> doublings ? max : first << doublings; // the other way round it would overflow
        return backoff == 0 ? 0 : random.nextLong(backoff);
    }

    private static boolean cancelled(Exception failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < 20; depth++, cause = cause.getCause()) {
            if (cause instanceof InterruptedException) { // not InterruptedIOException: SocketTimeoutException is one
                return true;
            }
        }
        return Thread.currentThread().isInterrupted();
    }

    /** At most half of what there is: on 21 a longer wait in a virtual thread can stop the timers of all the others. */
    private static long nanos(Duration duration) {
        return Math.min(TimeUnit.NANOSECONDS.convert(duration), Long.MAX_VALUE / 2);
    }

    private static long plus(long a, long b) {
        return Math.min(a, Long.MAX_VALUE / 2 - b) + b;
    }
    // @end region="retry"

    // @start region="retry-after"
    /**
     * An HTTP {@code Retry-After}, in seconds or as a date, from {@code now} on (zero if past); empty if it is
     * neither.
     */
    public static Optional<Duration> parseRetryAfter(String header, Instant now) {
        Objects.requireNonNull(now, "now");
        String value = header.strip();
        if (value.matches("\\d{1,18}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
        }
        try {
            var wait = Duration.between(now, ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant());
            return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
    // @end region="retry-after"

    public static void main(String[] args) throws Exception {
        var attempts = new ArrayList<Duration>();
        // @start region="use"
        var retry = new Retry(new Policy(5, Duration.ofMillis(20), Duration.ofSeconds(1), Duration.ofSeconds(10),
                Retry.on(e -> e instanceof IOException)));
        String page = retry.call(remaining -> {
            attempts.add(remaining); // .timeout(remaining) on a request
            if (attempts.size() < 4) {
                throw new IOException("connection reset");
            }
            return "page";
        });
        // @end region="use"
        System.out.println(page + " at attempt " + attempts.size());
        check(page.equals("page") && attempts.size() == 4, "the fourth attempt succeeds");

        var slept = new ArrayList<Duration>();
        // @start region="decorate"
        Rule asTheServerSays = failure -> parseRetryAfter(failure.getMessage(), Instant.now());
        var polite = new Retry(new Policy(3, Duration.ZERO, Duration.ZERO, Duration.ofHours(1), asTheServerSays),
                slept::add, System::nanoTime, RandomGenerator.getDefault()); // for tests: does not sleep
        Callable<String> busy = polite.decorate(() -> {
            throw new IOException("120"); // as if 503 with Retry-After: 120
        });
        // @end region="decorate"
        try {
            busy.call();
            check(false, "the last failure is thrown");
        } catch (IOException e) {
            System.out.println("gave up after waits of " + slept + "; suppressed: " + List.of(e.getSuppressed()));
            check(slept.equals(List.of(Duration.ofSeconds(120), Duration.ofSeconds(120))), "the server's wait is kept");
            check(e.getSuppressed().length == 2, "the earlier failures are kept");
        }

        // @start region="next"
        Duration left = Duration.ofMillis(1_500); // of the request's budget
        var wait = polite.next(new IOException("2"), 1, left); // for a timer of your own: decides, does not wait
        String answer = wait.isPresent() ? "again in " + wait.get() : "error at once";
        // @end region="next"
        System.out.println("two seconds do not fit into " + left + ": " + answer);
        check(wait.isEmpty(), "not asked again in vain");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
