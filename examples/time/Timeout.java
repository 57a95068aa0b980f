import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code timeout()}, {@code wait_for()} and {@code timeout_at()}. Final API, JDK 21 and later.
 *
 * <p>Use around a call that has no timeout of its own; where it has one (HTTP, JDBC, {@code tryLock}), set that as well, from
 * {@link Deadline#remaining}. {@code Future.get(timeout)} and {@code CompletableFuture.orTimeout} alone leave the work running. For
 * several calls with one deadline use {@code TaskGroup}; to let the call live on use {@code Shield}.
 *
 * <p>Run: {@code java examples/time/Timeout.java}
 */
public final class Timeout {

    private Timeout() {
    }

    // @start region="timeout"
    /**
     * Runs {@code task} in a virtual thread of its own and returns its result, or interrupts it when {@code timeout} has passed. When
     * it returns or throws, the task has ended: one that ignores its interrupt is waited for, however long it takes. What the
     * task returns after the timeout is dropped, so it closes by itself what it opened.
     *
     * @param timeout from now on; zero or less leaves only a task that is done at once a chance
     * @throws TimeoutException     the task was interrupted; what it then threw, {@link InterruptedException} aside, is suppressed
     * @throws ExecutionException   the task failed, which is the cause; a TimeoutException of the task's own comes this way too
     * @throws InterruptedException the caller was interrupted, and the task with it
     */
    public static <T> T call(Callable<T> task, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        var deadline = Deadline.after(timeout);
        var future = new FutureTask<>(task);
        Thread thread = Thread.startVirtualThread(future);
        try {
            for (int turn = 0; turn < 2 && !future.isDone(); turn++) {
                Thread.yield(); // a task that is done after a turn or two needs no timer, half of what a short call costs
            }
            return future.get(deadline.nanoTime - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException | TimeoutException e) {
            boolean again = false;
            while (thread.isAlive()) {
                thread.interrupt(); // not Future.cancel: nobody can wait for a cancelled task
                try {
                    thread.join();
                } catch (InterruptedException passedOn) {
                    again = true;
                }
            }
            if (again) {
                Thread.currentThread().interrupt();
            }
            if (e instanceof InterruptedException) {
                throw e;
            }
            var expired = new TimeoutException("not done within " + timeout);
            if (future.state() == FutureTask.State.FAILED && !(future.exceptionNow() instanceof InterruptedException)) {
                expired.addSuppressed(future.exceptionNow());
            }
            throw expired;
        }
    }
    // @end region="timeout"

    // @start region="deadline"
    /** A moment on the monotonic clock, which no change of the wall clock moves. Means nothing outside this JVM. */
    public record Deadline(long nanoTime) {

        /** @param timeout from now on; saturates at 146 years */
        public static Deadline after(Duration timeout) {
            // half: on 21 a wait of Long.MAX_VALUE in a virtual thread can stop the timers of all the others
            return new Deadline(System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(timeout), 0, Long.MAX_VALUE / 2));
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
