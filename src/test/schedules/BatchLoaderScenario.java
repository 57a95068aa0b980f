import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** BatchLoader: each key is asked for once a batch, each caller gets its own value; after close() no query runs. */
public final class BatchLoaderScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var running = new AtomicInteger();
        var loader = new BatchLoader<Integer, Integer>(2, Duration.ofMillis(1), keys -> {
            running.incrementAndGet();
            Map<Integer, BatchLoader.Outcome<Integer>> values = new HashMap<>();
            for (int key : keys) {
                check(values.put(key, new BatchLoader.Outcome.Success<>(key * 10)) == null, "no key twice");
            }
            check(!keys.isEmpty() && keys.size() <= 2, "a batch of one or two");
            running.decrementAndGet();
            return values;
        });
        Thread other = Thread.ofVirtual().start(() -> {
            try {
                check(loader.load(2) == 20, "its own value");
                loader.load(3);
            } catch (ExecutionException | IllegalStateException e) {
                check(!(e.getCause() instanceof AssertionError), "only closed");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        var same = loader.loadAsync(2);
        check(loader.load(1) == 10, "its own value");
        check(same.join() == 20, "also of a future");
        var late = loader.loadAsync(4);
        loader.close();
        check(running.get() == 0, "no query runs after close()");
        try {
            check(late.join() == 40, "loaded in time");
        } catch (CompletionException | java.util.concurrent.CancellationException e) {
            check(late.isDone(), "closed");
        }
        other.join();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
