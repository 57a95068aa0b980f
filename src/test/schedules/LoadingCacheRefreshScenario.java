import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** LoadingCache: a refresh ahead beside put, and beside callers that find the value expired: one load at a time. */
public final class LoadingCacheRefreshScenario {

    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var now = new AtomicLong();
        var running = new AtomicInteger();
        var cache = new LoadingCache<String, Integer>(1, Duration.ofNanos(10), Duration.ofNanos(5), value -> true,
                now::get, key -> {
                    check(running.incrementAndGet() == 1, "two loads");
                    try {
                        Thread.sleep(1);
                        return 2;
                    } finally {
                        running.decrementAndGet();
                    }
                });
        cache.put("k", 1);
        now.set(5);
        check(cache.get("k") == 1, "a hit does not wait");
        Thread hasty = Thread.ofVirtual().start(() -> {
            try {
                int value = cache.get("k", Duration.ofNanos(10));
                check(value == 1 || value == 2, "a value");
            } catch (TimeoutException e) {
                // out of time
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError("somebody else's interrupt", e);
            }
        });
        now.set(10);
        check(cache.get("k") == 2, "expired");
        hasty.join();
        check(cache.size() == 1, "size " + cache.size());
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError(what);
        }
    }
}
