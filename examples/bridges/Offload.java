import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * asyncio: {@code loop.run_in_executor(None, f)}, {@code to_thread(f)}, and the decorator that makes a blocking
 * function asynchronous. Final API, JDK 21 and later.
 *
 * <p>Use in a thread that must not block and needs a future: event loop, reactive operator, callback. Do not use in a
 * virtual thread (call the function), to compute ({@code CpuBoundPool}), or for slow files on 25 and later (use a
 * bounded platform pool).
 *
 * <p>Run: {@code java examples/bridges/Offload.java}
 */
public final class Offload implements AutoCloseable {

    // @start region="offload"
    @FunctionalInterface
    public interface Blocking<A, R> {
        R apply(A argument) throws Exception;
    }

    private final ExecutorService executor =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("offload-", 0).factory());
    private final Semaphore running;
    private final Semaphore accepted;
    private final Map<Thread, Worker> workers = new ConcurrentHashMap<>();
    private volatile boolean stopping;

    /**
     * @param maxRunning calls at a time. @param maxWaiting calls beyond them; more are refused, because an event loop
     *         cannot wait
     */
    public Offload(int maxRunning, int maxWaiting) {
        if (maxRunning < 1 || maxWaiting < 0) {
            throw new IllegalArgumentException("maxRunning " + maxRunning + " must be 1 or more, maxWaiting "
                    + maxWaiting + " 0 or more");
        }
        running = new Semaphore(maxRunning, true);
        accepted = new Semaphore((int) Math.min(Integer.MAX_VALUE, (long) maxRunning + maxWaiting));
    }

    /**
     * Runs {@code work} in its own virtual thread. Never waits. Thread-safe.
     *
     * <p>Whoever completes the future first ({@code cancel}, {@code orTimeout}, {@code complete}) interrupts the work,
     * or it never begins; dependents that run in that thread go first, so they must not block. What the work then
     * returns or throws is dropped, so it must close what it opened. Cancelling a future derived from this one ({@code
     * thenApply}) does not reach it. Work that ends in {@link InterruptedException} or {@code CancellationException}
     * cancels the future. Work is interrupted at most once.
     *
     * <p>Dependents without {@code Async} run in the work's virtual thread, where they may block, or in the registering
     * thread if they are registered late: {@code thenAcceptAsync(f, loop)} goes back to the loop. That loop may then
     * also run the other dependents of the same future: chain those that block, or make them {@code Async}, too.
     *
     * @return a future that fails with {@link RejectedExecutionException} if too many wait or this is closed, or with
     *         what kept the thread from starting
     */
    public <T> CompletableFuture<T> call(Callable<? extends T> work) {
        Objects.requireNonNull(work, "work");
        var result = new CompletableFuture<T>();
        var worker = new Worker();
        if (!accepted.tryAcquire()) {
            result.completeExceptionally(new RejectedExecutionException("too many calls run or wait"));
            return result;
        }
        try {
            result.whenComplete((value, failure) -> worker.interrupt());
            executor.execute(() -> run(work, result, worker));
        } catch (Throwable e) { // closed, or no memory for a thread
            accepted.release();
            result.completeExceptionally(e);
        }
        return result;
    }

    /** The decorator: turns a blocking function into one that returns a future. */
    public <A, R> Function<A, CompletableFuture<R>> async(Blocking<? super A, ? extends R> function) {
        Objects.requireNonNull(function, "function");
        return argument -> call(() -> function.apply(argument));
    }

    private <T> void run(Callable<? extends T> work, CompletableFuture<T> result, Worker worker) {
        Thread self = Thread.currentThread();
        T value = null;
        Throwable failure = null;
        try {
            workers.put(self, worker);
            worker.set(self); // before isDone and stopping: one of the two threads sees the other
            if (stopping) {
                worker.interrupt();
            }
            if (!result.isDone()) {
                running.acquire();
                try {
                    value = work.call();
                } finally {
                    running.release();
                }
            }
        } catch (Throwable e) {
            failure = e;
        } finally {
            accepted.release();
        }
        worker.set(null); // from here on nothing is interrupted; who was told to stop completes nothing
        Thread.interrupted(); // a flag that the work left behind is not the dependents' matter
        try {
            if (failure == null) {
                result.complete(value);
            } else if (failure instanceof InterruptedException) {
                result.cancel(false);
            } else {
                result.completeExceptionally(failure);
            }
        } finally {
            workers.remove(self);
        }
    }

    /** Interrupts the thread of one call, once, and only while the work has it. */
    private static final class Worker {
        private final ReentrantLock lock = new ReentrantLock(); // an interrupt on its way must not meet a dependent
        private Thread thread;

        private void set(Thread next) {
            lock.lock();
            thread = next;
            lock.unlock();
        }

        private void interrupt() {
            lock.lock();
            try {
                if (thread != null) {
                    thread.interrupt();
                    thread = null;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * Refuses new calls and waits for those accepted and their dependents. If the closing thread is interrupted,
     * those that have not been interrupted yet are, once; it still waits, and its flag is set again.
     *
     * @throws IllegalStateException if called in its own work, or a dependent in the work's thread
     */
    @Override
    public void close() {
        if (workers.containsKey(Thread.currentThread())) {
            throw new IllegalStateException("close() in own work would wait for itself");
        }
        executor.shutdown();
        boolean interrupted = false;
        while (!executor.isTerminated()) {
            try {
                executor.awaitTermination(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                interrupted = true;
                stopping = true;
                workers.values().forEach(Worker::interrupt);
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
    // @end region="offload"

    public static void main(String[] args) throws Exception {
        var ticks = new AtomicInteger();
        var interrupted = new AtomicBoolean();
        var loop = Executors.newSingleThreadScheduledExecutor(); // stands for an event loop
        loop.scheduleAtFixedRate(ticks::incrementAndGet, 0, 2, TimeUnit.MILLISECONDS);
        try (var offload = new Offload(100, 10_000)) { // one for the application
            var shown = new CompletableFuture<String>();
            // @start region="use"
            Function<Integer, CompletableFuture<String>> find = offload.async(id -> blockingFind(id));
            loop.execute(() -> find.apply(7) // in the loop: does not wait
                    .thenAcceptAsync(user -> shown.complete(user + " shown by the loop"), loop)); // and back in it
            // @end region="use"
            System.out.println(shown.get() + ", which ticked " + ticks + " times meanwhile");
            check(ticks.get() > 1, "the loop goes on");

            var begun = new CountDownLatch(1);
            var stopped = new CountDownLatch(1);
            var slow = offload.call(() -> {
                begun.countDown();
                try {
                    Thread.sleep(60_000);
                    return "too late";
                } catch (InterruptedException e) {
                    interrupted.set(true);
                    throw e;
                } finally {
                    stopped.countDown();
                }
            });
            begun.await(); // else a timeout that comes first would keep it from beginning
            slow.orTimeout(50, TimeUnit.MILLISECONDS);
            stopped.await();
            System.out.println("orTimeout interrupted the work: " + interrupted);
        } finally {
            loop.shutdownNow();
        }
        try (var small = new Offload(1, 1)) {
            var calls = new CompletableFuture<?>[] {small.call(Offload::forever), small.call(Offload::forever),
                    small.call(Offload::forever)};
            System.out.println("of three calls the third is refused at once: " + calls[2].exceptionNow().getMessage());
            calls[0].cancel(true);
            calls[1].cancel(true);
        }
    }

    private static String forever() throws InterruptedException {
        Thread.sleep(Duration.ofDays(1));
        return "never";
    }

    private static String blockingFind(int id) throws InterruptedException {
        Thread.sleep(100);
        return "user " + id;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
