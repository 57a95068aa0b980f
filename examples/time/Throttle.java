import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: remember when it last ran, {@code call_later} the rest. Final API, JDK 21 and later.
 *
 * <p>Use to act during a burst of calls, but not on each: progress bars, position updates, cache refresh. Do not use to
 * act after the burst ({@code Debounce}), or to slow down a caller whose every call counts ({@code RateLimiter}): all
 * values of an interval but the last are dropped.
 *
 * <p>Thread-safe. {@link #call} never waits. The action runs in a virtual thread that lives for one burst: it may
 * block, never overlaps itself, and a Throttle that is forgotten holds no thread. What it throws goes to the uncaught
 * exception handler and ends nothing.
 *
 * <p>Run: {@code java examples/time/Throttle.java}
 */
public final class Throttle<T> implements AutoCloseable {

    @FunctionalInterface
    public interface Action<T> {
        void run(T value) throws Exception;
    }

    private final long interval;
    private final Action<? super T> action;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Thread worker; // not null: the interval after a run is on
    private T pending;
    private long calls;
    private long settled; // calls up to this one have been run, or replaced by one that has
    private long urgent; // calls up to this one do not wait
    private volatile boolean closed;

    /**
     * Runs {@code action} at once with the first value, then at most once per {@code interval}, with the latest value.
     */
    public Throttle(Duration interval, Action<? super T> action) {
        Objects.requireNonNull(interval, "interval");
        this.interval = Math.clamp(TimeUnit.NANOSECONDS.convert(interval), 0, Long.MAX_VALUE / 2);
        this.action = Objects.requireNonNull(action, "action");
    }

    // @start region="throttle"
    /**
     * Runs the value if the last run began an interval ago; otherwise replaces the waiting value.
     *
     * @throws IllegalStateException if closed
     */
    public void call(T value) {
        Objects.requireNonNull(value, "value");
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            calls++;
            if (worker == null) {
                long call = calls;
                worker = Thread.ofVirtual().name("throttle").start(() -> work(value, call));
            } else {
                pending = value;
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Runs the waiting value, if any, now, and returns when it has run, or at {@link #close} (at once from within the
     * action).
     */
    public void flush() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            urgent = calls;
            changed.signalAll();
            long wanted = calls;
            while (settled < wanted && !closed && Thread.currentThread() != worker) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Drops the waiting value ({@link #flush} first to keep it), interrupts the action and returns when it has ended;
     * an interrupt during the wait is kept in the flag. A second call waits too; the action is interrupted once.
     *
     * @throws IllegalStateException by the action, which would wait for itself; nothing was closed
     */
    @Override
    public void close() {
        lock.lock();
        try {
            if (worker == Thread.currentThread()) {
                throw new IllegalStateException("close() by the action, which would wait for itself");
            }
            if (!closed && worker != null) {
                worker.interrupt();
            }
            closed = true;
            changed.signalAll();
            while (worker != null) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private void work(T first, long call) {
        lock.lock();
        try {
            long begun = System.nanoTime();
            if (!closed) {
                run(first, call);
            }
            while (!closed) {
                long wait = urgent > settled ? 0 : interval - (System.nanoTime() - begun);
                if (wait > 0) {
                    awaitNanos(wait);
                } else if (pending == null) {
                    break; // an interval without a call: the next one runs at once
                } else {
                    begun = System.nanoTime();
                    runPending();
                }
            }
        } finally {
            worker = null;
            changed.signalAll();
            lock.unlock();
        }
    }
    // @end region="throttle"

    private void awaitNanos(long nanos) {
        try {
            changed.awaitNanos(nanos);
        } catch (InterruptedException e) { // blocking-ok: close() interrupts, and the caller looks at what it set
            return;
        }
    }

    private void runPending() {
        T value = pending;
        pending = null;
        run(value, calls);
    }

    private void run(T value, long upTo) {
        lock.unlock(); // no lock while code of yours runs
        try {
            action.run(value);
        } catch (Throwable failure) {
            Thread thread = Thread.currentThread();
            boolean answer = failure instanceof InterruptedException
                    || thread.isInterrupted() && failure instanceof IOException; // sockets and channels
            if (!(closed && answer)) {
                tell(thread, failure);
            }
        } finally {
            Thread.interrupted(); // left behind by the action: it would end the next wait
            lock.lock();
            settled = upTo;
            changed.signalAll();
        }
    }

    private static void tell(Thread thread, Throwable failure) {
        try {
            thread.getUncaughtExceptionHandler().uncaughtException(thread, failure);
        } catch (Throwable ignored) {
            // as the JVM does with a handler that throws
        }
    }

    public static void main(String[] args) throws Exception {
        var shown = new CopyOnWriteArrayList<Integer>();
        // @start region="progress"
        try (var progress = new Throttle<Integer>(Duration.ofMillis(50), shown::add)) {
            for (int percent = 0; percent <= 100; percent++) {
                progress.call(percent);
                Thread.sleep(2);
            }
            progress.flush(); // close() alone would drop the 100
        }
        // @end region="progress"
        System.out.println("101 calls, shown " + shown);
        check(shown.getLast() == 100, "the last value is shown");
        check(shown.equals(shown.stream().sorted().toList()), "in order");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
