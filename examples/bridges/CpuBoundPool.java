import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code run_in_executor(ProcessPoolExecutor(), f)}. Final API, JDK 21 and later.
 *
 * <p>Use for work that computes for more than a few milliseconds, called from virtual threads: they have no time
 * slices, so as many busy loops as processors stop every other virtual thread of the JVM. No processes are needed: Java
 * has no interpreter lock. Do not use for calls that wait: they belong in virtual threads. Use one pool per JVM; a task
 * must not call its own pool (it would wait for itself).
 *
 * <p>Run: {@code java examples/bridges/CpuBoundPool.java}
 */
public final class CpuBoundPool implements AutoCloseable {

    // @start region="pool"
    private final class Job<T> implements Runnable {
        private final Callable<? extends T> task;
        private final AtomicBoolean begun = new AtomicBoolean(); // or withdrawn
        private final CountDownLatch ended = new CountDownLatch(1);
        private final ReentrantLock lock = new ReentrantLock(); // else an interrupt could hit the next job
        private Thread runner; // guarded by lock, as is the next
        private boolean told;
        private T value;
        private Throwable failure;

        private Job(Callable<? extends T> task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (!begun.compareAndSet(false, true)) {
                return;
            }
            runs(Thread.currentThread());
            try {
                value = task.call();
            } catch (Throwable e) {
                failure = e;
            } finally {
                runs(null);
                Thread.interrupted();
                end();
            }
        }

        private void runs(Thread thread) {
            lock.lock();
            try {
                runner = thread;
                if (told && thread != null) { // as it was about to begin
                    thread.interrupt();
                }
            } finally {
                lock.unlock();
            }
        }

        private void interrupt() {
            lock.lock();
            try {
                if (!told && runner != null) {
                    runner.interrupt();
                }
                told = true;
            } finally {
                lock.unlock();
            }
        }

        private boolean withdraw() {
            return begun.compareAndSet(false, true);
        }

        private void end() {
            jobs.remove(this);
            ended.countDown();
        }

        private T outcome() throws ExecutionException {
            if (failure instanceof Withdrawn withdrawn) {
                throw withdrawn;
            }
            if (failure != null) {
                throw new ExecutionException(failure);
            }
            return value;
        }
    }

    private static final class Withdrawn extends CancellationException {
        private static final long serialVersionUID = 1;

        private Withdrawn() {
            super("withdrawn: the thread that closes the pool was interrupted");
        }
    }

    private final ExecutorService pool;
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final Set<Job<?>> jobs = ConcurrentHashMap.newKeySet();

    /** @param threads as many as processors, or one fewer to keep one free for everything else; 1 or more */
    public CpuBoundPool(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads " + threads + ", must be 1 or more");
        }
        var factory = Thread.ofPlatform().name("cpu-", 0).factory();
        var executor = new ThreadPoolExecutor(threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                run -> {
            Thread thread = factory.newThread(run);
            this.threads.add(thread);
            return thread;
        });
        // a thread that starts beside shutdown() is given up, and what was queued for it never runs: so all start here
        executor.prestartAllCoreThreads();
        pool = executor;
    }

    /**
     * Computes in the pool and waits, which costs a virtual thread nothing. Jobs start in the order in which they come;
     * their number is not limited here. Thread-safe. A job is interrupted at most once.
     *
     * @throws ExecutionException         the job failed; its exception is the cause, unwrapped
     * @throws InterruptedException       the caller was interrupted: a job not yet begun is withdrawn, one that runs is
     *                                    interrupted and has ended (it has to look: {@link #checkpoint}). What it then
     *                                    returned is dropped; what it threw is suppressed, an except its own
     *                                    InterruptedException
     * @throws CancellationException      withdrawn because the thread that closes this pool was interrupted
     * @throws RejectedExecutionException this pool is closed
     * @throws IllegalStateException      if called in a job of this pool: it would wait for a thread that it holds
     */
    public <T> T call(Callable<? extends T> job) throws InterruptedException, ExecutionException {
        var state = new Job<T>(Objects.requireNonNull(job, "job"));
        refuseInside();
        jobs.add(state);
        try {
            pool.execute(state);
        } catch (Throwable e) {
            jobs.remove(state);
            throw e;
        }
        try {
            state.ended.await();
            return state.outcome();
        } catch (InterruptedException e) {
            if (state.withdraw()) {
                jobs.remove(state);
                throw e;
            }
            state.interrupt();
            awaitEnd(state.ended);
            if (state.failure != null && !(state.failure instanceof InterruptedException)) {
                e.addSuppressed(state.failure);
            }
            throw e;
        }
    }

    private static void awaitEnd(CountDownLatch ended) {
        boolean interrupted = false;
        while (ended.getCount() > 0) {
            try {
                ended.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void refuseInside() {
        if (threads.contains(Thread.currentThread())) {
            throw new IllegalStateException("in a job of this pool, which would wait for itself");
        }
    }

    /**
     * Runs all jobs, at most one per thread at a time, and returns the results in the order of {@code jobs}. The first
     * failure, or an interrupt of the caller, interrupts the rest. When it returns or throws, every job has ended.
     * Throws as {@link #call} does.
     */
    public <T> List<T> all(Collection<? extends Callable<? extends T>> jobs) throws InterruptedException,
            ExecutionException {
        refuseInside();
        for (var job : jobs) {
            Objects.requireNonNull(job, "jobs: an element");
        }
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

    /** Call it now and then in a long loop: code that computes does not notice interrupts. Costs a few nanoseconds. */
    public static void checkpoint() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("cancelled while computing");
        }
    }

    /**
     * Refuses new jobs and waits for those accepted. If the closing thread is interrupted, those that run are
     * interrupted, once, and the others withdrawn; it still waits, and its flag is set again.
     *
     * @throws IllegalStateException if called in a job of this pool
     */
    @Override
    public void close() {
        refuseInside();
        pool.shutdown();
        boolean interrupted = false;
        while (!pool.isTerminated()) {
            try {
                pool.awaitTermination(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                interrupted = true;
                for (Job<?> job : jobs) { // first: none begins in the place of one that is told
                    if (job.withdraw()) {
                        job.failure = new Withdrawn();
                        job.end();
                    }
                }
                jobs.forEach(Job::interrupt);
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
            System.out.println(callers.size() + " endless jobs on " + processors
                    + " processors; another virtual thread got "
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
