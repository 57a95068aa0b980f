import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: {@code CompletableFuture.allOf} completes when <em>all</em> have completed, with a failure or without: the
 * first failure is seen after the slowest sibling, and no sibling is told to stop. {@code anyOf} is no help: its
 * first completion may be a failure.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27).
 * Cure: take completions in the order of time and interrupt the rest, below; {@code examples/tasks/Gather.java}.
 *
 * <p>Run: {@code java examples/traps/AllOfNotFailFast.java}
 */
public final class AllOfNotFailFast {

    private AllOfNotFailFast() {
    }

    // @start region="wrong"
    static void warmUpSlowly(List<Runnable> caches, ExecutorService executor) {
        CompletableFuture.allOf(caches.stream()
                .map(cache -> CompletableFuture.runAsync(cache, executor))
                .toArray(CompletableFuture<?>[]::new)).join();
    }
    // @end region="wrong"

    // @start region="right"
    static void warmUp(List<Runnable> caches) throws InterruptedException, ExecutionException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                var completed = new ExecutorCompletionService<Void>(executor);
                for (Runnable cache : caches) {
                    completed.submit(cache, null);
                }
                for (int i = 0; i < caches.size(); i++) {
                    completed.take().get(); // in the order of time: the first failure leaves at once
                }
            } finally {
                executor.shutdownNow();
            }
        }
    }
    // @end region="right"

    private static final AtomicInteger FINISHED = new AtomicInteger();
    private static final AtomicInteger STOPPED = new AtomicInteger();

    public static void main(String[] args) throws Exception {
        List<Runnable> caches = List.of(() -> load(500), () -> load(500), AllOfNotFailFast::fail);
        long start = System.nanoTime();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            warmUpSlowly(caches, executor);
        } catch (CompletionException e) {
            System.out.println("wrong: seen after " + millisSince(start) + " ms; siblings that ran to the end: "
                    + FINISHED);
        }
        check(FINISHED.get() == 2 && STOPPED.get() == 0, "allOf waits for both siblings");

        FINISHED.set(0);
        start = System.nanoTime();
        try {
            warmUp(List.of(() -> load(60_000), () -> load(60_000), AllOfNotFailFast::fail));
        } catch (ExecutionException e) {
            System.out.println("right: seen after " + millisSince(start) + " ms; siblings stopped: " + STOPPED);
        }
        check(FINISHED.get() == 0 && STOPPED.get() == 2, "both siblings were told to stop");
    }

    private static void fail() {
        throw new IllegalStateException("no such table");
    }

    private static void load(int millis) {
        try {
            Thread.sleep(millis);
            FINISHED.incrementAndGet();
        } catch (InterruptedException e) {
            STOPPED.incrementAndGet();
        }
    }

    private static long millisSince(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
