package service;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Work that no request waits for: one-off or repeated. Each task has a virtual thread; failures are logged. A stop lets
 * running tasks finish, then interrupts them, once, and waits. Not for work that must not be lost. Thread-safe. Needs
 * {@link Log}.
 */
public final class Tasks {
    private static final Duration AFTER_INTERRUPT = Duration.ofSeconds(2);
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final Semaphore places;
    private final ReentrantLock lock = new ReentrantLock(); // nothing begins beside stop()
    private final CompletableFuture<Void> stopping = new CompletableFuture<>();

    @FunctionalInterface
    public interface Task {
        void run() throws Exception;
    }

    /** @param most tasks of {@link #background} at a time */
    public Tasks(int most) {
        if (most < 1) {
            throw new IllegalArgumentException("most must be positive: " + most);
        }
        this.places = new Semaphore(most);
    }

    public int running() {
        return threads.size();
    }

    /**
     * Never waits. Its log lines carry the id of the request that started it.
     *
     * @throws RejectedExecutionException too many, or stopping: 503
     */
    public void background(String name, Task task) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(task, "task");
        if (stopping.isDone() || !places.tryAcquire()) {
            throw new RejectedExecutionException(name);
        }
        boolean started = false;
        try {
            String id = Log.request();
            started = start(name, () -> {
                try {
                    Log.request(id);
                    guarded(name, task);
                } finally {
                    places.release();
                }
            });
        } finally {
            if (!started) {
                places.release();
            }
        }
        if (!started) {
            throw new RejectedExecutionException(name);
        }
    }

    /**
     * The delay counts from the end of a run: no overlap, no burst. Goes on after any Throwable and a leftover
     * interrupt flag.
     */
    public void every(String name, Duration delay, Task task) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(delay, "delay");
        Objects.requireNonNull(task, "task");
        long nanos = Math.max(1_000_000, Math.min(TimeUnit.NANOSECONDS.convert(delay),
                Long.MAX_VALUE / 2)); // else it starves others
        start(name, () -> {
            long wait = ThreadLocalRandom.current().nextLong(nanos); // instances do not run in step
            while (!stopping.isDone()) {
                try {
                    stopping.get(wait, TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    guarded(name, task);
                    wait = nanos;
                } catch (InterruptedException | ExecutionException | OutOfMemoryError e) {
                    wait = nanos; // stopped, or a leftover; or no memory for the wait
                }
            }
        });
    }

    /** @return false if not started because it is stopping */
    private boolean start(String name, Runnable loop) {
        var thread = Thread.ofVirtual().name(name).unstarted(() -> {
            try {
                loop.run();
            } finally {
                threads.remove(Thread.currentThread());
            }
        });
        lock.lock();
        try {
            if (stopping.isDone()) {
                return false;
            }
            threads.add(thread);
            boolean started = false;
            try {
                thread.start();
                started = true;
            } finally {
                if (!started) {
                    threads.remove(thread);
                }
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void guarded(String name, Task task) {
        try {
            task.run();
        } catch (Throwable e) {
            if (!(e instanceof InterruptedException && stopping.isDone())) {
                Log.error(name + " failed", e);
            }
        } finally {
            if (!stopping.isDone()) {
                Thread.interrupted();
            }
        }
    }

    /**
     * Nothing more starts; running tasks have {@code grace} to finish, then they are interrupted.
     *
     * @return false if something still runs
     */
    public boolean stop(Duration grace) {
        refuseOwnThread();
        Objects.requireNonNull(grace, "grace");
        boolean first;
        lock.lock();
        try {
            first = stopping.complete(null);
        } finally {
            lock.unlock();
        }
        boolean interrupted = join(grace);
        if (first) {
            threads.forEach(Thread::interrupt);
        }
        interrupted |= join(AFTER_INTERRUPT);
        for (var thread : threads) {
            var stack = new IllegalStateException(thread.getName());
            stack.setStackTrace(thread.getStackTrace());
            Log.error("still running", stack);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return threads.isEmpty();
    }

    void refuseOwnThread() {
        if (threads.contains(Thread.currentThread())) {
            throw new IllegalStateException("a task cannot stop the tasks: it would wait for itself");
        }
    }

    /** All of them; an interrupt does not end it: it is bounded. @return interrupted */
    private boolean join(Duration limit) {
        boolean interrupted = false;
        long end = System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 4);
        while (!threads.isEmpty() && end - System.nanoTime() > 0) {
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        return interrupted;
    }
}
