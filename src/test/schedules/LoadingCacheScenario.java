import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** LoadingCache: who asks after invalidate gets no older value; a caller out of time harms nobody; the bound holds. */
public final class LoadingCacheScenario {

    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var version = new AtomicInteger(1);
        var cache = new LoadingCache<String, Integer>(1, Duration.ofHours(1), key -> {
            int seen = version.get();
            Thread.sleep(1);
            return seen;
        });
        Thread hasty = Thread.ofVirtual().start(() -> {
            try {
                check(cache.get("k", Duration.ofNanos(10)) > 0, "a value");
            } catch (TimeoutException e) {
                // out of time
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError("somebody else's interrupt", e);
            }
        });
        Thread patient = Thread.ofVirtual().start(() -> {
            try {
                check(cache.get("k") > 0, "a value");
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError("somebody else's interrupt", e);
            }
        });
        version.set(2);
        cache.invalidate("k");
        check(cache.get("k") == 2, "older than the invalidate");
        hasty.join();
        patient.join();
        check(cache.present("k").orElse(2) == 2, "older than the invalidate is kept");
        check(cache.size() <= 1, "the bound");
        check(cache.waiters() == 0, "waiters");
        try {
            check(cache.left() == null, "not in a load");
        } catch (IllegalStateException e) {
            // this is not the thread of a load
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError(what);
        }
    }
}
