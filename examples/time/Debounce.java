import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: cancel the sleeping task and start it again at each call. Final API, JDK 21 and later.
 *
 * <p>Use to act once after a burst of calls: search as the user types, reload after file changes. Do not use to act
 * during the burst ({@code Throttle}), or where every value counts ({@code WorkQueue}): all but the last of a burst are
 * dropped.
 *
 * <p>Thread-safe. {@link #call} never waits. The action runs in a virtual thread that lives for one burst: it may
 * block, never overlaps itself, and a Debounce that is forgotten holds no thread. What it throws goes to the uncaught
 * exception handler and ends nothing.
 *
 * <p>Run: {@code java examples/time/Debounce.java}
 */
public final class Debounce<T> implements AutoCloseable {

    @FunctionalInterface
    public interface Action<T> {
        void run(T value) throws Exception;
    }

    private final long quiet;
    private final long maxWait;
    private final boolean leading;
    private final Action<? super T> action;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Thread worker; // not null: a burst is on
    private T pending;
    private long firstPending;
    private long lastCall;
    private long calls;
    private long settled; // calls up to this one have been run, or replaced by one that has
    private long urgent; // calls up to this one do not wait
    private volatile boolean closed;

    /** Runs {@code action} with the last value when {@code quiet} has passed without a call. */
    public Debounce(Duration quiet, Action<? super T> action) {
        this(quiet, Duration.ofSeconds(Long.MAX_VALUE), false, action);
    }

    /**
     * @param maxWait the longest time that a value, or its replacement, waits, however long the burst
     * @param leading run the first value of a burst at once; the last one, if there is another, as usual
     */
    public Debounce(Duration quiet, Duration maxWait, boolean leading, Action<? super T> action) {
        Objects.requireNonNull(quiet, "quiet");
        this.quiet = Math.clamp(TimeUnit.NANOSECONDS.convert(quiet), 0, Long.MAX_VALUE / 2);
        Objects.requireNonNull(maxWait, "maxWait");
        this.maxWait = Math.clamp(TimeUnit.NANOSECONDS.convert(maxWait), 0, Long.MAX_VALUE / 2);
        this.leading = leading;
        this.action = Objects.requireNonNull(action, "action");
    }

    // @start region="debounce"
    /** Replaces the waiting value and restarts the quiet time. @throws IllegalStateException if closed */
    public void call(T value) {
        Objects.requireNonNull(value, "value");
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            calls++;
            lastCall = System.nanoTime();
            if (worker == null && leading) {
                long call = calls;
                worker = Thread.ofVirtual().name("debounce").start(() -> work(value, call));
                return;
            }
            if (pending == null) {
                firstPending = lastCall;
                changed.signalAll(); // maxWait may end before the wait that is on
            }
            pending = value;
            if (worker == null) {
                worker = Thread.ofVirtual().name("debounce").start(() -> work(null, 0));
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
            if (first != null && !closed) {
                run(first, call);
            }
            while (!closed) {
                long now = System.nanoTime();
                long wait = quiet - (now - lastCall);
                if (pending != null) {
                    wait = urgent > settled ? 0 : Math.min(wait, maxWait - (now - firstPending));
                } else if (!leading) {
                    break;
                }
                if (wait > 0) {
                    awaitNanos(wait);
                } else if (pending == null) {
                    break; // quiet: the next call is a leading one
                } else {
                    runPending();
                }
            }
        } finally {
            worker = null;
            changed.signalAll();
            lock.unlock();
        }
    }
    // @end region="debounce"

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
        var searched = new CopyOnWriteArrayList<String>();
        // @start region="search"
        try (var search = new Debounce<String>(Duration.ofMillis(300), searched::add)) {
            for (String typed : List.of("j", "ja", "jav", "java")) {
                search.call(typed);
                Thread.sleep(5);
            }
            search.flush(); // close() alone would drop "java"
        }
        // @end region="search"
        System.out.println("4 calls, searched for " + searched);
        check(searched.getLast().equals("java") && searched.size() < 4, "the last value of the burst is run");

        searched.clear();
        try (var search = new Debounce<String>(Duration.ofHours(1), Duration.ofMillis(50), true, searched::add)) {
            search.call("first");
            search.call("second");
            search.call("third");
            while (!searched.contains("third")) {
                Thread.sleep(5);
            }
        }
        System.out.println("leading, and at most 50 ms late: " + searched);
        check(searched.getFirst().equals("first") && searched.getLast().equals("third"),
                "the first at once, the last in time");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
