import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code run_coroutine_threadsafe(c, loop).result()}, {@code wrap_future}. Final API, JDK 21 and later.
 *
 * <p>Use to call an asynchronous API (anything that gives a {@code CompletionStage}) from blocking code in a virtual
 * thread. Plain {@code join} and {@code get} leave the asynchronous work running when the caller is interrupted or out
 * of time, and wrap failures twice. Do not use in an event loop or callback: continue with {@code thenCompose}. For the
 * reverse use {@code Offload}.
 *
 * <p>What a cancel stops depends on the provider: {@code HttpClient.sendAsync}, {@code Mono.toFuture} and {@code
 * Offload} stop, {@code supplyAsync} does not. A {@code copy()} or {@code minimalCompletionStage()} does not pass on a
 * cancel.
 *
 * <p>Run: {@code java examples/bridges/FutureBridge.java}
 */
public final class FutureBridge {

    private FutureBridge() {
    }

    // @start region="await"
    /**
     * Waits for the stage. An interrupted caller cancels it; if it completed at that very moment its outcome counts,
     * and the flag is set again: no result is lost.
     *
     * @throws ExecutionException    the stage failed; the cause is its failure, out of all {@code CompletionException}s
     * @throws CancellationException another party cancelled the stage
     */
    public static <T> T await(CompletionStage<T> stage) throws InterruptedException, ExecutionException {
        try {
            return await(stage.toCompletableFuture(), null);
        } catch (TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * The same with a time limit, which cancels the stage too.
     *
     * @throws TimeoutException out of time: the stage was cancelled. If the stage itself fails with one, it is the
     *         cause of an ExecutionException
     */
    public static <T> T await(CompletionStage<T> stage, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        return await(stage.toCompletableFuture(), Objects.requireNonNull(timeout, "timeout"));
    }

    private static <T> T await(CompletableFuture<T> future, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        boolean interrupted = false;
        try {
            try {
                if (timeout == null) {
                    return future.get();
                }
                // half: on 21 a wait of Long.MAX_VALUE in a virtual thread can stop the timers of all the others
                return future.get(Math.min(TimeUnit.NANOSECONDS.convert(timeout), Long.MAX_VALUE / 2),
                        TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                if (future.cancel(true)) {
                    throw e;
                }
                interrupted = true;
            } catch (TimeoutException e) {
                if (future.cancel(true)) {
                    throw new TimeoutException("not done within " + timeout);
                }
            }
            return future.get(); // completed meanwhile
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            for (int depth = 0; depth < 20 && cause instanceof CompletionException; depth++) { // causes may form a ring
                cause = cause.getCause() == null ? cause : cause.getCause();
            }
            throw new ExecutionException(cause);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
    // @end region="await"

    // @start region="cancelling"
    /**
     * Passes the end of {@code dependent} back to its sources: once it completes in any way (cancelled, timed out,
     * failed early, a race won), the sources not yet complete are cancelled. {@code thenApply}, {@code allOf} and
     * {@code anyOf} do not.
     *
     * @return dependent
     */
    public static <T> CompletableFuture<T> cancelling(CompletableFuture<T> dependent, CompletableFuture<?>... sources) {
        Objects.requireNonNull(dependent, "dependent");
        var all = List.of(Objects.requireNonNull(sources, "sources")); // no null among them
        dependent.whenComplete((value, failure) -> {
            for (var source : all) {
                source.cancel(true);
            }
        });
        return dependent;
    }
    // @end region="cancelling"

    public static void main(String[] args) throws Exception {
        var rates = new CompletableFuture<Integer>();
        Thread.startVirtualThread(() -> rates.complete(3));
        // @start region="use"
        int price = 100 * FutureBridge.await(rates,
                Duration.ofSeconds(10)); // a cancel of rates.thenApply(...) would not reach rates
        // @end region="use"
        System.out.println("price " + price);
        check(price == 300, "the value of the future");

        try {
            await(CompletableFuture.failedFuture(new IllegalStateException("no rates")).thenApply(x -> x)
                    .thenApply(x -> x));
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println("the failure itself is the cause: " + e.getCause());
            check(e.getCause() instanceof IllegalStateException, "no CompletionException between");
        }

        var never = new CompletableFuture<String>();
        var cancelled = new CountDownLatch(1);
        never.whenComplete((value, failure) -> cancelled.countDown());
        Thread caller = Thread.startVirtualThread(() -> {
            try {
                await(never);
            } catch (InterruptedException | ExecutionException e) {
                Thread.currentThread().interrupt();
            }
        });
        caller.interrupt();
        cancelled.await();
        System.out.println("interrupting the caller cancels the future: " + never.isCancelled());
        check(never.isCancelled(), "the interrupt is carried over");

        var left = new CompletableFuture<Integer>();
        var right = new CompletableFuture<Integer>();
        // @start region="link"
        var sum = FutureBridge.cancelling(left.thenCombine(right, Integer::sum), left, right);
        sum.cancel(true);
        // @end region="link"
        System.out.println("cancelling the sum cancels both parts: " + left.isCancelled() + ", " + right.isCancelled());
        check(left.isCancelled() && right.isCancelled(), "both sources are told");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
