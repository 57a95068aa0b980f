import java.util.ArrayList;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * asyncio: a loop in its own thread, {@code call_soon_threadsafe}, {@code run_coroutine_threadsafe(c, loop).result()}.
 * Final API, JDK 21 and later.
 *
 * <p>Use for what only one thread may touch: a library bound to its thread (OpenGL, COM, embedded interpreters), or
 * state that must change step by step. Do not use for state that a lock can guard ({@code SharedState}: any thread, no
 * queue), or for work that blocks: everything else waits for it.
 *
 * <p>Run: {@code java examples/bridges/EventLoop.java}
 */
public final class EventLoop implements AutoCloseable {

    // @start region="loop"
    private final ThreadPoolExecutor executor;
    private volatile Thread thread;

    /** @param capacity how many tasks may wait, 1 or more; {@code post} and {@code call} refuse more */
    public EventLoop(String name, int capacity) {
        Objects.requireNonNull(name, "name");
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity + ", must be 1 or more");
        }
        executor = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(capacity),
                task -> thread = Thread.ofPlatform().name(name).unstarted(task));
        executor.prestartCoreThread();
    }

    /** Whether the calling thread is the loop's. */
    public boolean inLoop() {
        return Thread.currentThread() == thread;
    }

    /**
     * {@code call_soon_threadsafe}: runs the task after those posted before it. Never waits. What it throws goes to the
     * uncaught-exception handler of the loop's thread; the loop goes on in the same thread, whatever the handler does.
     *
     * @throws RejectedExecutionException the queue is full or the loop is closed: nothing runs
     */
    public void post(Runnable task) {
        Objects.requireNonNull(task, "task");
        executor.execute(() -> {
            try {
                task.run();
            } catch (Throwable e) {
                try {
                    thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
                } catch (Throwable ignored) {
                    return; // as the JDK does; out of here it would end the thread
                }
            }
        });
    }

    /**
     * Runs the task in the loop, at once if the caller is the loop (a nested loop, {@code nest_asyncio}, is not
     * needed), and waits for it.
     *
     * @throws ExecutionException   the task failed; its exception is the cause, unwrapped
     * @throws InterruptedException the caller was interrupted and the task will not run. If it has begun, the call
     *                              waits for it, as it must not leave the state half changed, and returns its outcome
     *                              with the flag set again
     */
    public <T> T call(Callable<? extends T> task) throws InterruptedException, ExecutionException {
        Objects.requireNonNull(task, "task");
        // a CompletableFuture would not wrap a CancellationException of the task
        var result = new FutureTask<T>(task::call);
        var begun = new AtomicBoolean(); // or withdrawn
        Runnable run = () -> {
            if (begun.compareAndSet(false, true)) {
                result.run();
            }
        };
        if (inLoop()) {
            run.run();
        } else {
            executor.execute(run);
        }
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return result.get();
                } catch (InterruptedException e) {
                    if (begun.compareAndSet(false, true)) {
                        executor.remove(run); // its place is free at once
                        throw e;
                    }
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Refuses new tasks, runs waiting ones, and returns when the thread has ended; an interrupt during the wait is kept
     * in the flag.
     *
     * @throws IllegalStateException if called in the loop
     */
    @Override
    public void close() {
        if (inLoop()) {
            throw new IllegalStateException("the loop would wait for itself");
        }
        executor.shutdown();
        boolean interrupted = false;
        while (!executor.isTerminated()) {
            try {
                executor.awaitTermination(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
    // @end region="loop"

    public static void main(String[] args) throws Exception {
        var lines = new ArrayList<String>(); // touched by the loop alone: no lock
        // @start region="use"
        try (var loop = new EventLoop("editor", 10_000)) {
            Thread[] typists = new Thread[100];
            for (int i = 0; i < typists.length; i++) {
                typists[i] = Thread.startVirtualThread(() -> loop.post(() -> lines.add("line"))); // from any thread
            }
            for (Thread typist : typists) {
                typist.join();
            }
            int count = loop.call(() -> lines.size() + loop.<Integer>call(() -> 0)); // nested: runs at once
            // @end region="use"
            System.out.println("a hundred threads wrote " + count + " lines into an ArrayList");
            check(count == 100, "one after the other, nothing lost");
            try {
                loop.call(() -> lines.get(1_000));
                check(false, "a failure is thrown");
            } catch (ExecutionException e) {
                System.out.println("the caller gets the failure, the loop goes on: " + e.getCause().getMessage());
            }
            check(loop.call(loop::inLoop) && !loop.inLoop(), "still running");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
