import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code run_in_executor(ProcessPoolExecutor(), f)}. Final API, JDK 21 and later.
 *
 * <p>Use for what computes for more than some milliseconds, called from virtual threads: they have no time slices, so as many loops as
 * there are processors stop every other virtual thread of the JVM. Threads suffice, there is no lock of the interpreter. Do not use for
 * calls that wait: they belong in virtual threads. One pool for the JVM; a task must not call its own pool (it would wait for itself).
 *
 * <p>Run: {@code java examples/bridges/CpuBoundPool.java}
 */
public final class CpuBoundPool implements AutoCloseable {

    // @start region="pool"
    private static final class Job<T> {
        final AtomicBoolean begun = new AtomicBoolean(); // or withdrawn
        final CountDownLatch ended = new CountDownLatch(1);
        Future<T> future;
    }

    private final ExecutorService pool;

    /** @param threads as many as processors, or one less to keep one free for everything else */
    public CpuBoundPool(int threads) {
        pool = Executors.newFixedThreadPool(threads, Thread.ofPlatform().name("cpu-", 0).factory());
    }

    /**
     * Computes in the pool and waits, which costs a virtual thread nothing. Jobs are begun in the order they come; their number is not
     * bounded here. Thread-safe.
     *
     * @throws ExecutionException         the job failed, which is the cause
     * @throws InterruptedException       the caller was interrupted: a job not yet begun is withdrawn, one that runs is interrupted and has
     *                                    ended (it has to look: {@link #checkpoint}). What it then returned is dropped; what it threw is
     *                                    suppressed, an InterruptedException of its own aside
     * @throws CancellationException      withdrawn because the thread that closes this pool was interrupted
     * @throws RejectedExecutionException this pool is closed
     */
    public <T> T call(Callable<? extends T> job) throws InterruptedException, ExecutionException {
        Objects.requireNonNull(job);
        var state = new Job<T>();
        var failure = new Throwable[1]; // written before ended
        state.future = pool.submit(() -> {
            if (!state.begun.compareAndSet(false, true)) {
                throw new InterruptedException("withdrawn");
            }
            try {
                return job.call();
            } catch (Throwable e) {
                failure[0] = e;
                throw e;
            } finally {
                state.ended.countDown();
            }
        });
        try {
            return state.future.get();
        } catch (InterruptedException e) {
            boolean withdrawn = state.begun.compareAndSet(false, true);
            state.future.cancel(true);
            boolean again = false;
            while (!withdrawn && state.ended.getCount() > 0) {
                try {
                    state.ended.await();
                } catch (InterruptedException twice) {
                    again = true;
                }
            }
            if (again) {
                Thread.currentThread().interrupt();
            }
            if (!withdrawn && failure[0] != null && !(failure[0] instanceof InterruptedException)) {
                e.addSuppressed(failure[0]);
            }
            throw e;
        }
    }

    /**
     * All jobs, as many at once as there are threads; results in the order of {@code jobs}. The first failure, or an interrupt of the
     * caller, interrupts the rest. When it returns or throws, every job has ended.
     */
    public <T> List<T> all(Collection<? extends Callable<? extends T>> jobs) throws InterruptedException, ExecutionException {
        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                var completed = new ExecutorCompletionService<T>(callers);
                var futures = new ArrayList<Future<T>>(jobs.size());
                for (var job : jobs) {
                    futures.add(completed.submit(() -> call(job)));
                }
                for (int i = 0; i < futures.size(); i++) {
                    try {
                        completed.take().get();
                    } catch (ExecutionException e) {
                        throw e.getCause() instanceof ExecutionException inner ? inner : e;
                    }
                }
                return futures.stream().map(Future::resultNow).toList();
            } finally {
                callers.shutdownNow(); // each caller withdraws or interrupts its job and waits for it
            }
        }
    }

    /** Call it now and then in a long loop: computing hears no interrupt by itself. Costs a few nanoseconds. */
    public static void checkpoint() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("cancelled while computing");
        }
    }

    /** Waits for the jobs that were accepted; if the closing thread is interrupted, they are interrupted or withdrawn. */
    @Override
    public void close() {
        boolean interrupted = false;
        pool.shutdown();
        while (!pool.isTerminated()) {
            try {
                pool.awaitTermination(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                interrupted = true;
                for (var withdrawn : pool.shutdownNow()) { // ExecutorService.close() lets those who wait for them wait for ever
                    ((Future<?>) withdrawn).cancel(false);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
    // @end region="pool"

    public static void main(String[] args) throws Exception {
        int processors = Runtime.getRuntime().availableProcessors();
        try (var cpu = new CpuBoundPool(processors)) { // one for the application
            // @start region="use"
            int few = cpu.call(() -> primesBelow(10)); // in a virtual thread: waits
            List<Integer> primes = cpu.all(List.of(() -> primesBelow(20_000), () -> primesBelow(40_000)));
            // @end region="use"
            System.out.println("primes: " + few + ", " + primes);
            check(few == 4 && primes.equals(List.of(2262, 4203)), "in the order of the jobs");

            var turns = new AtomicInteger();
            var callers = new ArrayList<Thread>();
            for (int i = 0; i < 2 * processors; i++) {
                callers.add(Thread.startVirtualThread(() -> {
                    try {
                        cpu.call(() -> primesBelow(Integer.MAX_VALUE));
                    } catch (InterruptedException | ExecutionException e) {
                        turns.addAndGet(1_000_000);
                    }
                }));
            }
            Thread other = Thread.startVirtualThread(() -> {
                try {
                    while (turns.incrementAndGet() < 10) {
                        Thread.sleep(1);
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            other.join();
            System.out.println(callers.size() + " endless jobs on " + processors + " processors; another virtual thread got "
                    + turns + " turns");
            callers.forEach(Thread::interrupt);
            for (Thread caller : callers) {
                caller.join();
            }
            System.out.println("all interrupted, all ended: " + turns.get() / 1_000_000);
            check(turns.get() / 1_000_000 == callers.size(), "running jobs are stopped, waiting ones withdrawn");
        }
    }

    private static int primesBelow(int limit) throws InterruptedException {
        int primes = 0;
        for (int n = 2; n < limit; n++) {
            if (n % 1_000 == 0) {
                checkpoint();
            }
            boolean prime = true;
            for (int d = 2; prime && d * d <= n; d++) {
                prime = n % d != 0;
            }
            primes += prime ? 1 : 0;
        }
        return primes;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
