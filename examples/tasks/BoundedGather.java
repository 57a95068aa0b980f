import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * asyncio: {@code gather(*tasks)} behind a {@code Semaphore}. Final API, JDK 21 and later.
 *
 * <p>Use for many similar calls to a service that tolerates only N at a time. The permit is taken <em>before</em> the
 * next item is pulled and its thread started; if tasks take it themselves, a million threads wait for it. For each
 * result as it comes, or failures as values, use {@code AsCompleted}; for a limit per second {@code RateLimiter}.
 * {@code Gatherers.mapConcurrent} (24+) looks the same, but a slow item holds up its window, and an interrupt of the
 * caller cancels nothing (measured on 25 to 27).
 *
 * <p>Run: {@code java examples/tasks/BoundedGather.java}
 */
public final class BoundedGather {

    private BoundedGather() {
    }

    // @start region="bounded"
    /** What is done with one item; run by many threads at once. */
    @FunctionalInterface
    public interface Operation<T, R> {
        R apply(T item) throws Exception;
    }

    /** Like {@link Operation}, with no result. */
    @FunctionalInterface
    public interface Action<T> {
        void accept(T item) throws Exception;
    }

    /** Like {@link #forEach}; returns the results in the order of the items. All of them are held in memory. */
    public static <T, R> List<R> map(Iterable<? extends T> items, int limit,
            Operation<? super T, ? extends R> operation)
            throws InterruptedException, ExecutionException {
        Objects.requireNonNull(operation, "operation");
        var results = new ArrayList<AtomicReference<R>>();
        run(items, limit, item -> {
            var result = new AtomicReference<R>();
            results.add(result);
            return ignored -> result.set(operation.apply(item));
        });
        return results.stream().map(AtomicReference::get).toList();
    }

    /**
     * Runs {@code action} on each item, at most {@code limit} at a time, each in its own virtual thread. The caller's
     * thread pulls items one by one when a permit is free, so the source may be lazy and endless; a failure during a
     * pull takes effect after it. Finished items take no memory. When it returns or throws, every action has ended,
     * even one that ignores its interrupt. Each is interrupted at most once; a second interrupt of the caller is kept
     * in its flag.
     *
     * <p>An exception of the source is thrown unchanged, after the running actions were interrupted and have ended; an
     * earlier failure of an action is suppressed on it, and on InterruptedException.
     *
     * @param limit 1 or more
     * @throws ExecutionException   an action failed: the first failure in time is the cause, no further item was
     *                              pulled, the running actions were interrupted, and their failures are dropped
     * @throws InterruptedException if the caller was interrupted; the running actions were interrupted
     */
    public static <T> void forEach(Iterable<? extends T> items, int limit, Action<? super T> action)
            throws InterruptedException, ExecutionException {
        Objects.requireNonNull(action, "action");
        run(items, limit, item -> ignored -> action.accept(item));
    }

    private static <T> void run(Iterable<? extends T> items, int limit, Function<T, Action<Void>> prepare)
            throws InterruptedException, ExecutionException {
        Objects.requireNonNull(items, "items");
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + ", must be 1 or more");
        }
        var permits = new Semaphore(limit);
        var failure = new AtomicReference<Throwable>();
        var unended = new AtomicInteger(1); // one of them is the caller, while it pulls
        var over = new CountDownLatch(1); // all have ended, or one has failed
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            Iterator<? extends T> source = items.iterator();
            permits.acquire();
            while (failure.get() == null && source.hasNext() && failure.get() == null) { // hasNext may have waited
                Action<Void> work = prepare.apply(source.next());
                unended.incrementAndGet();
                executor.execute(() -> {
                    try {
                        work.accept(null);
                    } catch (Throwable e) {
                        if (failure.compareAndSet(null, e)) {
                            over.countDown();
                        }
                    } finally {
                        permits.release();
                        if (unended.decrementAndGet() == 0) {
                            over.countDown();
                        }
                    }
                });
                permits.acquire();
            }
            if (unended.decrementAndGet() == 0) {
                over.countDown();
            }
            over.await(); // the permits would wake the caller once for each action
        } catch (Throwable e) {
            Throwable before = failure.get();
            if (before != null && before != e) {
                e.addSuppressed(before);
            }
            throw e;
        } finally {
            executor.shutdownNow(); // the only interrupt: close() in this thread would pass on a second one of its own
            CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
        }
        if (failure.get() != null) {
            throw new ExecutionException(failure.get());
        }
    }
    // @end region="bounded"

    public static void main(String[] args) throws Exception {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        // @start region="use"
        var lengths = BoundedGather.map(List.of("one", "three", "eleven", "four", "six"), 2, word -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            Thread.sleep(20 * word.length());
            running.decrementAndGet();
            return word.length();
        });
        // @end region="use"
        System.out.println(lengths + ", at most " + most + " at a time");
        check(lengths.equals(List.of(3, 5, 6, 4, 3)) && most.get() == 2, "order kept and limit held");

        var sum = new LongAdder();
        // @start region="lazy"
        BoundedGather.forEach(() -> IntStream.range(0, 200_000).iterator(), 100, i -> sum.add(i));
        // @end region="lazy"
        System.out.println("200,000 lazily made items: sum " + sum);
        check(sum.sum() == 199_999L * 100_000, "each item is done once");

        var started = new AtomicInteger();
        try {
            forEach(() -> IntStream.range(0, Integer.MAX_VALUE).iterator(), 10, i -> {
                started.incrementAndGet();
                if (i == 500) {
                    throw new IllegalStateException("item " + i);
                }
            });
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println("stopped by " + e.getCause().getMessage() + " after " + started
                    + " of Integer.MAX_VALUE");
            check(started.get() < Integer.MAX_VALUE, "a failure stops the rest");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
