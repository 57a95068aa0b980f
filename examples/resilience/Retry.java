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
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * asyncio: the retry loop with {@code await asyncio.sleep(delay)}, and {@code @retry} as a decorator. Final API, JDK 21 and later.
 *
 * <p>Use for calls that are idempotent and fail for a moment, at one layer only: three layers of four attempts are 64 calls. Do not
 * use to wait for something that is down ({@code CircuitBreaker}) or slow ({@code HedgedRequest}). {@code HttpClient} repeats a GET on a
 * dropped connection by itself: 2 attempts on 21 and 25, 5 on 26 and 27.
 *
 * <p>Immutable and thread-safe. Calls run in the caller's thread; no other thread is started.
 *
 * <p>Run: {@code java examples/resilience/Retry.java}
 */
public final class Retry {

    // @start region="retry"
    /** Decides on a failure: empty gives up; else the least wait, as {@code Retry-After} asks for, zero for the backoff alone. */
    @FunctionalInterface
    public interface Rule {
        Optional<Duration> leastWait(Exception failure);
    }

    /** What is tried. It gets what is left of the total, to pass on to its own timeout. */
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
     * @param attempts   at most so many calls, the first included
     * @param firstDelay before the second attempt at most this, doubled before each further one
     * @param maxDelay   no backoff is longer, jitter included
     * @param total      no attempt starts when this has passed since the first, and no wait that would end then is begun
     */
    public record Policy(int attempts, Duration firstDelay, Duration maxDelay, Duration total, Rule rule) {
        public Policy {
            Objects.requireNonNull(rule);
            if (attempts < 1 || firstDelay.isNegative() || maxDelay.isNegative() || !total.isPositive()) {
                throw new IllegalArgumentException("attempts and total must be positive, delays not negative: attempts " + attempts
                        + ", firstDelay " + firstDelay + ", maxDelay " + maxDelay + ", total " + total);
            }
        }
    }

    private static final int KEPT = 10; // of the earlier failures, the latest: a retry without end must not fill the heap
    private final Policy policy;
    private final Sleeper sleeper;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;

    public Retry(Policy policy) {
        this(policy, Thread::sleep, System::nanoTime, () -> ThreadLocalRandom.current().nextLong());
    }

    /** For tests: with their own sleep, monotonic clock and random numbers. */
    public Retry(Policy policy, Sleeper sleeper, LongSupplier nanoTime, RandomGenerator random) {
        this.policy = Objects.requireNonNull(policy);
        this.sleeper = Objects.requireNonNull(sleeper);
        this.nanoTime = Objects.requireNonNull(nanoTime);
        this.random = Objects.requireNonNull(random);
    }

    /**
     * Returns the first result. Between attempts it waits a random part of the backoff ("full jitter"), after the least wait that the
     * rule asks for. Gives up when the rule says so, when attempts or time are used up, and at once on an {@link Error}, an
     * {@link InterruptedException} (as such or as a cause), or any failure that leaves the interrupt flag set.
     *
     * <p>A running attempt is not cut off when the total has passed: pass {@code remaining} on, or put it in {@code Timeout.call}.
     *
     * @throws InterruptedException while waiting; the failures so far, at most the last ten here and below, are suppressed
     * @throws Exception            the last failure itself, the earlier ones suppressed; an Error likewise
     */
    public <T> T call(Attempt<? extends T> attempt) throws Exception {
        long start = nanoTime.getAsLong();
        long total = Math.min(TimeUnit.NANOSECONDS.convert(policy.total), Long.MAX_VALUE / 2);
        var earlier = new ArrayDeque<Throwable>();
        try {
            for (int made = 1; ; made++) {
                try {
                    return attempt.call(Duration.ofNanos(Math.max(0, total - (nanoTime.getAsLong() - start))));
                } catch (Exception e) {
                    if (earlier.size() > KEPT) {
                        earlier.remove();
                    }
                    earlier.add(e);
                    Optional<Duration> least = made < policy.attempts && !cancelled(e) ? policy.rule.leastWait(e) : Optional.empty();
                    if (least.isEmpty()) {
                        throw e;
                    }
                    long wait = plus(Math.max(0, TimeUnit.NANOSECONDS.convert(least.get())), jitter(made));
                    if (wait >= total - (nanoTime.getAsLong() - start)) {
                        throw e;
                    }
                    sleeper.sleep(Duration.ofNanos(wait));
                    if (nanoTime.getAsLong() - start >= total) { // slept longer than asked for
                        throw e;
                    }
                }
            }
        } catch (Throwable last) {
            for (Throwable failure : earlier) {
                if (failure != last && last.getSuppressed().length < KEPT) { // a shared constant would grow with each call
                    last.addSuppressed(failure);
                }
            }
            throw last;
        }
    }

    /** The same with a task that takes no deadline, as a task: each call of it is retried. */
    public <T> Callable<T> decorate(Callable<? extends T> task) {
        return () -> call(remaining -> task.call());
    }

    /** Retries these failures, with backoff alone. */
    public static Rule on(Predicate<? super Exception> failures) {
        return failure -> failures.test(failure) ? Optional.of(Duration.ZERO) : Optional.empty();
    }

    private long jitter(int made) {
        long first = Math.min(TimeUnit.NANOSECONDS.convert(policy.firstDelay), Long.MAX_VALUE / 2);
        long max = Math.min(TimeUnit.NANOSECONDS.convert(policy.maxDelay), Long.MAX_VALUE / 2);
        int doublings = Math.min(made - 1, 62);
        long backoff = first > max >> doublings ? max : first << doublings; // compared the other way round it would overflow
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

    private static long plus(long a, long b) {
        return Math.min(a, Long.MAX_VALUE / 2 - b) + b; // half: on 21 a longer wait in a virtual thread can stop the timers of all the others
    }
    // @end region="retry"

    // @start region="retry-after"
    /** An HTTP {@code Retry-After}, in seconds or as a date, from {@code now} on (zero if past); empty if it is neither. */
    public static Optional<Duration> parseRetryAfter(String header, Instant now) {
        String value = header.strip();
        if (value.matches("\\d{1,18}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
        }
        try {
            var wait = Duration.between(now, ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
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
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
