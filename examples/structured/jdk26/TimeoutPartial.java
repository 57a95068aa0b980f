import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: {@code wait(tasks, timeout=...)}, then {@code cancel()} what is pending. Preview API of JDK 26 alone
 * (JEP 525).
 *
 * <p>Use when late answers may be left out, and must be told apart from failed ones. Do not use where preview
 * features are not allowed: take {@code examples/tasks/TaskGroup.java}; where a timeout is a failure, {@code
 * KeepEveryFailure} throws it.
 *
 * <p>Run: {@code java --enable-preview --source 26 examples/structured/jdk26/TimeoutPartial.java}
 */
public final class TimeoutPartial {

    private TimeoutPartial() {
    }

    // @start region="timeout-partial"
    /** What became of one task. */
    public sealed interface Outcome<T> {
        record Success<T>(T value) implements Outcome<T> { }
        record Failure<T>(Throwable cause) implements Outcome<T> { }

        /** Cut off by the timeout: interrupted, and by now ended. */
        record Unfinished<T>() implements Outcome<T> { }
    }

    /**
     * Runs every task at once and returns one outcome for each, in the order of {@code tasks}, as soon as all have
     * ended or {@code timeout} is over. Tasks still running then are interrupted and waited for (one that ignores its
     * interrupt makes this late); what they return or throw after it is dropped. With a timeout of zero or less, who
     * finishes is a race.
     *
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted and have ended
     */
    public static <T> List<Outcome<T>> all(Collection<? extends Callable<? extends T>> tasks, Duration timeout)
            throws InterruptedException {
        tasks.forEach(task -> Objects.requireNonNull(task, "task"));
        // at the timeout this joiner returns its list; the others throw StructuredTaskScope.TimeoutException
        var joiner = Joiner.<T>allUntil(subtask -> false);
        try (var scope = StructuredTaskScope.open(joiner, config -> config.withTimeout(timeout))) {
            tasks.forEach(scope::fork);
            return scope.join().stream().map(TimeoutPartial::outcome).toList();
        }
    }

    private static <T> Outcome<T> outcome(Subtask<T> subtask) {
        return switch (subtask.state()) {
            case SUCCESS -> new Outcome.Success<>(subtask.get());
            case FAILED -> new Outcome.Failure<>(subtask.exception());
            case UNAVAILABLE -> new Outcome.Unfinished<>();
        };
    }
    // @end region="timeout-partial"

    public static void main(String[] args) throws Exception {
        var eternity = Duration.ofSeconds(Long.MAX_VALUE);
        check(all(List.of(() -> "a"), eternity).equals(List.of(new Outcome.Success<>("a"))), "no overflow, no waiting");

        var refused = new IOException("refused");
        var ended = new AtomicInteger();
        List<Outcome<String>> outcomes = all(List.of(
                () -> "a",
                () -> {
                    throw refused;
                },
                () -> {
                    try {
                        Thread.sleep(60_000);
                    } catch (InterruptedException e) {
                        ended.incrementAndGet();
                    }
                    return "too late";
                },
                () -> null), Duration.ofMillis(1_500));
        System.out.println(outcomes);
        check(outcomes.equals(List.of(new Outcome.Success<>("a"), new Outcome.Failure<>(refused),
                new Outcome.Unfinished<>(), new Outcome.Success<>(null))), "one outcome a task, in order");
        check(ended.get() == 1, "the unfinished task was interrupted and has ended");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
