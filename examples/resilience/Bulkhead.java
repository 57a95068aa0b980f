import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code Semaphore} around the calls to one service. Final API, JDK 21 and later.
 *
 * <p>Use so that one slow service cannot take every thread and all memory: at most N calls run, at most M wait, none
 * waits longer than its patience; the rest are refused at once. A bare {@code Semaphore} does not limit those that
 * wait. Use one instance per service. {@link #call} is for a blocking call; {@link #tryEnter()} never waits; another
 * thread may close a permit. Do not use to process a list ({@code BoundedGather}), to limit calls per second ({@code
 * RateLimiter}) or per client ({@code KeyedLimits}).
 *
 * <p>Thread-safe. Calls run in the caller's thread, without a lock held; none is taken while nobody waits. The lowest
 * priority number goes first, then first come, first served. Nobody overtakes the first in line, even if it needs more
 * room than is free. A call with a high number may wait until its patience ends: numbers do not age.
 *
 * <p>Run: {@code java examples/resilience/Bulkhead.java}
 */
public final class Bulkhead {

    // @start region="bulkhead"
    /** The call was not made: too many calls wait, or no room came in time. */
    public static final class FullException extends RejectedExecutionException {
        private static final long serialVersionUID = 1;

        private FullException(String message) {
            super(message);
        }
    }

    /** Room for one call. Close it however the call ends; the first close counts, from any thread. */
    public final class Permit implements AutoCloseable {
        private final int weight;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Permit(int weight) {
            if (weight < 1 || weight > maxRunning) {
                throw new IllegalArgumentException("weight " + weight + " must be 1 to " + maxRunning);
            }
            this.weight = weight;
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                leave(weight);
            }
        }
    }

    private enum Fate { WAITING, ADMITTED, DISPLACED, REFUSED }

    private final class Waiter {
        private final int weight;
        private final int priority;
        private final long number = ++arrived;
        private final Condition turn = lock.newCondition();
        private Fate fate = Fate.WAITING;

        private Waiter(int weight, int priority) {
            this.weight = weight;
            this.priority = priority;
        }
    }

    private static final long ONE_WAITS = 1L << 32;
    private final int maxRunning;
    private final int maxWaiting;
    private final Duration patience;
    private final AtomicLong state = new AtomicLong(); // the weight that runs; in the upper half how many wait
    private final ReentrantLock lock = new ReentrantLock(); // guards what follows
    private final TreeSet<Waiter> waiters = new TreeSet<>(
            Comparator.<Waiter>comparingInt(waiter -> waiter.priority).thenComparingLong(waiter -> waiter.number));
    private long arrived;

    /**
     * @param maxRunning calls at a time, or their total weight
     * @param maxWaiting zero refuses at once
     * @param patience   the longest wait of {@link #call}; zero or less refuses at once, too
     */
    public Bulkhead(int maxRunning, int maxWaiting, Duration patience) {
        if (maxRunning < 1 || maxWaiting < 0) {
            throw new IllegalArgumentException(
                    "maxRunning " + maxRunning + " must be 1 or more, maxWaiting " + maxWaiting + " 0 or more");
        }
        this.maxRunning = maxRunning;
        this.maxWaiting = maxWaiting;
        this.patience = Objects.requireNonNull(patience, "patience");
    }

    /**
     * Makes the call when there is room, and returns or throws what it does.
     *
     * @throws FullException        the call was not made
     * @throws InterruptedException the caller was interrupted while waiting; the call was not made
     */
    public <T> T call(Callable<? extends T> task) throws Exception {
        Objects.requireNonNull(task, "task");
        var permit = enter(patience);
        try {
            return task.call();
        } finally {
            permit.close();
        }
    }

    /** A permit if there is room and nobody waits. Never waits. */
    public Optional<Permit> tryEnter() {
        return tryEnter(1);
    }

    public Optional<Permit> tryEnter(int weight) {
        var permit = new Permit(weight);
        return take(weight) ? Optional.of(permit) : Optional.empty();
    }

    /** Waits at most {@code patience} for room. @throws FullException no room in that time, or too many wait */
    public Permit enter(Duration patience) throws InterruptedException {
        return enter(patience, 1, 0);
    }

    /**
     * The same for a call that weighs as much as {@code weight} others; goes before those with a higher priority
     * number. If the line is full, its last call is refused instead, if its number is higher.
     */
    public Permit enter(Duration patience, int weight, int priority) throws InterruptedException {
        var permit = new Permit(weight);
        Objects.requireNonNull(patience, "patience");
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2);
        if (!take(weight)) {
            String refusal = nanos > 0 ? await(weight, priority, nanos) : "no room";
            if (refusal != null) {
                throw new FullException(refusal + ", " + running() + " run and " + waiting() + " wait");
            }
        }
        return permit;
    }

    /**
     * Refuses all calls that wait now, each with a {@link FullException}: at a stop, or when the service is known to be
     * down ({@code if (permit.failed()) bulkhead.refuseWaiters()} with a {@code CircuitBreaker}). Calls that run keep
     * their permits. Later calls wait as usual: refuse newcomers first. Never waits.
     *
     * @return how many were refused
     */
    public int refuseWaiters() {
        lock.lock();
        try {
            int refused = waiters.size();
            while (!waiters.isEmpty()) {
                remove(waiters.first(), Fate.REFUSED);
            }
            return refused;
        } finally {
            lock.unlock();
        }
    }

    /** The total weight that runs now, for metrics. */
    public int running() {
        return state.intValue();
    }

    /** Calls that wait now, for metrics. */
    public int waiting() {
        return (int) (state.get() >>> 32);
    }

    private boolean take(int weight) {
        for (long now; (now = state.get()) < ONE_WAITS && now + weight <= maxRunning; ) {
            if (state.compareAndSet(now, now + weight)) {
                return true;
            }
        }
        return false;
    }

    private void leave(int weight) {
        if (state.addAndGet(-weight) >= ONE_WAITS) {
            lock.lock();
            try {
                admit();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Null: it has its room. */
    private String await(int weight, int priority, long nanos) throws InterruptedException {
        lock.lock();
        try {
            if (waiters.size() >= maxWaiting) {
                if (waiters.isEmpty() || waiters.last().priority <= priority) {
                    return "too many wait";
                }
                remove(waiters.last(), Fate.DISPLACED);
            }
            var waiter = new Waiter(weight, priority);
            waiters.add(waiter);
            for (boolean waits = false; !waits; ) { // in one step: nobody is refused because of one that need not wait
                long now = state.get();
                boolean room = waiters.size() == 1 && now + weight <= maxRunning;
                waits = state.compareAndSet(now, now + (room ? weight : ONE_WAITS));
                if (waits && room) {
                    waiters.remove(waiter);
                    return null;
                }
            }
            admit(); // it may be the first now, and lighter than who was
            try {
                while (waiter.fate == Fate.WAITING && nanos > 0) {
                    nanos = waiter.turn.awaitNanos(nanos);
                }
                return switch (waiter.fate) {
                    case ADMITTED -> null;
                    case DISPLACED -> "more urgent ones wait";
                    case REFUSED -> "all that waited were refused";
                    case WAITING -> "waited in vain";
                };
            } catch (InterruptedException e) {
                if (waiter.fate == Fate.ADMITTED) { // both at once: the room goes to the next
                    leave(weight);
                }
                throw e;
            } finally {
                if (waiter.fate == Fate.WAITING) { // one that gave up must not be handed room
                    remove(waiter, Fate.DISPLACED);
                    admit(); // for those who are lighter
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void remove(Waiter waiter, Fate fate) {
        state.addAndGet(-ONE_WAITS);
        waiters.remove(waiter);
        waiter.fate = fate;
        waiter.turn.signal();
    }

    private void admit() {
        while (!waiters.isEmpty()) {
            var first = waiters.first();
            long now = state.get();
            if ((int) now > maxRunning - first.weight) {
                return;
            }
            if (state.compareAndSet(now, now + first.weight - ONE_WAITS)) {
                waiters.remove(first);
                first.fate = Fate.ADMITTED;
                first.turn.signal();
            }
        }
    }
    // @end region="bulkhead"

    public static void main(String[] args) throws Exception {
        var end = new CountDownLatch(1);
        var refused = new AtomicInteger();
        // @start region="use"
        var bulkhead = new Bulkhead(2, 3, Duration.ofSeconds(10)); // two run, three wait, ten seconds at most
        Callable<String> call = () -> {
            try {
                return bulkhead.call(() -> slowly(end));
            } catch (FullException e) {
                refused.incrementAndGet();
                return e.getMessage();
            }
        };
        // @end region="use"
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var calls = new ArrayList<Future<String>>();
            for (int i = 0; i < 10; i++) {
                calls.add(executor.submit(call));
            }
            while (refused.get() < 5) {
                Thread.sleep(1);
            }
            System.out.println(bulkhead.running() + " run, " + bulkhead.waiting() + " wait, " + refused + " refused");
            check(bulkhead.running() == 2 && bulkhead.waiting() == 3, "both bounds hold");
            end.countDown();
            int answered = 0;
            for (var done : calls) {
                answered += done.get().equals("answer") ? 1 : 0;
            }
            System.out.println(answered + " were answered");
            check(answered == 5, "those that waited were served");
        }
        check(bulkhead.running() == 0, "every place is free again");

        // @start region="permit"
        var urgent = bulkhead.enter(Duration.ofMillis(100), 2, -1); // as heavy as two, before all with priority 0
        try {
            System.out.println(bulkhead.tryEnter().isPresent() ? "room" : "503"); // never waits
        } finally {
            urgent.close(); // or in a callback, by another thread
        }
        // @end region="permit"
        check(bulkhead.tryEnter(2).isPresent(), "it was closed");
    }

    private static String slowly(CountDownLatch end) throws InterruptedException {
        end.await();
        return "answer";
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
