import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * asyncio: {@code gather(*tasks)}, failing fast. Final API, JDK 21 and later.
 *
 * <p>Use for a handful of calls whose results are all needed. For thousands use {@code BoundedGather}; to keep going
 * after a failure {@code SettledGather}; for results of different types, or every failure, {@code TaskGroup}.
 *
 * <p>Run: {@code java examples/tasks/Gather.java}
 */
public final class Gather {

    private Gather() {
    }

    // @start region="gather"
    /**
     * Runs every task at once, each in its own virtual thread, and returns the results in the order of {@code tasks}.
     * When it returns or throws, every task has ended, even one that ignores its interrupt. Each is interrupted at most
     * once, so its cleanup is not disturbed; a second interrupt of the caller is kept in its flag. Differs from
     * asyncio: {@code gather} leaves the siblings of a failed task running, and runs a duplicate argument once; here a
     * duplicate {@code Callable} runs twice.
     *
     * @throws ExecutionException   the first failure in time is the cause; the other tasks were interrupted, and
     *                              failures after the first are dropped
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted
     */
    public static <T> List<T> all(Collection<? extends Callable<? extends T>> tasks)
            throws InterruptedException, ExecutionException {
        var calls = tasks.stream().map(task -> Objects.requireNonNull(task, "task")).toList();
        var results = new ArrayList<T>(Collections.nCopies(calls.size(), null)); // each task sets its own element
        var failure = new AtomicReference<Throwable>();
        var unended = new AtomicInteger(calls.size());
        var over = new CountDownLatch(calls.isEmpty() ? 0 : 1); // all have ended, or one has failed
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            for (int i = 0; i < calls.size(); i++) {
                int index = i;
                executor.execute(() -> {
                    try {
                        results.set(index, calls.get(index).call());
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                    if (unended.decrementAndGet() == 0 || failure.get() != null) {
                        over.countDown();
                    }
                });
            }
            over.await(); // one wake-up; a CompletionService's queue wakes the caller once for each task
        } finally {
            executor.shutdownNow(); // the only interrupt: close() in this thread would pass on a second one of its own
            CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
        }
        if (failure.get() != null) {
            throw new ExecutionException(failure.get());
        }
        return Collections.unmodifiableList(results);
    }
    // @end region="gather"

    public static void main(String[] args) throws Exception {
        long start = System.nanoTime();
        // @start region="use"
        List<String> pages = Gather.all(List.of(
                () -> slowly("a", 300), () -> slowly("b", 100), () -> slowly("c", 200)));
        // @end region="use"
        long millis = (System.nanoTime() - start) / 1_000_000;
        System.out.println(pages + " in " + millis + " ms; one after another it takes 600");
        check(pages.equals(List.of("a", "b", "c")), "results come in the order of the tasks");

        var cancelled = new AtomicInteger();
        Callable<String> endless = () -> {
            try {
                return slowly("never", 60_000);
            } catch (InterruptedException e) {
                cancelled.incrementAndGet();
                throw e;
            }
        };
        try {
            all(List.of(endless, endless, () -> {
                Thread.sleep(50);
                throw new IllegalStateException("the third call failed");
            }));
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println(e.getCause().getMessage() + "; siblings interrupted and ended: " + cancelled);
            check(cancelled.get() == 2, "both siblings have ended before the exception is seen");
        }
    }

    private static String slowly(String result, int millis) throws InterruptedException {
        Thread.sleep(millis);
        return result;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
