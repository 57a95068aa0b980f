import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.TimeoutException;

/**
 * asyncio: {@code TaskGroup} with its {@code ExceptionGroup}, under {@code asyncio.timeout}. Preview API of JDK 27
 * (JEP 533), the same in early builds of 28.
 *
 * <p>Use when each failure must reach the log, and as the model of a policy (a {@code Joiner}) of your own. Do not
 * use where preview features are not allowed: take {@code examples/tasks/TaskGroup.java}; where the first failure is
 * enough, {@code Gather}.
 *
 * <p>Run: {@code java --enable-preview --source 27 examples/structured/jdk27/KeepEveryFailure.java}
 */
public final class KeepEveryFailure {

    private KeepEveryFailure() {
    }

    // @start region="keep-every-failure"
    /**
     * {@code Gather} that loses no failure. When it returns or throws, every task has ended. Suppressed on what it
     * throws is every other failure, in the order of time, also of siblings that were cancelled and failed in their
     * cleanup; an {@code InterruptedException} after the cancellation is the cancellation itself, and no failure.
     *
     * @throws ExecutionException   the first failure in time is the cause; the other tasks were interrupted
     * @throws TimeoutException     if {@code timeout} was over first; all tasks were interrupted
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted
     */
    public static <T> List<T> all(Collection<? extends Callable<? extends T>> tasks, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        tasks.forEach(task -> Objects.requireNonNull(task, "task"));
        var failures = new ConcurrentLinkedQueue<Throwable>(); // kept here: a scope drops those after its cancellation
        var subtasks = new ArrayList<Subtask<T>>();
        try (var scope = StructuredTaskScope.open(new FailFast<T>(), config -> config.withTimeout(timeout))) {
            for (var task : tasks) {
                subtasks.add(scope.fork(() -> {
                    try {
                        return task.call();
                    } catch (Throwable failure) {
                        if (!(failure instanceof InterruptedException && scope.isCancelled())) {
                            failures.add(failure);
                        }
                        throw failure;
                    }
                }));
            }
            scope.join();
        } catch (InterruptedException | TimeoutException e) {
            failures.forEach(e::addSuppressed);
            throw e;
        }
        if (!failures.isEmpty()) { // after close(): siblings have thrown what they had to throw
            var thrown = new ExecutionException(failures.poll());
            failures.forEach(thrown::addSuppressed);
            throw thrown;
        }
        return subtasks.stream().map(Subtask::get).toList();
    }

    /** Cancels the scope at the first failure. One object for one scope. */
    private static final class FailFast<T> implements Joiner<T, Void, TimeoutException> {
        @Override
        public boolean onComplete(Subtask<T> subtask) { // called by many threads at once
            return subtask.state() == Subtask.State.FAILED; // true cancels
        }

        @Override
        public Void result() { // too early to throw: siblings may still be in their cleanup
            return null;
        }

        @Override
        public Void timeout() throws TimeoutException { // called in place of result()
            throw new TimeoutException("not done in time");
        }
    }
    // @end region="keep-every-failure"

    public static void main(String[] args) throws Exception {
        var minute = Duration.ofMinutes(1);
        check(all(List.of(() -> "a", () -> "b"), minute).equals(List.of("a", "b")), "results in order");

        var running = new CountDownLatch(2);
        var flush = new IllegalStateException("flush failed");
        Callable<String> clean = () -> {
            running.countDown();
            Thread.sleep(60_000);
            return "never";
        };
        Callable<String> messy = () -> {
            try {
                return clean.call();
            } catch (InterruptedException e) {
                throw flush; // in the cleanup, after the cancellation
            }
        };
        var refused = new IOException("refused");
        try {
            all(List.of(clean, messy, () -> {
                running.await();
                throw refused;
            }), minute);
            check(false, "a failure is thrown");
        } catch (ExecutionException e) {
            System.out.println(e.getCause() + ", suppressed " + List.of(e.getSuppressed()));
            check(e.getCause() == refused, "the first failure is the cause");
            check(List.of(e.getSuppressed()).equals(List.of(flush)), "the cleanup's failure is kept, no interrupt");
        }
        try {
            all(List.of(clean, messy), Duration.ofSeconds(1));
            check(false, "the timeout is thrown");
        } catch (TimeoutException e) {
            System.out.println("timeout, suppressed " + List.of(e.getSuppressed()));
            check(List.of(e.getSuppressed()).equals(List.of(flush)), "a timeout keeps failures too");
        }
        Thread owner = Thread.currentThread();
        try {
            all(List.of(() -> {
                owner.interrupt();
                return messy.call();
            }), minute);
            check(false, "an interrupt of the caller is thrown");
        } catch (InterruptedException e) {
            check(List.of(e.getSuppressed()).equals(List.of(flush)), "an interrupt keeps failures too");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
