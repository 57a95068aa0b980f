import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code wait_for(to_thread(call), limit)}, which leaves the thread behind. Final API, JDK 21 and later.
 *
 * <p>Use for a call that may ignore its interrupt: DNS, a file on a lost network drive, native code, a driver that
 * swallows the interrupt. Do not use for a call that heeds it ({@code Timeout}, which waits for its end), or for one
 * that must finish even if its caller leaves ({@code Shield}).
 *
 * <p>Each call has its own platform thread, a daemon: a stuck one holds no carrier of virtual threads and does not keep
 * the JVM alive. Abandoned calls count: when all threads are stuck, calls are refused instead of losing a thread each.
 * Thread-safe; use one object for what may get stuck together (a drive, a driver).
 *
 * <p>Run: {@code java examples/time/UnresponsiveCalls.java}
 */
public final class UnresponsiveCalls {

    // @start region="unresponsive"
    @FunctionalInterface
    public interface LateHandler {
        /**
         * Called in the call's thread, with the interrupt flag cleared. {@code outcome} is done: see {@code state()};
         * what {@code resultNow()} gives may have to be closed. What this throws goes to the uncaught handler.
         */
        void ended(String call, Future<?> outcome);
    }

    private final Semaphore threads;
    private final LateHandler onLate;
    private final ReentrantLock leaving = new ReentrantLock();
    private final AtomicInteger abandoned = new AtomicInteger();

    /** @param limit threads at a time, including those of abandoned calls */
    public UnresponsiveCalls(int limit, LateHandler onLate) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit: " + limit);
        }
        threads = new Semaphore(limit, true);
        this.onLate = Objects.requireNonNull(onLate, "onLate");
    }

    /**
     * Makes the call and waits for it. A caller that leaves interrupts it, once, and does not wait for its end. The
     * outcome goes to exactly one place: to this caller, or to the handler if the caller left first.
     *
     * @param timeout for the wait for a thread and the call together; at zero or less the call is made only if a thread
     *                is free, and abandoned at once
     * @throws ExecutionException         the call failed, which is the cause
     * @throws TimeoutException           the call still ran; it may go on forever
     * @throws RejectedExecutionException no thread became free in time; the call was not made
     * @throws InterruptedException       the caller was interrupted, while it waited for a thread or for the call
     */
    public <T> T call(String name, Callable<? extends T> call, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(call, "call");
        Objects.requireNonNull(timeout, "timeout");
        long end = System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(timeout), 0, Long.MAX_VALUE / 2);
        if (!threads.tryAcquire(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            throw new RejectedExecutionException(name + ": no thread free, " + abandoned
                    + " hold one and were left behind");
        }
        var task = new FutureTask<T>(call::call);
        var taken = new AtomicBoolean(); // by the caller who leaves, or by the call that ends: who is first decides
        boolean left = false;
        try {
            Thread thread = Thread.ofPlatform().daemon().name(name).start(() -> run(name, task, taken));
            try {
                return task.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException | TimeoutException e) {
                left = leave(thread, taken);
                if (left && e instanceof TimeoutException) {
                    throw new TimeoutException(name + " still runs after " + timeout);
                }
                if (left) {
                    throw e;
                }
                if (e instanceof InterruptedException) {
                    Thread.currentThread().interrupt(); // the outcome came at the same moment: it is not lost
                }
                return task.get();
            }
        } finally {
            if (!left) {
                threads.release();
            }
        }
    }

    /** How many abandoned calls still run: for a gauge, and an alarm before {@code limit}. */
    public int abandoned() {
        return abandoned.get();
    }

    private boolean leave(Thread thread, AtomicBoolean taken) {
        leaving.lock();
        try {
            boolean first = taken.compareAndSet(false, true);
            if (first) {
                abandoned.incrementAndGet();
                thread.interrupt(); // under the lock: the handler does not meet it
            }
            return first;
        } finally {
            leaving.unlock();
        }
    }

    private void run(String name, FutureTask<?> task, AtomicBoolean taken) {
        task.run();
        leaving.lock();
        boolean late = !taken.compareAndSet(false, true);
        leaving.unlock();
        if (late) {
            try {
                Thread.interrupted();
                onLate.ended(name, task);
            } finally {
                abandoned.decrementAndGet();
                threads.release();
            }
        }
    }
    // @end region="unresponsive"

    public static void main(String[] args) throws Exception {
        var drive = new CountDownLatch(1);
        Callable<String> deaf = () -> {
            while (true) {
                try {
                    drive.await();
                    return "opened";
                } catch (InterruptedException e) { // blocking-ok: as a driver does that knows no interrupt
                    continue;
                }
            }
        };
        var late = new CopyOnWriteArrayList<String>();
        // @start region="use"
        var files = new UnresponsiveCalls(2, (call, outcome) -> late.add(call + " " + outcome.state()));
        try {
            files.call("open report", deaf, Duration.ofMillis(20));
        } catch (TimeoutException e) { // it has its thread, and nobody waits
            System.out.println(e.getMessage() + ", left behind: " + files.abandoned());
        }
        // @end region="use"
        try {
            files.call("open log", deaf, Duration.ofMillis(20));
            check(false, "stuck too");
        } catch (TimeoutException e) {
            check(files.abandoned() == 2, "both threads are stuck");
        }
        try {
            files.call("open third", deaf, Duration.ofMillis(20));
            check(false, "no thread is left");
        } catch (RejectedExecutionException e) {
            System.out.println(e.getMessage());
        }
        drive.countDown();
        System.out.println("the drive is back: " + files.call("open fourth", deaf, Duration.ofSeconds(30)));
        while (late.size() < 2) {
            Thread.sleep(1);
        }
        check(List.copyOf(late).stream().sorted().toList().equals(List.of("open log SUCCESS", "open report SUCCESS")),
                "each late outcome is told once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
