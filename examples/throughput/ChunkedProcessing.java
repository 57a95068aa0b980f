import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;

/**
 * asyncio: {@code for chunk in batched(source, 1000): await gather(...)}, without waiting for the slowest of each
 * chunk. Final API, JDK 21 and later.
 *
 * <p>Use for millions of items that are handled in bulk (bulk insert, bulk index, a file of records), and to resume
 * after a failure. Do not use for items that are handled one by one ({@code BoundedGather}), or for callers that each
 * ask for one ({@code BatchLoader}).
 *
 * <p>Use each object for one run. At most {@code parallel} chunks are in memory.
 *
 * <p>Run: {@code java examples/throughput/ChunkedProcessing.java}
 */
public final class ChunkedProcessing {

    // More than 150 lines: half of them are what a reader has to know.

    // @start region="chunks"
    /** Handles one chunk; {@code first} is the position of its first item in the source, from 0. */
    @FunctionalInterface
    public interface Action<T> {
        void accept(long first, List<T> chunk) throws Exception;
    }

    private final int size;
    private final int parallel;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final TreeMap<Long, Long> ahead = new TreeMap<>(); // guarded by lock: first to end, done out of turn
    private boolean stopped; // guarded by lock, as the next
    private boolean used;
    private volatile long done;

    /** @param size items in a chunk. @param parallel chunks at a time; both 1 or more */
    public ChunkedProcessing(int size, int parallel) {
        if (size < 1 || parallel < 1) {
            throw new IllegalArgumentException("size " + size + " and parallel " + parallel + " must be 1 or more");
        }
        this.size = size;
        this.parallel = Math.min(parallel, Integer.MAX_VALUE / 2); // a failure doubles the permits
    }

    /**
     * All items before this position are done: skip that many to resume after a failure. For any thread at any time.
     */
    public long done() {
        return done;
    }

    /**
     * Handles the whole source, each chunk in its own virtual thread; it may change its list. The calling thread reads
     * the source, a chunk at a time, when there is room; a failure waits for a pending read. When this returns or
     * throws, every action has ended, even one that ignores its interrupt.
     *
     * @throws ExecutionException   an action failed: the first failure in time is the cause, no further chunk was
     *                              begun, the running actions were interrupted, once, and their failures dropped.
     *                              Chunks after {@link #done} may be done as well
     * @throws InterruptedException if the caller was interrupted; the running actions were interrupted, once. This,
     *                              and an exception of the source, which is thrown as it is, has an action's failure
     *                              suppressed
     */
    public <T> void run(Iterator<? extends T> source, Action<T> action)
            throws InterruptedException, ExecutionException {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(action, "action");
        stop(false);
        var permits = new Semaphore(parallel);
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            permits.acquire();
            for (long at = 0; source.hasNext(); ) {
                long first = at;
                List<T> chunk = read(source);
                at += chunk.size();
                long end = at;
                if (failure.get() != null) { // asked after the source, which may have taken its time
                    break;
                }
                executor.execute(() -> {
                    try {
                        if (failure.get() == null) {
                            action.accept(first, chunk);
                            advance(first, end);
                        }
                    } catch (Throwable e) {
                        if (failure.compareAndSet(null, e)) {
                            permits.release(parallel); // whatever the caller waits for, it waits no longer
                        }
                    } finally {
                        permits.release();
                    }
                });
                permits.acquire();
                if (failure.get() != null) {
                    break;
                }
            }
            permits.acquire(parallel - 1);
        } catch (Throwable e) {
            end(executor);
            Throwable failed = failure.get();
            if (failed != null && failed != e && !(failed instanceof InterruptedException)) {
                e.addSuppressed(failed);
            }
            throw e;
        }
        end(executor);
        if (failure.get() != null) {
            throw new ExecutionException(failure.get());
        }
    }

    /** Interrupts what runs, once; close() would do it again if this thread is interrupted. */
    private void end(ExecutorService executor) {
        stop(true);
        executor.shutdownNow();
        boolean interrupted = false;
        while (!executor.isTerminated()) {
            try {
                executor.awaitTermination(Long.MAX_VALUE / 2, TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private <T> List<T> read(Iterator<? extends T> source) {
        var chunk = new ArrayList<T>(Math.min(size, 10_000));
        while (chunk.size() < size && source.hasNext()) {
            chunk.add(source.next());
        }
        return chunk;
    }

    private void stop(boolean stop) {
        lock.lock();
        try {
            if (!stop && used) {
                throw new IllegalStateException("one run an object");
            }
            used = true;
            stopped = stop;
        } finally {
            lock.unlock();
        }
    }

    private void advance(long first, long end) {
        lock.lock();
        try {
            if (!stopped) { // who returns after it was told to stop may have left something undone
                ahead.put(first, end);
                for (Long next = ahead.remove(done); next != null; next = ahead.remove(done)) {
                    done = next;
                }
            }
        } finally {
            lock.unlock();
        }
    }
    // @end region="chunks"

    public static void main(String[] args) throws Exception {
        var sum = new LongAdder();
        // @start region="use"
        var load = new ChunkedProcessing(1_000, 8);
        load.run(LongStream.range(0, 3_000_000).iterator(), (first, chunk) ->
                sum.add(chunk.stream().mapToLong(item -> item).sum())); // INSERT of a thousand rows
        // @end region="use"
        System.out.println(load.done() + " items in chunks, at most 8,000 of them in memory; sum " + sum);
        check(load.done() == 3_000_000 && sum.sum() == 2_999_999L * 1_500_000, "each item is handled once");

        var failing = new ChunkedProcessing(100, 4);
        try {
            failing.run(LongStream.range(0, 1_000_000).iterator(), (first, chunk) -> {
                if (chunk.contains(5_050L)) {
                    throw new IllegalStateException("the database refused item 5050");
                }
            });
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println(e.getCause().getMessage() + "; go on at item " + failing.done());
            check(failing.done() <= 5_000, "nothing behind the failure counts");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
