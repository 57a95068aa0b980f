import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** BatchLoader: close() interrupts a query once and waits for its end, keeps the flag, and refuses the query itself. */
public final class BatchLoaderCloseScenario {
    public static void main(String[] args) throws InterruptedException {
        var begun = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        var self = new BatchLoader<?, ?>[1];
        var loader = new BatchLoader<Integer, Integer>(1, Duration.ofDays(9), keys -> {
            begun.incrementAndGet();
            try {
                self[0].close();
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                check(begun.get() == 1, "nothing is closed");
            }
            for (int i = 0; i < 2; i++) {
                try {
                    Thread.sleep(i == 0 ? Duration.ofDays(1) : Duration.ofMillis(10));
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            ended.incrementAndGet();
            return values(keys);
        });
        self[0] = loader;
        var answer = loader.loadAsync(1);
        while (begun.get() == 0) {
            Thread.onSpinWait();
        }
        Thread other = Thread.ofVirtual().start(() -> {
            loader.close();
            check(ended.get() == 1, "its end is awaited by both");
        });
        Thread.currentThread().interrupt();
        loader.close();
        check(Thread.interrupted(), "the flag is kept");
        check(ended.get() == 1 && interrupts.get() == 1, "ended, told once: " + interrupts);
        other.join();
        check(answer.handle((value, failure) -> failure != null).join(), "told to stop, it has no result");
        try {
            loader.load(2);
            check(false, "closed");
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        } catch (IllegalStateException e) {
            check(begun.get() == 1, "no query more");
        }
    }

    private static Map<Integer, BatchLoader.Outcome<Integer>> values(List<Integer> keys) {
        var values = new HashMap<Integer, BatchLoader.Outcome<Integer>>();
        keys.forEach(key -> values.put(key, new BatchLoader.Outcome.Success<>(key * 10)));
        return values;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
