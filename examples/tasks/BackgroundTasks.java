import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code background = set(); task = create_task(c); background.add(task)}. Final API, JDK 21 and later.
 *
 * <p>Use for work that nobody waits for: it has a name, is counted, its failure is reported, and it is stopped and
 * awaited at the end. {@code executor.submit} loses the failure if nobody reads the future, and virtual threads do not
 * keep the JVM alive. Do not use for results ({@code Gather}, {@code TaskGroup}) or for work at intervals ({@code
 * PeriodicTask}).
 *
 * <p>Run: {@code java examples/tasks/BackgroundTasks.java}
 */
public final class BackgroundTasks implements AutoCloseable {

    // @start region="background"
    @FunctionalInterface
    public interface Work {
        void run() throws Exception;
    }

    @FunctionalInterface
    public interface FailureHandler {
        void failed(String task, Throwable cause);
    }

    private final int limit;
    private final Duration grace;
    private final FailureHandler onFailure;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private final Set<Task> tasks = new LinkedHashSet<>(); // guarded by lock
    private boolean closed;

    /**
     * @param limit     tasks at a time
     * @param grace     how long {@link #close} waits for tasks to heed their interrupt
     * @param onFailure called in the failed task's thread, with the flag cleared, and by {@code close} for late tasks;
     *                  what it throws goes to the uncaught handler
     */
    public BackgroundTasks(int limit, Duration grace, FailureHandler onFailure) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit: " + limit);
        }
        this.limit = limit;
        this.grace = Objects.requireNonNull(grace, "grace");
        this.onFailure = Objects.requireNonNull(onFailure, "onFailure");
    }

    /**
     * Starts the work at once in a virtual thread of that name. Whatever it throws is reported, except a cancelled
     * task's answer to its interrupt: an {@code InterruptedException}, or an {@code IOException} or {@code
     * CancellationException} with the flag still set.
     *
     * @throws RejectedExecutionException if closed, or {@code limit} tasks are running: never waits
     */
    public Task start(String name, Work work) {
        var task = new Task(Objects.requireNonNull(name, "name"), Objects.requireNonNull(work, "work"));
        lock.lock();
        try {
            if (closed || tasks.size() == limit) {
                throw new RejectedExecutionException(name + ": " + (closed ? "closed" : limit + " tasks are running"));
            }
            task.thread.start();
            tasks.add(task);
        } finally {
            lock.unlock();
        }
        return task;
    }

    /** The names of the tasks that have not ended, oldest first. */
    public List<String> running() {
        lock.lock();
        try {
            return tasks.stream().map(Task::name).toList();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses new tasks and waits for running ones to end by themselves; false if some still run after {@code
     * patience}.
     *
     * @throws IllegalStateException in a task, which would wait for itself; nothing is refused
     */
    public boolean drain(Duration patience) throws InterruptedException {
        Objects.requireNonNull(patience, "patience");
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2);
        lock.lockInterruptibly();
        try {
            refuseTasks();
            closed = true;
            while (!tasks.isEmpty() && nanos > 0) {
                nanos = ended.awaitNanos(nanos);
            }
            return tasks.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses new tasks, interrupts running ones, once, and waits at most {@code grace} until they have ended and their
     * failures are reported; then reports each that still runs, with a {@link TimeoutException}. An interrupt during
     * the wait is kept in the flag. A second call waits again.
     *
     * @throws IllegalStateException in a task, which would wait for itself; nothing is closed. Close from a new thread
     *                               instead
     */
    @Override
    public void close() {
        List<String> late;
        boolean interrupted = false;
        lock.lock();
        try {
            refuseTasks();
            closed = true;
            tasks.forEach(Task::cancel);
            long end = System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(grace), 0, Long.MAX_VALUE / 2);
            for (long nanos; !tasks.isEmpty() && (nanos = end - System.nanoTime()) > 0; ) {
                try {
                    ended.awaitNanos(nanos);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            late = running();
        } finally {
            lock.unlock();
        }
        for (String name : late) {
            interrupted |= Thread.interrupted(); // the handler may block
            report(name, new TimeoutException("still running " + grace + " after its interrupt"));
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void refuseTasks() {
        if (tasks.stream().anyMatch(task -> task.thread == Thread.currentThread())) {
            throw new IllegalStateException(Thread.currentThread().getName() + " would wait for itself");
        }
    }

    private void report(String task, Throwable cause) {
        try {
            onFailure.failed(task, cause);
        } catch (Throwable e) {
            try {
                Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(Thread.currentThread(), e);
            } catch (Throwable ignored) {
                // as the JVM does with a handler that throws
            }
        }
    }

    /** A running task. Thread-safe. */
    public final class Task {
        private final Thread thread;
        private boolean working = true; // guarded by lock, as is the next
        private boolean cancelled;

        private Task(String name, Work work) {
            thread = Thread.ofVirtual().name(name).unstarted(() -> run(work));
        }

        public String name() {
            return thread.getName();
        }

        /** Interrupts the task, once, and returns at once; does nothing if its work has ended. */
        public void cancel() {
            lock.lock();
            try {
                if (working && !cancelled) {
                    cancelled = true;
                    thread.interrupt();
                }
            } finally {
                lock.unlock();
            }
        }

        private void run(Work work) {
            try {
                work.run();
            } catch (Throwable e) {
                boolean answer = e instanceof InterruptedException || Thread.currentThread().isInterrupted()
                        && (e instanceof IOException || e instanceof CancellationException);
                if (!(wasCancelled() && answer)) {
                    report(name(), e);
                }
            } finally {
                lock.lock();
                try {
                    tasks.remove(this);
                    ended.signalAll();
                } finally {
                    lock.unlock();
                }
            }
        }

        private boolean wasCancelled() {
            lock.lock();
            try {
                working = false; // from here on cancel() spares this thread: the handler may block
                Thread.interrupted();
                return cancelled;
            } finally {
                lock.unlock();
            }
        }
    }
    // @end region="background"

    public static void main(String[] args) throws Exception {
        var failures = new ArrayList<String>();
        var stopped = new CountDownLatch(1);
        // @start region="use"
        var tasks = new BackgroundTasks(100, Duration.ofSeconds(5),
                (task, cause) -> failures.add(task + ": " + cause.getMessage()));
        tasks.start("cache warmer", () -> {
            throw new IOException("no such host");
        });
        // @end region="use"
        try (tasks) { // for the life of the application
            tasks.start("queue poller", () -> {
                try {
                    Thread.sleep(60_000);
                } finally {
                    stopped.countDown();
                }
            });
            while (tasks.running().size() > 1) {
                Thread.sleep(1);
            }
            System.out.println("failed: " + failures + ", running: " + tasks.running());
        }
        check(failures.equals(List.of("cache warmer: no such host")), "the failure is reported, no cancellation");
        check(stopped.getCount() == 0 && tasks.running().isEmpty(), "stopped and awaited");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
