import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: {@code get(timeout)}, {@code orTimeout} and {@code completeOnTimeout} stop the waiting, not the work: the
 * caller is told that time is up while the task goes on holding its connection.
 * {@code CompletableFuture.cancel(true)} interrupts nothing either.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27).
 * Cure: interrupt the task and wait for its end, below; {@code examples/time/Timeout.java} is the production form.
 *
 * <p>Run: {@code java examples/traps/TimeoutLeavesWorkRunning.java}
 */
public final class TimeoutLeavesWorkRunning {

    private TimeoutLeavesWorkRunning() {
    }

    // @start region="wrong"
    static String quote(ExecutorService executor, Callable<String> query, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        return executor.submit(query).get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }
    // @end region="wrong"

    // @start region="wrong-or-timeout"
    static String quoteAsync(ExecutorService executor, Callable<String> query, Duration timeout) {
        return CompletableFuture.supplyAsync(() -> call(query), executor)
                .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }
    // @end region="wrong-or-timeout"

    // @start region="right"
    /** On timeout the query is interrupted, and has ended before the exception is thrown. */
    static String quoteOrStop(Callable<String> query, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                return executor.submit(query).get(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
            } finally {
                executor.shutdownNow();
            }
        }
    }
    // @end region="right"

    private static <T> T call(Callable<T> task) {
        try {
            return task.call();
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        var timeout = Duration.ofMillis(50);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var steps = new AtomicInteger();
            try {
                quote(executor, query(steps), timeout);
            } catch (TimeoutException e) {
                System.out.println("wrong: get(timeout) gave up; steps in the next 100 ms: " + stepsAfter(steps, true));
            }
            var asyncSteps = new AtomicInteger();
            try {
                quoteAsync(executor, query(asyncSteps), timeout);
            } catch (CompletionException e) {
                check(e.getCause() instanceof TimeoutException, "orTimeout completes with a TimeoutException");
                int more = stepsAfter(asyncSteps, true);
                System.out.println("wrong: orTimeout gave up;    steps in the next 100 ms: " + more);
            }
            executor.shutdownNow();
        }
        var steps = new AtomicInteger();
        try {
            quoteOrStop(query(steps), timeout);
        } catch (TimeoutException e) {
            int more = stepsAfter(steps, false);
            System.out.println("right: interrupt and wait;   steps in the next 100 ms: " + more);
            check(more == 0, "no step after the TimeoutException");
        }
    }

    /** Each step stands for a use of a connection. */
    private static Callable<String> query(AtomicInteger steps) {
        return () -> {
            while (true) {
                Thread.sleep(2);
                steps.incrementAndGet();
            }
        };
    }

    private static int stepsAfter(AtomicInteger steps, boolean expectMore) throws InterruptedException {
        int before = steps.get();
        do {
            Thread.sleep(100);
        } while (expectMore && steps.get() == before); // a busy machine may need longer
        return steps.get() - before;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
