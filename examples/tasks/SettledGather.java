import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * asyncio: {@code gather(*tasks, return_exceptions=True)}. Final API, JDK 21 and later.
 *
 * <p>Use to try every call and look at each outcome. Not for thousands of calls ({@code AsCompleted}, or a {@code try}
 * in the operation of {@code BoundedGather}), or with a deadline ({@code TaskGroup.collectAll}), unless each call has
 * its own: {@code () -> flight.get(key, deadline.remaining())} is a {@code Failure} of a {@code TimeoutException} when
 * it is late. So callers that share calls ({@code SingleFlight}) each get what is ready in time.
 *
 * <p>Run: {@code java examples/tasks/SettledGather.java}
 */
public final class SettledGather {

    private SettledGather() {
    }

    // @start region="settled"
    /** What became of one task. */
    public sealed interface Outcome<T> {
        record Success<T>(T value) implements Outcome<T> {
        }

        record Failure<T>(Throwable cause) implements Outcome<T> {
        }
    }

    /**
     * Runs every task at once, each in its own virtual thread, and returns what became of each, in the order of {@code
     * tasks}. No failure stops a sibling, an {@link Error} included. When it returns or throws, every task has ended,
     * even one that ignores its interrupt. Each is interrupted at most once; a second interrupt of the caller is kept
     * in its flag.
     *
     * @throws InterruptedException if the caller was interrupted; all tasks were interrupted
     */
    public static <T> List<Outcome<T>> all(Collection<? extends Callable<? extends T>> tasks)
            throws InterruptedException {
        var calls = tasks.stream().map(task -> Objects.requireNonNull(task, "task")).toList();
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            var futures = new ArrayList<Future<? extends T>>(calls.size());
            for (var call : calls) {
                futures.add(executor.submit(call));
            }
            var outcomes = new ArrayList<Outcome<T>>(futures.size());
            for (var future : futures) {
                try {
                    outcomes.add(new Outcome.Success<>(future.get()));
                } catch (ExecutionException e) {
                    outcomes.add(new Outcome.Failure<>(e.getCause()));
                }
            }
            return outcomes;
        } finally {
            executor.shutdownNow(); // the only interrupt: close() in this thread would pass on a second one of its own
            CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
        }
    }
    // @end region="settled"

    public static void main(String[] args) throws Exception {
        var outcomes = all(List.<Callable<Integer>>of(
                () -> 1,
                () -> {
                    throw new IllegalStateException("the second call failed");
                },
                () -> {
                    Thread.sleep(100);
                    return 3;
                }));
        for (var outcome : outcomes) {
            System.out.println(switch (outcome) {
                case Outcome.Success<Integer>(Integer value) -> "value " + value;
                case Outcome.Failure<Integer>(Throwable cause) -> "failure: " + cause.getMessage();
            });
        }
        check(outcomes.get(2).equals(new Outcome.Success<>(3)), "a failure does not stop a sibling");
        check(outcomes.get(1) instanceof Outcome.Failure<Integer>, "outcomes come in the order of the tasks");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
