import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code wait(tasks, return_when=FIRST_COMPLETED)} that skips failures. Preview API of JDK 26 alone (JEP 525).
 *
 * <p>Use for hedged or mirrored calls that are safe to make twice. Do not use where preview features are not allowed:
 * take {@code examples/tasks/TaskGroup.java}; when all results count, {@code Gather}.
 *
 * <p>Run: {@code java --enable-preview --source 26 examples/structured/jdk26/FirstSuccess.java}
 */
public final class FirstSuccess {

    private FirstSuccess() {
    }

    // @start region="first-success"
    /**
     * Runs every task at once, each in its own virtual thread, and returns the first result; a failure only takes its
     * task out of the race. {@code null} is a result and wins: let a task that found nothing throw. When it returns or
     * throws, every task has ended; what a loser returns after the winner is dropped, so a loser must undo its own
     * work.
     *
     * @throws ExecutionException       if every task failed; the first failure in time is the cause, the others are
     *                                  dropped
     * @throws InterruptedException     if the caller was interrupted; all tasks were interrupted
     * @throws IllegalArgumentException if there are no tasks
     */
    public static <T> T any(Collection<? extends Callable<? extends T>> tasks)
            throws InterruptedException, ExecutionException {
        tasks.forEach(task -> Objects.requireNonNull(task, "task"));
        if (tasks.isEmpty()) {
            throw new IllegalArgumentException("no tasks"); // join() would blame a NoSuchElementException
        }
        try (var scope = StructuredTaskScope.open(Joiner.<T>anySuccessfulOrThrow())) {
            tasks.forEach(scope::fork);
            return scope.join();
        } catch (StructuredTaskScope.FailedException e) { // unchecked in 25 and 26, so no compiler asks for this
            throw new ExecutionException(e.getCause());
        }
    }
    // @end region="first-success"

    public static void main(String[] args) throws Exception {
        var running = new CountDownLatch(1);
        var ended = new AtomicInteger();
        Callable<String> slow = () -> {
            try {
                running.countDown();
                Thread.sleep(60_000);
                return "slow";
            } finally {
                ended.incrementAndGet();
            }
        };
        Callable<String> broken = () -> {
            throw new IOException("refused");
        };
        String winner = any(List.of(broken, slow, () -> {
            running.await();
            return "mirror";
        }));
        System.out.println(winner + " wins; losers interrupted and ended: " + ended);
        check(winner.equals("mirror"), "neither a failure nor a slow task wins");
        check(ended.get() == 1, "the loser has ended before the result is seen");
        check(any(List.of(broken, () -> null)) == null, "null is a result");

        try {
            any(List.of(broken, broken));
            check(false, "all failed: that is thrown");
        } catch (ExecutionException e) {
            System.out.println("all failed: " + e.getCause());
            check(e.getCause() instanceof IOException, "the cause is a task's own exception");
        }
        try {
            any(List.<Callable<String>>of());
            check(false, "no tasks: refused");
        } catch (IllegalArgumentException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
