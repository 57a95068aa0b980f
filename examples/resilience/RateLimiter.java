import java.time.Duration;
import java.util.ArrayList;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code aiolimiter.AsyncLimiter}, a token bucket. Final API, JDK 21 and later.
 *
 * <p>Use when a service allows so many calls per second. Do not use {@code Semaphore} for it: that limits how many run
 * at a time, not how many start in a second (10 permits and calls of 1 ms are 10,000 calls a second), nor use this to
 * limit what runs at a time.
 *
 * <p>Nothing is reserved ahead: a waiter that gives up costs the others nothing. A limiter that hands out future slots
 * makes them wait for those who left.
 *
 * <p>Run: {@code java examples/resilience/RateLimiter.java}
 */
public final class RateLimiter {

    // @start region="rate-limiter"
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

    private final Clock clock;
    private final ReentrantLock turn = new ReentrantLock(true); // fair: a queue; its head holds it, asleep too
    // In units so small that a nanosecond gains, and a token costs, a whole number of them: nothing is rounded away.
    private final long gain;
    private final long cost;
    private final long full;
    private long credit; // guarded by turn, as is the next
    private long last;

    public RateLimiter(int permits, Duration period, int burst) {
        this(permits, period, burst, Clock.SYSTEM);
    }

    /**
     * A full bucket. In any time t at most {@code burst + permits * t / period} calls go through.
     *
     * @param burst how many may go at once after a pause. Also what is not lost when a sleep takes longer than asked:
     *              at high rates give it the permits of a few milliseconds
     */
    public RateLimiter(int permits, Duration period, int burst, Clock clock) {
        if (permits < 1 || burst < 1 || period.isNegative() || period.isZero()) {
            throw new IllegalArgumentException(
                    permits + " permits per " + period + ", burst " + burst + ": must be positive");
        }
        long nanos = TimeUnit.NANOSECONDS.convert(period);
        long divisor = gcd(permits, nanos);
        gain = permits / divisor;
        cost = nanos / divisor;
        if (cost > Long.MAX_VALUE / burst) {
            throw new IllegalArgumentException("burst " + burst + " times " + period + ": must be below 292 years");
        }
        full = burst * cost;
        credit = full;
        this.clock = Objects.requireNonNull(clock);
        last = clock.nanoTime();
    }

    /** Waits for a token, first come, first served. An interrupted waiter has taken none. Thread-safe. */
    public void acquire() throws InterruptedException {
        turn.lockInterruptibly();
        try {
            take(Long.MAX_VALUE);
        } finally {
            turn.unlock();
        }
    }

    /**
     * Waits for a token at most {@code patience}; zero or less: takes one only if it is there and nobody waits for it.
     * False, with none taken, as soon as it is clear that it will not come in time.
     */
    public boolean tryAcquire(Duration patience) throws InterruptedException {
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2);
        long start = clock.nanoTime();
        if (!turn.tryLock(nanos, TimeUnit.NANOSECONDS)) {
            return false;
        }
        try {
            return take(Math.max(0, nanos) - (clock.nanoTime() - start));
        } finally {
            turn.unlock();
        }
    }

    private boolean take(long patience) throws InterruptedException {
        for (long wait; (wait = refill()) > 0; patience -= wait) {
            if (wait > patience) {
                return false;
            }
            clock.sleep(Duration.ofNanos(wait));
        }
        credit -= cost;
        return true;
    }

    /** Nanoseconds until there is a token; not positive: now. */
    private long refill() {
        long now = clock.nanoTime();
        long elapsed = now - last;
        if (elapsed > 0) {
            last = now;
            credit = elapsed > (full - credit) / gain ? full : credit + elapsed * gain; // the product does not overflow
        }
        return Math.ceilDiv(cost - credit, gain);
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
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
