import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code aiolimiter.AsyncLimiter}, a token bucket; or at most N in any period. Final API, JDK 21 and
 * later.
 *
 * <p>Use when a service allows a number of calls per second. {@link #acquire()} waits; {@link #reserve()} never waits
 * and returns how long it would take (for {@code Retry-After} or a timer). Do not use {@code Semaphore} for a rate: it
 * limits how many run at a time, not how many start per second (10 permits and calls of 1 ms are 10,000 calls a
 * second); nor use this to limit concurrency. For a rate per client use {@code KeyedLimits}.
 *
 * <p>Nothing is reserved ahead: a waiter that gives up costs the others nothing. (If a limiter assigns future slots,
 * they also wait for those who left.) First come, first served: no newcomer overtakes a waiter.
 *
 * <p>Thread-safe. An available permit is taken without a lock. Waiters form a fair queue; thousands that give up at the
 * same moment cost CPU time.
 *
 * <p>Run: {@code java examples/resilience/RateLimiter.java}
 */
public final class RateLimiter {

    // @start region="rate-limiter"
    // Longer than most: two kinds of limiter that share one way to wait.

    /** Where the time comes from: the JVM, or a test. */
    public interface Clock {
        Clock SYSTEM = new Clock() {
            @Override
            public long nanoTime() {
                return System.nanoTime();
            }

            @Override
            public void sleep(Duration time) throws InterruptedException {
                Thread.sleep(time);
            }
        };

        long nanoTime();

        void sleep(Duration time) throws InterruptedException;
    }

    /** What there is to take. Immutable. */
    private interface Supply {
        int most();

        /** Nanoseconds until that many are available; zero or less: now. */
        long until(long permits, long now);

        Supply take(int permits, long now);

        Supply withRate(int permits, long nanos, long now);
    }

    /**
     * Counts in units so small that a nanosecond gains, and a permit costs, a whole number of them: nothing is lost to
     * rounding. An empty bucket is full after {@code fill} nanoseconds.
     */
    private record Bucket(int most, long gain, long cost, long fill, long credit, long last) implements Supply {
        private static Bucket empty(int burst, int permits, long nanos, long now) {
            long divisor = gcd(permits, nanos);
            long cost = nanos / divisor;
            if (cost > Long.MAX_VALUE / burst) {
                throw new IllegalArgumentException("burst " + burst + " times the period must be below 292 years");
            }
            long gain = permits / divisor;
            return new Bucket(burst, gain, cost, Math.ceilDiv(burst * cost, gain), 0, now);
        }

        private Bucket filled() {
            return with(most * cost, last);
        }

        private Bucket with(long credit, long now) {
            return new Bucket(most, gain, cost, fill, credit, now - last > 0 ? now : last);
        }

        private long credit(long now) {
            long missing = most * cost - credit;
            long elapsed = now - last;
            return elapsed <= 0 ? credit : elapsed >= fill ? credit + missing
                    : credit + Math.min(missing, elapsed * gain); // no division: it would be most of the call
        }

        @Override
        public long until(long permits, long now) {
            long price = permits > most && permits > Long.MAX_VALUE / cost ? Long.MAX_VALUE : permits * cost;
            long missing = price - credit(now);
            return missing <= 0 ? 0 : Math.ceilDiv(missing, gain);
        }

        @Override
        public Supply take(int permits, long now) {
            return with(credit(now) - permits * cost, now);
        }

        @Override
        public Supply withRate(int permits, long nanos, long now) {
            var changed = empty(most, permits, nanos, last);
            var saved = BigInteger.valueOf(credit(now)).multiply(BigInteger.valueOf(changed.cost));
            return changed.with(saved.divide(BigInteger.valueOf(cost)).longValue(), now);
        }

        private static long gcd(long a, long b) {
            return b == 0 ? a : gcd(b, a % b);
        }
    }

    /** When each of the latest permits was taken: a ring. */
    private record Log(long[] taken, int oldest, long last, long period) implements Supply {
        private static Log empty(int permits, long nanos, long now) {
            if (permits < 1) {
                throw new IllegalArgumentException("permits " + permits + " must be 1 or more");
            }
            var taken = new long[permits];
            long period = Math.min(nanos, Long.MAX_VALUE / 2);
            Arrays.fill(taken, now - Long.MAX_VALUE / 2); // so long ago that no period reaches it, a new one neither
            return new Log(taken, 0, now, period);
        }

        @Override
        public int most() {
            return taken.length;
        }

        @Override
        public long until(long permits, long now) {
            long rounds = (permits - 1) / taken.length; // of a line that wants more than go in a period
            long wait = period - (now - taken[(int) ((oldest + permits - 1) % taken.length)]);
            return rounds == 0 ? wait
                    : rounds > Long.MAX_VALUE / 2 / period ? Long.MAX_VALUE : Math.max(0, wait) + rounds * period;
        }

        @Override
        public Supply take(int permits, long now) {
            long time = now - last > 0 ? now : last;
            var next = taken.clone();
            for (int i = 0; i < permits; i++) {
                next[(oldest + i) % next.length] = time;
            }
            return new Log(next, (oldest + permits) % next.length, time, period);
        }

        @Override
        public Supply withRate(int permits, long nanos, long now) {
            var changed = empty(permits, nanos, now);
            for (int i = 1; i <= Math.min(permits, taken.length); i++) {
                changed.taken[permits - i] = taken[(oldest + taken.length - i) % taken.length];
            }
            return new Log(changed.taken, 0, last, changed.period);
        }
    }

    private record State(Supply supply, long line) { } // and how many permits are waited for

    private static final long SLICE = 1_000_000_000; // of a sleep: then a new rate is seen
    private final Clock clock;
    private final AtomicReference<State> state;
    private final ReentrantLock turn = new ReentrantLock(true); // fair: the line; its head holds it, asleep too

    public RateLimiter(int permits, Duration period, int burst) {
        this(permits, period, burst, Clock.SYSTEM);
    }

    /**
     * Starts with a full bucket. In any time t at most {@code burst + permits * t / period} calls go through: with 100
     * a second and a burst of 100, up to 199 in the first second. {@link #atMost} is stricter.
     *
     * @param burst how many may go at once after a pause. It also makes up for sleeps that take too long: at high
     *              rates, make it the permits of a few milliseconds
     */
    public RateLimiter(int permits, Duration period, int burst, Clock clock) {
        this(clock, Bucket.empty(positive("burst", burst), positive("permits", permits), nanos(period),
                clock.nanoTime()).filled());
    }

    private RateLimiter(Clock clock, Supply supply) {
        this.clock = clock;
        state = new AtomicReference<>(new State(supply, 0));
    }

    /**
     * At most {@code permits} in any period, whenever it begins; all of them at once after a pause.
     *
     * @param permits their times are kept and copied at each call: slow above some ten thousand
     */
    public static RateLimiter atMost(int permits, Duration period) {
        return atMost(permits, period, Clock.SYSTEM);
    }

    public static RateLimiter atMost(int permits, Duration period, Clock clock) {
        return new RateLimiter(clock, Log.empty(permits, nanos(period), clock.nanoTime()));
    }

    /** Waits for a permit. If interrupted, it has taken none. */
    public void acquire() throws InterruptedException {
        acquire(1);
    }

    /** @param permits to take together; at most the burst, or all of {@link #atMost} */
    public void acquire(int permits) throws InterruptedException {
        tryAcquire(permits, Long.MAX_VALUE);
    }

    /**
     * Waits at most {@code patience} for a permit; zero or less takes one only if it is available and nobody waits.
     * Returns false with none taken: at once if it could not come in time even if all other waiters gave up, else when
     * {@code patience} is over.
     */
    public boolean tryAcquire(Duration patience) throws InterruptedException {
        return tryAcquire(1, patience);
    }

    public boolean tryAcquire(int permits, Duration patience) throws InterruptedException {
        Objects.requireNonNull(patience, "patience");
        return tryAcquire(permits, Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2));
    }

    /**
     * Takes a permit if one is available and nobody waits, and returns zero. Otherwise takes none and returns how long
     * until one is available, after all waiters have theirs. Never waits.
     */
    public Duration reserve() {
        return reserve(1);
    }

    public Duration reserve(int permits) {
        return Duration.ofNanos(take(permits, true));
    }

    /**
     * Changes the rate from now on; the burst and the saved permits stay. Waiters notice within a second. After {@link
     * #atMost} this is the new limit, and waiters for more permits than that get an {@link IllegalArgumentException}.
     */
    public void setRate(int permits, Duration period) {
        positive("permits", permits);
        long nanos = nanos(period);
        state.updateAndGet(old -> new State(old.supply.withRate(permits, nanos, clock.nanoTime()), old.line));
    }

    private boolean tryAcquire(int permits, long patience) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (take(permits, true) == 0) {
            return true;
        }
        if (patience <= 0) {
            return false;
        }
        long start = clock.nanoTime();
        if (state.get().supply.until(permits, start) > patience) {
            return false;
        }
        line(permits);
        boolean taken = false;
        try {
            if (!turn.tryLock(Math.min(patience, Long.MAX_VALUE / 2), TimeUnit.NANOSECONDS)) {
                return false;
            }
            try {
                for (long wait; (wait = take(permits, false)) > 0; ) {
                    if (patience < Long.MAX_VALUE && wait > patience - (clock.nanoTime() - start)) {
                        return false;
                    }
                    clock.sleep(Duration.ofNanos(Math.min(wait, SLICE)));
                }
                taken = true;
                return true;
            } finally {
                turn.unlock();
            }
        } finally {
            if (!taken) {
                line(-permits);
            }
        }
    }

    /**
     * Zero: taken. Else nanoseconds until they are available. A newcomer leaves enough for the line; its head takes its
     * own.
     */
    private long take(int permits, boolean newcomer) {
        for (;;) {
            var old = state.get();
            if (permits < 1 || permits > old.supply.most()) {
                throw new IllegalArgumentException("permits " + permits + " must be 1 to " + old.supply.most());
            }
            long now = clock.nanoTime();
            long wait = old.supply.until(newcomer ? permits + old.line : permits, now);
            if (wait > 0) {
                return wait;
            }
            var left = new State(old.supply.take(permits, now), newcomer ? old.line : old.line - permits);
            if (state.compareAndSet(old, left)) {
                return 0;
            }
        }
    }

    private void line(int more) {
        state.updateAndGet(old -> new State(old.supply, old.line + more));
    }

    private static int positive(String what, int number) {
        if (number < 1) {
            throw new IllegalArgumentException(what + " " + number + " must be positive");
        }
        return number;
    }

    private static long nanos(Duration period) {
        if (!period.isPositive()) {
            throw new IllegalArgumentException("period " + period + " must be positive");
        }
        return TimeUnit.NANOSECONDS.convert(period);
    }
    // @end region="rate-limiter"

    public static void main(String[] args) throws Exception {
        long start = System.nanoTime();
        // @start region="use"
        var limiter = new RateLimiter(100, Duration.ofSeconds(1), 10); // 100 a second, 10 at once after a pause
        for (int i = 0; i < 40; i++) {
            limiter.acquire(); // or tryAcquire(patience)
        }
        // @end region="use"
        // @start region="reserve"
        var daily = RateLimiter.atMost(2, Duration.ofDays(1)); // never more than two in any 24 hours
        daily.acquire(2);
        Duration wait = daily.reserve(); // never waits
        if (wait.isPositive()) {
            System.out.println("429, Retry-After: " + wait.plusNanos(999_999_999).toSeconds());
        }
        // @end region="reserve"
        check(wait.compareTo(Duration.ofHours(23)) > 0, "one day, less what has passed");
        long millis = (System.nanoTime() - start) / 1_000_000;
        System.out.println("40 calls at 100 a second, burst 10: " + millis + " ms (10 at once, 30 in 300 ms)");
        check(millis >= 299, "never faster than allowed");

        var slow = new RateLimiter(10, Duration.ofSeconds(1), 1);
        slow.acquire();
        var gaveUp = new AtomicInteger();
        var waiters = new ArrayList<Thread>();
        for (int i = 0; i < 30; i++) {
            waiters.add(Thread.ofVirtual().start(() -> {
                try {
                    slow.acquire();
                } catch (InterruptedException e) {
                    gaveUp.incrementAndGet();
                }
            }));
        }
        waiters.forEach(Thread::interrupt);
        for (var waiter : waiters) {
            waiter.join();
        }
        start = System.nanoTime();
        slow.acquire();
        millis = (System.nanoTime() - start) / 1_000_000;
        System.out.println(gaveUp + " waiters gave up; the next permit came after " + millis + " ms, not after 3,000");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
