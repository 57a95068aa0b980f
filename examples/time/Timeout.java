import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code timeout()}, {@code wait_for()} and {@code timeout_at()}. Final API, JDK 21 and later.
 *
 * <p>Use around a call that has no timeout; where it has one (HTTP, JDBC, {@code tryLock}), set that as well, from
 * {@link Deadline#remaining}. {@code Future.get(timeout)} and {@code CompletableFuture.orTimeout} alone leave the work
 * running. For several calls with one deadline use {@code TaskGroup}; to let the call go on use {@code Shield}; to
 * abandon one that ignores its interrupt, {@code UnresponsiveCalls}.
 *
 * <p>Run: {@code java examples/time/Timeout.java}
 */
public final class Timeout {

    private Timeout() {
    }

    // @start region="timeout"
    /**
     * Runs {@code task} in its own virtual thread and returns its result. When {@code timeout} has passed, or the
     * caller is interrupted, the task is interrupted, once. When this method returns or throws, the task has ended,
     * even one that ignores its interrupt, however long that takes ({@code UnresponsiveCalls} leaves it behind).
     *
     * <p>No result is lost: one that comes at the limit, or after it, or after the caller's interrupt (then the flag is
     * set again) is returned; so does asyncio. A caller that is a virtual thread needs a carrier to interrupt the task:
     * on one processor a task that computes is never stopped ({@code CpuBoundPool}).
     *
     * @param timeout from now on; at zero or less only a task that is done at once, or ignores interrupts, can succeed
     * @throws TimeoutException     the task was interrupted and has thrown; what it threw is suppressed, unless it is
     *                              the answer to the interrupt (InterruptedException; an IOException with the flag
     *                              left set). If the caller is interrupted meanwhile, its flag is set
     * @throws ExecutionException   the task failed, which is the cause; a TimeoutException of the task's own comes this
     *                              way too
     * @throws InterruptedException the caller was interrupted, the task was too, and has thrown
     */
    public static <T> T call(Callable<T> task, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        var deadline = Deadline.after(timeout);
        var outcome = new FutureTask<>(Objects.requireNonNull(task, "task"));
        var ended = new CompletableFuture<Boolean>(); // whether the interrupt flag was left set
        Thread thread = Thread.startVirtualThread(() -> {
            outcome.run();
            ended.complete(Thread.currentThread().isInterrupted());
        });
        try {
            for (int turn = 0; turn < 2 && !ended.isDone(); turn++) {
                // a task that is done after a turn or two needs no timer, half of what a short call costs
                Thread.yield();
            }
            ended.get(deadline.nanoTime - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException | TimeoutException e) {
            thread.interrupt(); // not Future.cancel: nobody can wait for a cancelled task
            boolean flag = ended.join(); // heeds no interrupt, and keeps it in the flag
            if (outcome.state() == FutureTask.State.FAILED) {
                var expired = new TimeoutException("not done within " + timeout);
                Throwable thrown = outcome.exceptionNow();
                if (!(thrown instanceof InterruptedException || flag && thrown instanceof IOException)) {
                    (e instanceof TimeoutException ? expired : e).addSuppressed(thrown);
                }
                if (e instanceof TimeoutException) {
                    throw expired;
                }
                throw e;
            }
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
        }
        return outcome.get();
    }
    // @end region="timeout"

    // @start region="deadline"
    /** A moment on the monotonic clock, which no change of the wall clock moves. Means nothing outside this JVM. */
    public record Deadline(long nanoTime) {

        /** @param timeout from now on; saturates at 146 years */
        public static Deadline after(Duration timeout) {
            Objects.requireNonNull(timeout, "timeout");
            // half: on 21 a wait of Long.MAX_VALUE in a virtual thread can stop the timers of all the others
            return new Deadline(System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(timeout), 0,
                    Long.MAX_VALUE / 2));
        }

        /** What is left, to be passed on to each call on the way; never negative. */
        public Duration remaining() {
            return Duration.ofNanos(Math.max(0, nanoTime - System.nanoTime()));
        }

        /** The same as {@link Timeout#call}, with what is left. */
        public <T> T call(Callable<T> task) throws InterruptedException, ExecutionException, TimeoutException {
            return Timeout.call(task, remaining());
        }
    }
    // @end region="deadline"

    public static void main(String[] args) throws Exception {
        // @start region="use"
        String result = Timeout.call(() -> "in time", Duration.ofSeconds(10));
        // @end region="use"
        System.out.println(result);

        var interrupted = new boolean[1];
        try {
            call(() -> {
                try {
                    Thread.sleep(60_000);
                    return "too late";
                } catch (InterruptedException e) {
                    interrupted[0] = true;
                    throw e;
                }
            }, Duration.ofMillis(100));
            check(false, "a timeout is thrown");
        } catch (TimeoutException e) {
            System.out.println(e.getMessage() + "; the task was interrupted and has ended: " + interrupted[0]);
            check(interrupted[0], "the work does not go on behind the caller's back");
        }

        var deadline = Timeout.Deadline.after(Duration.ofMillis(200));
        try {
            for (int step = 1; ; step++) {
                deadline.call(() -> {
                    Thread.sleep(60);
                    return null;
                });
                System.out.println("step " + step + " done, " + deadline.remaining().toMillis() + " ms left");
            }
        } catch (TimeoutException e) {
            System.out.println("three steps share one deadline of 200 ms; the fourth was cut off");
            check(deadline.remaining().isZero(), "the deadline has passed");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
