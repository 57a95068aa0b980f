import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;

/**
 * asyncio: {@code gather(..., return_exceptions=True)} that stops when too much fails. Final API, JDK 21 and later.
 *
 * <p>Use for a batch in which some items may fail, but the rest is not worth trying once many have: a wrong password
 * fails a million times. Outcomes separate what you can simply repeat from what may be half done. Do not use if the
 * first failure ends it all ({@code BoundedGather}), or if no failure does ({@code SettledGather}).
 *
 * <p>Run: {@code java examples/resilience/PartialFailure.java}
 */
public final class PartialFailure {

    private PartialFailure() {
    }

    // @start region="outcome"
    /** What became of one item. */
    public sealed interface Outcome<T, R> {
        T item();

        record Success<T, R>(T item, R value) implements Outcome<T, R> {
        }

        record Failure<T, R>(T item, Throwable cause) implements Outcome<T, R> {
        }

        /** Told to stop. @param started false: untouched, can be repeated; true: may be done, wholly or in part */
        record Cancelled<T, R>(T item, boolean started) implements Outcome<T, R> {
        }
    }
    // @end region="outcome"

    // @start region="partial"
    /** What is done with one item; run by many threads at once. */
    @FunctionalInterface
    public interface Operation<T, R> {
        R apply(T item) throws Exception;
    }

    /**
     * Applies {@code operation} to each item, at most {@code limit} at a time, each in its own virtual thread, and
     * returns what became of each, in the order of the items. Failure number {@code maxFailures}, an {@link Error}
     * included, aborts: no further item is started, running ones are interrupted, once. When it returns or throws, all
     * have ended, even one that ignores its interrupt, and an interrupt of the caller meanwhile is kept in its flag.
     *
     * <p>After the abort an item is {@code Cancelled} when it returns (the value is dropped), when it throws {@link
     * InterruptedException}, and when it throws an exception with the interrupt flag set, as sockets do. Anything else
     * that it throws is a {@code Failure}, so there may be more than {@code maxFailures}.
     *
     * @param limit       1 or more
     * @param maxFailures 1 or more; {@link Integer#MAX_VALUE} never aborts
     * @throws InterruptedException if the caller was interrupted; the running items were, and what became of them is
     *                              not told
     */
    public static <T, R> List<Outcome<T, R>> map(Collection<? extends T> items, int limit, int maxFailures,
            Operation<? super T, ? extends R> operation) throws InterruptedException {
        if (limit < 1 || maxFailures < 1) {
            throw new IllegalArgumentException("limit " + limit + " and maxFailures " + maxFailures
                    + " must be 1 or more");
        }
        Objects.requireNonNull(operation, "operation");
        var all = List.<T>copyOf(Objects.requireNonNull(items, "items"));
        var outcomes = new AtomicReferenceArray<Outcome<T, R>>(all.size());
        var failures = new AtomicInteger();
        int bound = Math.min(limit, Integer.MAX_VALUE / 2); // the abort doubles the permits
        var permits = new Semaphore(bound);
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            for (int i = 0; i < all.size(); i++) {
                permits.acquire();
                if (failures.get() >= maxFailures) {
                    break;
                }
                int index = i;
                T item = all.get(i);
                executor.execute(() -> {
                    Outcome<T, R> outcome;
                    try {
                        R value = operation.apply(item);
                        outcome = failures.get() >= maxFailures
                                ? new Outcome.Cancelled<>(item, true) : new Outcome.Success<>(item, value);
                    } catch (Throwable e) {
                        boolean interrupted = e instanceof InterruptedException
                                || e instanceof Exception && Thread.currentThread().isInterrupted();
                        outcome = failures.get() >= maxFailures && interrupted
                                ? new Outcome.Cancelled<>(item, true) : new Outcome.Failure<>(item, e);
                    }
                    outcomes.set(index, outcome);
                    if (outcome instanceof Outcome.Failure && failures.incrementAndGet() == maxFailures) {
                        permits.release(bound); // whatever the caller waits for, it waits no longer
                    }
                    permits.release();
                });
            }
            permits.acquire(bound);
        } finally {
            end(executor);
        }
        return IntStream.range(0, all.size()).mapToObj(i -> outcomes.get(i) != null
                ? outcomes.get(i) : new Outcome.Cancelled<T, R>(all.get(i), false)).toList();
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
    // @end region="partial"

    public static void main(String[] args) throws Exception {
        // @start region="use"
        var outcomes = PartialFailure.map(List.of("ann", "bob", "", "cy", "", "dan", "eve"), 2, 2,
                PartialFailure::greet);
        for (var outcome : outcomes) {
            System.out.println(switch (outcome) {
                case Outcome.Success<String, String>(String name, String greeting) -> greeting;
                case Outcome.Failure<String, String>(String name, Throwable cause) -> "failed: " + cause.getMessage();
                case Outcome.Cancelled<String, String>(String name, boolean started) ->
                        name + (started ? ": find out" : ": again");
            });
        }
        // @end region="use"
        check(outcomes.get(0).equals(new Outcome.Success<>("ann", "Hello ann")), "what went well is kept, in order");
        check(outcomes.get(3).equals(new Outcome.Cancelled<>("cy", true)), "what was on its way was told to stop");
        check(outcomes.getLast().equals(new Outcome.Cancelled<>("eve", false)), "two failures abort the rest");

        var tried = new AtomicInteger();
        var million = PartialFailure.map(IntStream.range(0, 1_000_000).boxed().toList(), 100, 3, i -> {
            tried.incrementAndGet();
            throw new IOException("wrong password");
        });
        var failed = new ArrayList<Object>(million);
        failed.removeIf(outcome -> !(outcome instanceof Outcome.Failure));
        System.out.println(tried + " of " + million.size() + " were tried, " + failed.size() + " failed");
        check(tried.get() <= 102 && failed.size() >= 3, "not a million in vain: three, and the 99 beside them");
    }

    private static String greet(String name) throws IOException, InterruptedException {
        Thread.sleep(name.equals("cy") ? 60_000 : 10);
        if (name.isEmpty()) {
            throw new IOException("no name");
        }
        return "Hello " + name;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
