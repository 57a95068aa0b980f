import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;

/** BatchLoader: a full batch goes at once, a key that all have left is not loaded, and who leaves harms nobody. */
public final class BatchLoaderLeaveScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException, ExecutionException {
        long start = System.nanoTime();
        full();
        left();
        interrupted();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "full, not out of time");
        cancelled();
    }

    private static void full() throws InterruptedException, ExecutionException {
        var queries = new CopyOnWriteArrayList<List<Integer>>();
        var loader = loader(2, LONG, queries);
        var one = loader.loadAsync(1);
        var two = loader.loadAsync(2);
        var three = loader.loadAsync(3);
        check(loader.load(4) == 40 && three.join() == 30 && two.join() == 20 && one.join() == 10, "all");
        check(queries.containsAll(List.of(List.of(1, 2), List.of(3, 4))) && queries.size() == 2, "in two: " + queries);
    }

    private static void left() throws InterruptedException, ExecutionException {
        var queries = new CopyOnWriteArrayList<List<Integer>>();
        var loader = loader(2, LONG, queries);
        Thread leaver = Thread.ofVirtual().start(() -> {
            try {
                loader.load(5);
                check(false, "interrupted");
            } catch (InterruptedException | ExecutionException e) {
                check(e instanceof InterruptedException, "leaving is no failure");
            }
        });
        leaver.interrupt();
        leaver.join();
        var six = loader.loadAsync(6);
        check(loader.load(7) == 70 && six.join() == 60, "the others");
        check(queries.equals(List.of(List.of(6, 7))), "left out: " + queries);
    }

    /** In the very moment in which the batch begins. */
    private static void interrupted() throws InterruptedException, ExecutionException {
        var queries = new CopyOnWriteArrayList<List<Integer>>();
        var loader = loader(2, LONG, queries);
        Thread leaver = Thread.ofVirtual().start(() -> {
            try {
                check(loader.load(8) == 80, "its value");
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "told once");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        var nine = loader.loadAsync(9);
        leaver.interrupt();
        leaver.join();
        var more = loader.loadAsync(10);
        check(nine.join() == 90, "harms nobody");
        loader.close();
        check(more.isDone() || more.handle((value, failure) -> true).join(), "loaded or closed");
    }

    private static void cancelled() throws InterruptedException, ExecutionException {
        var queries = new CopyOnWriteArrayList<List<Integer>>();
        var loader = loader(3, Duration.ofHours(1), queries);
        loader.loadAsync(11).cancel(true);
        check(loader.load(12) == 120 && queries.equals(List.of(List.of(12))), "left out: " + queries);
        loader.close();
        var none = loader(1, LONG, queries);
        Thread.currentThread().interrupt();
        try {
            none.load(13);
            check(false, "interrupted before");
        } catch (InterruptedException e) {
            none.close();
            check(queries.size() == 1, "nothing was asked");
        }
    }

    private static BatchLoader<Integer, Integer> loader(int size, Duration delay, List<List<Integer>> queries) {
        return new BatchLoader<>(size, delay, keys -> {
            queries.add(keys);
            Map<Integer, BatchLoader.Outcome<Integer>> values = new HashMap<>();
            keys.forEach(key -> values.put(key, new BatchLoader.Outcome.Success<>(key * 10)));
            return values;
        });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
