import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * asyncio: {@code wait(tasks, return_when=FIRST_COMPLETED)}, {@code staggered_race}. Final API, JDK 21 and later.
 *
 * <p>Use for a race: between several replicas, or a call and a signal. To keep the losers running, take the first from
 * {@code AsCompleted} and keep the handle. {@code executor.invokeAny} keeps only one failure, does not wait for the
 * losers and drops what they return; {@code CompletableFuture.anyOf} takes a failure as the winner and stops nothing.
 *
 * <p>Run: {@code java examples/tasks/FirstCompleted.java}
 */
public final class FirstCompleted {

    private FirstCompleted() {
    }

    // @start region="first"
    /**
     * Runs every task at once, each in its own virtual thread, and returns the result of the first that succeeds. The
     * others are interrupted, once; when this method returns or throws they have ended, and {@code onLateResult} has
     * got each late result, in the caller's thread with the interrupt flag cleared, so that no open connection is lost.
     * What that throws goes to the thread's uncaught handler. Failures of losers are dropped. A second interrupt of the
     * caller is kept in its flag.
     *
     * @throws ExecutionException       if all failed: the first failure in time is the cause, the others are suppressed
     * @throws InterruptedException     if the caller was interrupted; every result went to {@code onLateResult}
     * @throws IllegalArgumentException if there is no task
     */
    public static <T> T success(Collection<? extends Callable<? extends T>> tasks, Consumer<? super T> onLateResult)
            throws InterruptedException, ExecutionException {
        return race(tasks, Duration.ZERO, onLateResult, Integer.MAX_VALUE);
    }

    /**
     * Like {@link #success}, but starts the next task only {@code delay} after the one before, or when one has failed
     * ({@code staggered_race}): for the addresses of one host, of which the first usually works.
     */
    public static <T> T staggered(Collection<? extends Callable<? extends T>> tasks, Duration delay,
            Consumer<? super T> onLateResult) throws InterruptedException, ExecutionException {
        return race(tasks, delay, onLateResult, Integer.MAX_VALUE);
    }

    /** Like {@link #success}, but the first that ends decides: a failure is thrown at once, as the cause. */
    public static <T> T completion(Collection<? extends Callable<? extends T>> tasks, Consumer<? super T> onLateResult)
            throws InterruptedException, ExecutionException {
        return race(tasks, Duration.ZERO, onLateResult, 1);
    }

    private static <T> T race(Collection<? extends Callable<? extends T>> tasks, Duration delay,
            Consumer<? super T> onLateResult, int tries) throws InterruptedException, ExecutionException {
        Objects.requireNonNull(onLateResult, "onLateResult");
        Objects.requireNonNull(delay, "delay");
        long pause = Math.clamp(TimeUnit.NANOSECONDS.convert(delay), 0, Long.MAX_VALUE / 2);
        var calls = tasks.stream().map(task -> Objects.requireNonNull(task, "task")).toList();
        if (calls.isEmpty()) {
            throw new IllegalArgumentException("no tasks");
        }
        var futures = new ArrayList<Future<T>>(calls.size());
        Future<T> winner = null;
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            var completed = new ExecutorCompletionService<T>(executor);
            ExecutionException failure = null;
            for (int failed = 0; failed < Math.min(tries, calls.size()); ) {
                if (futures.size() < calls.size()) {
                    futures.add(completed.submit(calls.get(futures.size())::call));
                }
                boolean more = futures.size() < calls.size();
                if (more && pause == 0) {
                    continue;
                }
                var next = more ? completed.poll(pause, TimeUnit.NANOSECONDS) : completed.take();
                if (next == null) {
                    continue; // the turn of the one after it
                }
                if (next.state() == Future.State.SUCCESS) {
                    winner = next;
                    return winner.resultNow();
                }
                failed++;
                if (failure == null) {
                    failure = new ExecutionException(next.exceptionNow());
                } else {
                    failure.addSuppressed(next.exceptionNow());
                }
            }
            throw failure;
        } finally {
            executor.shutdownNow(); // the only interrupt: close() in this thread would pass on a second one of its own
            CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
            boolean interrupted = false;
            for (var future : futures) {
                if (future != winner && future.state() == Future.State.SUCCESS) {
                    interrupted |= Thread.interrupted();
                    discard(future.resultNow(), onLateResult);
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static <T> void discard(T result, Consumer<? super T> onLateResult) {
        try {
            onLateResult.accept(result);
        } catch (Throwable e) {
            try {
                Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(Thread.currentThread(), e);
            } catch (Throwable ignored) {
                // as the JVM does with a handler that throws
            }
        }
    }
    // @end region="first"

    public static void main(String[] args) throws Exception {
        var open = new AtomicInteger();
        Callable<String> stubborn = () -> {
            open.incrementAndGet();
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException e) {
                // connects all the same
            }
            return "replica 2";
        };
        Callable<String> quick = () -> {
            open.incrementAndGet();
            Thread.sleep(30);
            return "replica 3";
        };
        Callable<String> broken = () -> {
            throw new IOException("replica 1 is down");
        };
        // @start region="use"
        String winner = FirstCompleted.success(List.of(broken, stubborn, quick), late -> {
            open.decrementAndGet(); // closes the connection of a loser that came too late
        });
        // @end region="use"
        System.out.println("first success: " + winner + ", left open: " + open);
        check(winner.equals("replica 3") && open.get() == 1, "the winner, and nothing else, stays open");
        try {
            completion(List.of(broken, stubborn), late -> { });
            check(false, "the first completion is a failure");
        } catch (ExecutionException e) {
            System.out.println("first completion: " + e.getCause().getMessage());
        }
        try {
            success(List.of(broken, broken, broken), late -> { });
            check(false, "all failed");
        } catch (ExecutionException e) {
            check(e.getSuppressed().length == 2, "the other failures are suppressed");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
