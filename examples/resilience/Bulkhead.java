import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code Semaphore} around the calls to one service. Final API, JDK 21 and later.
 *
 * <p>Use so that one slow service cannot take every thread and all memory: at most so many calls run, at most so many wait, none waits
 * longer than the patience, the rest are refused at once. A bare {@code Semaphore} bounds those that run but not those that wait. One
 * instance for each service. Do not use to work off a list ({@code BoundedGather}) or for calls a second ({@code RateLimiter}).
 *
 * <p>Thread-safe. Calls run in the caller's thread, and no lock is held meanwhile. Waiters are served in the order they came.
 *
 * <p>Run: {@code java examples/resilience/Bulkhead.java}
 */
public final class Bulkhead {

    // @start region="bulkhead"
    /** The call was not made: too many wait, or it waited in vain. */
    public static final class FullException extends RejectedExecutionException {
        private static final long serialVersionUID = 1;

        private FullException(String message) {
            super(message);
        }
    }

    private final class Waiter {
        private final Condition turn = lock.newCondition();
        private boolean admitted;
    }

    private final int maxRunning;
    private final int maxWaiting;
    private final Duration patience;
    private final ReentrantLock lock = new ReentrantLock(); // guards what follows
    private final Queue<Waiter> waiters = new ArrayDeque<>();
    private int running;

    /** @param maxWaiting zero refuses at once. @param patience the longest wait; zero or less refuses at once too */
    public Bulkhead(int maxRunning, int maxWaiting, Duration patience) {
        if (maxRunning < 1 || maxWaiting < 0) {
            throw new IllegalArgumentException("maxRunning " + maxRunning + " must be 1 or more, maxWaiting " + maxWaiting + " 0 or more");
        }
        this.maxRunning = maxRunning;
        this.maxWaiting = maxWaiting;
        this.patience = patience;
    }

    /**
     * Makes the call when there is room. Whatever it returns or throws is passed on as it is.
     *
     * @throws FullException        the call was not made
     * @throws InterruptedException the caller was interrupted while waiting; the call was not made
     */
    public <T> T call(Callable<? extends T> task) throws Exception {
        enter();
        try {
            return task.call();
        } finally {
            leave();
        }
    }

    /** Calls that run now, for metrics. */
    public int running() {
        lock.lock();
        try {
            return running;
        } finally {
            lock.unlock();
        }
    }

    /** Calls that wait now, for metrics. */
    public int waiting() {
        lock.lock();
        try {
            return waiters.size();
        } finally {
            lock.unlock();
        }
    }

    private void enter() throws InterruptedException {
        lock.lock();
        try {
            if (running < maxRunning) { // then nobody waits: leave() hands its place on
                running++;
                return;
            }
            if (waiters.size() >= maxWaiting) {
                throw new FullException(running + " calls run and " + waiters.size() + " wait");
            }
            var waiter = new Waiter();
            waiters.add(waiter);
            long nanos = Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2);
            try {
                while (!waiter.admitted) {
                    if (nanos <= 0) {
                        throw new FullException("waited " + patience + " in vain, " + running + " calls run");
                    }
                    nanos = waiter.turn.awaitNanos(nanos);
                }
            } catch (InterruptedException e) {
                if (waiter.admitted) { // both at once: the place goes to the next
                    leave();
                }
                throw e;
            } finally {
                waiters.remove(waiter); // one that gave up must not be handed a place
            }
        } finally {
            lock.unlock();
        }
    }

    private void leave() {
        lock.lock();
        try {
            var next = waiters.poll();
            if (next == null) {
                running--;
            } else {
                next.admitted = true;
                next.turn.signal();
            }
        } finally {
            lock.unlock();
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
            System.out.println(bulkhead.running() + " run, " + bulkhead.waiting() + " wait, " + refused + " were refused");
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
