import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code wait({first}, timeout=delay)}, then a second task and {@code wait(FIRST_COMPLETED)}. Final API, JDK
 * 21 and later.
 *
 * <p>Use against the few slow ones among quick, idempotent reads: if there is no answer after the delay (about the 95th
 * percentile), the same request is sent once more, and the first answer wins. Do not use for writes, for failures
 * ({@code Retry}: a failure here starts nothing), or when everything is slow: then each hedge makes it worse, so hedges
 * are limited over all calls of an instance, and a call beyond the limit goes on without one.
 *
 * <p>Thread-safe. A caller in a virtual thread needs a processor to start a hedge: with a single one, an attempt that
 * computes all the time is never hedged.
 *
 * <p>Run: {@code java examples/resilience/HedgedRequest.java}
 */
public final class HedgedRequest {

    // @start region="hedged"
    private final Duration delay;
    private final int maxAttempts;
    private final Semaphore hedges;

    /**
     * @param delay       before each further attempt
     * @param maxAttempts of one call, including the first
     * @param maxHedges   further attempts at a time, over all calls; zero never hedges
     */
    public HedgedRequest(Duration delay, int maxAttempts, int maxHedges) {
        if (delay.isNegative() || maxAttempts < 1 || maxHedges < 0) {
            throw new IllegalArgumentException("delay " + delay + " and maxHedges " + maxHedges
                    + " must not be negative, maxAttempts " + maxAttempts + " must be 1 or more");
        }
        this.delay = delay;
        this.maxAttempts = maxAttempts;
        this.hedges = new Semaphore(maxHedges);
    }

    /**
     * Returns the first result; a failure loses to any attempt that is still running. When it returns or throws, every
     * attempt has ended: the losers were interrupted, once; waiting for one that ignores it costs what hedging won. An
     * interrupt of the caller meanwhile is kept in its flag. What a loser returns is dropped, so it must close what it
     * opened.
     *
     * @param request run by several virtual threads at once
     * @throws ExecutionException   all attempts failed: the first failure in time is the cause, the others are
     *                              suppressed
     * @throws InterruptedException if the caller was interrupted; all attempts were interrupted
     */
    public <T> T call(Callable<? extends T> request) throws InterruptedException, ExecutionException {
        Objects.requireNonNull(request, "request");
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        int hedged = 0;
        try {
            var completed = new ExecutorCompletionService<T>(executor);
            completed.submit(request::call);
            int left = maxAttempts - 1;
            int running = 1;
            var failures = new ArrayList<Throwable>();
            long nanos = Math.min(TimeUnit.NANOSECONDS.convert(delay), Long.MAX_VALUE / 2);
            while (running > 0) {
                Future<T> ended = left > 0 ? completed.poll(nanos, TimeUnit.NANOSECONDS) : completed.take();
                if (ended == null) {
                    if (hedges.tryAcquire()) {
                        hedged++;
                        left--;
                        running++;
                        completed.submit(request::call);
                    } else {
                        left = 0;
                    }
                    continue;
                }
                running--;
                if (ended.state() == Future.State.SUCCESS) {
                    return ended.resultNow();
                }
                failures.add(ended.exceptionNow());
            }
            var failed = new ExecutionException(failures.getFirst());
            failures.stream().skip(1).forEach(failed::addSuppressed);
            throw failed;
        } finally {
            end(executor);
            hedges.release(hedged); // they have ended
        }
    }

    private static void end(ExecutorService executor) {
        executor.shutdownNow(); // once: close() would interrupt again, in the middle of a cleanup
        boolean interrupted = false;
        for (boolean ended = false; !ended; ) {
            try {
                ended = executor.awaitTermination(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
    // @end region="hedged"

    public static void main(String[] args) throws Exception {
        var attempts = new AtomicInteger();
        var cancelled = new AtomicInteger();
        // @start region="use"
        var hedged = new HedgedRequest(Duration.ofMillis(50), 2, 10);
        long start = System.nanoTime();
        String answer = hedged.call(() -> {
            int attempt = attempts.incrementAndGet();
            try {
                Thread.sleep(attempt == 1 ? 60_000 : 20); // the first one got stuck
            } catch (InterruptedException e) {
                cancelled.incrementAndGet();
                throw e;
            }
            return "answer of attempt " + attempt;
        });
        // @end region="use"
        System.out.println(answer + " after " + (System.nanoTime() - start) / 1_000_000 + " ms; losers interrupted: "
                + cancelled);
        check(answer.equals("answer of attempt 2") && cancelled.get() == 1,
                "the second attempt wins, the first has ended");

        try {
            hedged.call(() -> {
                throw new IOException("refused");
            });
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println("a failure is not hedged: " + e.getCause().getMessage() + ", suppressed "
                    + List.of(e.getSuppressed()));
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
