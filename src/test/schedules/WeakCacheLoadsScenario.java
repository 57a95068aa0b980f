import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** WeakCache: one load a key at a time, kept for its life; a hit heeds no interrupt; loads that need each other. */
public final class WeakCacheLoadsScenario {
    public static void main(String[] args) throws InterruptedException {
        one();
        interrupted();
        forgotten();
        fails();
        ring();
    }

    private static void one() throws InterruptedException {
        var now = new AtomicLong();
        var loads = new AtomicInteger();
        var inside = new AtomicInteger();
        var cache = new WeakCache<String, Integer>(2, Duration.ofNanos(10), key -> {
            check(inside.incrementAndGet() == 1, "one load at a time");
            int number = loads.incrementAndGet();
            inside.decrementAndGet();
            return number;
        }, now::get);
        Thread other = Thread.ofVirtual().start(() -> check(get(cache, "k") == 1, "the same"));
        check(get(cache, "k") == 1, "loaded once");
        other.join();
        check(get(cache, "k") == 1 && loads.get() == 1 && cache.size() == 1, "kept");
        now.set(10);
        Thread again = Thread.ofVirtual().start(() -> check(get(cache, "k") == 2, "anew"));
        check(get(cache, "k") == 2 && loads.get() == 2, "anew, once");
        again.join();
    }

    private static void interrupted() throws InterruptedException {
        var loads = new AtomicInteger();
        var cache = new WeakCache<String, Integer>(2, Duration.ofDays(9), key -> loads.incrementAndGet());
        Thread.currentThread().interrupt();
        try {
            cache.get("k");
            check(false, "interrupted before");
        } catch (InterruptedException e) {
            check(loads.get() == 0, "nothing was loaded");
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
        check(get(cache, "k") == 1, "loaded");
        Thread.currentThread().interrupt();
        check(get(cache, "k") == 1 && Thread.interrupted(), "a hit does not wait");
    }

    private static void forgotten() throws InterruptedException {
        var loads = new AtomicInteger();
        var begun = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var cache = new WeakCache<String, Integer>(2, Duration.ofDays(9), key -> {
            int number = loads.incrementAndGet();
            begun.countDown();
            go.await();
            return number;
        });
        Thread loading = Thread.ofVirtual().start(() -> check(get(cache, "k") == 1, "its own load"));
        begun.await();
        cache.forget("k");
        go.countDown();
        check(get(cache, "k") <= 2, "a new one");
        loading.join();
        check(get(cache, "k") == 2 && loads.get() == 2, "the forgotten one is not kept, the new one is: " + loads);
    }

    private static void fails() throws InterruptedException {
        var cache = new WeakCache<String, Integer>(2, Duration.ofDays(9), key -> {
            throw new IllegalStateException("boom");
        });
        try {
            cache.get("k");
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom") && cache.size() == 0, "its failure, not kept");
        }
    }

    private static void ring() throws InterruptedException {
        var caches = new WeakCache<?, ?>[1];
        var refused = new AtomicInteger();
        var cache = new WeakCache<String, Integer>(2, Duration.ofDays(9), key -> {
            try {
                return (Integer) caches[0].get(cast(key.equals("a") ? "b" : "a"));
            } catch (IllegalStateException e) {
                refused.incrementAndGet();
                throw e;
            }
        });
        caches[0] = cache;
        Thread other = Thread.ofVirtual().start(() -> failing(cache, "b"));
        failing(cache, "a");
        other.join();
        check(refused.get() >= 1, "a ring is seen");
    }

    @SuppressWarnings("unchecked")
    private static <T> T cast(Object key) {
        return (T) key;
    }

    private static void failing(WeakCache<String, Integer> cache, String key) {
        try {
            cache.get(key);
            check(false, "it needs itself");
        } catch (ExecutionException e) {
            check(cache.size() == 0, "nothing is kept");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static int get(WeakCache<String, Integer> cache, String key) {
        try {
            return cache.get(key);
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
