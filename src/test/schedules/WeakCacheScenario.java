import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** WeakCache: an interrupted loader beside another caller and forget: the other gets a value, never an older one. */
public final class WeakCacheScenario {

    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var version = new AtomicInteger(1);
        var cache = new WeakCache<String, Integer>(1, Duration.ofHours(1), key -> {
            int seen = version.get();
            Thread.sleep(1);
            return seen;
        });
        Thread cancelled = Thread.ofVirtual().start(() -> {
            try {
                check(cache.get("k") > 0, "a value");
            } catch (InterruptedException e) {
                // its own
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        cancelled.interrupt();
        version.set(2);
        cache.forget("k");
        check(cache.get("k") == 2, "older than forget");
        cancelled.join();
        check(cache.get("k") == 2, "older than forget is kept");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError(what);
        }
    }
}
