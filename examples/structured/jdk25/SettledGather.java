import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;

/**
 * asyncio: {@code gather(*tasks, return_exceptions=True)}. Preview API of JDK 25 alone (JEP 505).
 *
 * <p>Use when every result counts and a failure is data. Do not use where preview features are not allowed: take
 * {@code examples/tasks/SettledGather.java}; with a time limit {@code TimeoutPartial}, to stop at the first failure
 * {@code Gather}.
 *
 * <p>Run: {@code java --enable-preview --source 25 examples/structured/jdk25/SettledGather.java}
 */
public final class SettledGather {

    private SettledGather() {
    }

    // @start region="settled"
    /** What became of one task. */
    public sealed interface Outcome<T> {
        record Success<T>(T value) implements Outcome<T> { }
        record Failure<T>(Throwable cause) implements Outcome<T> { }
    }

    /**
     * Runs every task at once, each in its own virtual thread, lets all of them end, and returns one outcome for each,
     * in the order of {@code tasks}. No failure cancels anything; an {@code Error} is an outcome too.
     *
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted and have ended
     */
    public static <T> List<Outcome<T>> all(Collection<? extends Callable<? extends T>> tasks)
            throws InterruptedException {
        tasks.forEach(task -> Objects.requireNonNull(task, "task"));
        try (var scope = StructuredTaskScope.open(Joiner.<T>allUntil(subtask -> false))) {
            tasks.forEach(scope::fork);
            return scope.join().map(SettledGather::outcome).toList();
        }
    }

    private static <T> Outcome<T> outcome(Subtask<T> ended) {
        return ended.state() == Subtask.State.SUCCESS
                ? new Outcome.Success<>(ended.get())
                : new Outcome.Failure<>(ended.exception());
    }
    // @end region="settled"

    public static void main(String[] args) throws Exception {
        var failed = new CountDownLatch(1);
        var refused = new IOException("refused");
        var overflow = new StackOverflowError("an Error, too");
        List<Outcome<String>> outcomes = all(List.of(
                () -> {
                    failed.await(); // a cancelled sibling would be interrupted here
                    Thread.sleep(50);
                    return "a";
                },
                () -> {
                    failed.countDown();
                    throw refused;
                },
                () -> {
                    throw overflow;
                },
                () -> null));
        for (Outcome<String> outcome : outcomes) {
            System.out.println(switch (outcome) {
                case Outcome.Success<String>(String value) -> "success: " + value;
                case Outcome.Failure<String>(Throwable cause) -> "failure: " + cause;
            });
        }
        check(outcomes.equals(List.of(new Outcome.Success<>("a"), new Outcome.Failure<>(refused),
                new Outcome.Failure<>(overflow), new Outcome.Success<>(null))), "one outcome a task, in order");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
