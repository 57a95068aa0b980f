import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** LoadingCache: what is kept, for how long, and what goes first; a refresh ahead that fails; loads in a ring. */
public final class LoadingCacheKeepsScenario {
    public static void main(String[] args) throws Exception {
        once();
        bound();
        replaced();
        ahead();
        fails();
        ring();
    }

    private static void once() throws InterruptedException {
        var loads = new AtomicInteger();
        var cache = new LoadingCache<String, Integer>(1, Duration.ofDays(9), key -> loads.incrementAndGet());
        Thread other = Thread.ofVirtual().start(() -> check(get(cache, "a") == 1, "the same"));
        check(get(cache, "a") == 1, "loaded once");
        other.join();
        check(loads.get() == 1 && cache.size() == 1, "and kept");
        check(get(cache, "b") == 2 && cache.size() == 1 && cache.present("a").isEmpty(), "the bound");
    }

    private static void bound() throws Exception {
        var now = new AtomicLong();
        var loads = new AtomicInteger();
        var cache = new LoadingCache<String, Integer>(3, Duration.ofNanos(100), Duration.ofNanos(100),
                value -> value != 9, now::get, key -> loads.incrementAndGet());
        cache.put("refused", 9);
        check(cache.size() == 0 && cache.present("refused").isEmpty(), "keep says no");
        for (String key : new String[] {"a", "b", "c", "d"}) {
            cache.put(key, 1);
        }
        check(cache.size() == 3 && cache.present("a").isEmpty(), "the oldest goes");
        Thread reader = Thread.ofVirtual().start(() -> check(get(cache, "b") == 1, "a hit"));
        check(get(cache, "b") == 1, "a hit");
        reader.join();
        cache.put("e", 5);
        check(cache.present("b").isPresent() && cache.present("c").isEmpty(), "what was used stays");
        check(cache.size() == 3, "the bound");
        cache.put("b", 6);
        check(cache.size() == 3 && get(cache, "b") == 6, "replaced, not added");
        check(cache.present("d").isPresent() && cache.present("e").isPresent(), "the others stay");
        cache.invalidate("e");
        check(cache.size() == 2 && cache.present("e").isEmpty(), "dropped");
        now.set(100);
        check(cache.present("b").isEmpty(), "too old");
        cache.put("f", 7);
        check(cache.size() == 1, "what is too old goes first");
        check(loads.get() == 0 && get(cache, "c") == 1, "and is loaded anew");
    }

    private static void replaced() throws Exception {
        var cache = new LoadingCache<String, Integer>(2, Duration.ofDays(9), key -> 3);
        Thread puts = Thread.ofVirtual().start(() -> cache.put("k", 1));
        Thread drops = Thread.ofVirtual().start(() -> cache.invalidate("k"));
        get(cache, "k");
        puts.join();
        drops.join();
        check(cache.size() == (cache.present("k").isPresent() ? 1 : 0), "counted once");
        cache.invalidate("k");
        check(cache.size() == 0, "and no longer when it is gone");
    }

    private static void ahead() throws Exception {
        var now = new AtomicLong();
        var loads = new AtomicInteger();
        var cache = new LoadingCache<String, Integer>(1, Duration.ofNanos(10), Duration.ofNanos(5), value -> true,
                now::get, key -> {
                    if (loads.incrementAndGet() == 1) {
                        throw new IllegalStateException("nobody is told");
                    }
                    return 2;
                });
        cache.put("k", 1);
        check(get(cache, "k") == 1 && loads.get() == 0, "young");
        now.set(5);
        while (get(cache, "k") == 1) { // the first fails, a later one does not
            Thread.onSpinWait();
        }
        check(loads.get() == 2 && get(cache, "k") == 2, "one at a time, until it is young again: " + loads);
        now.set(10);
        Thread other = Thread.ofVirtual().start(() -> get(cache, "k"));
        get(cache, "k");
        other.join();
        now.set(14);
        check(get(cache, "k") == 2, "a hit");
    }

    private static void fails() throws InterruptedException {
        var loads = new AtomicInteger();
        var cache = new LoadingCache<String, Integer>(1, Duration.ofDays(9), key -> {
            loads.incrementAndGet();
            throw new IllegalStateException("boom");
        });
        for (int i = 1; i <= 2; i++) {
            try {
                cache.get("k");
                check(false, "it failed");
            } catch (ExecutionException e) {
                check(e.getCause().getMessage().equals("boom") && loads.get() == i, "not kept");
            }
        }
    }

    private static void ring() throws InterruptedException {
        var seen = new AtomicInteger();
        var caches = new Object() {
            LoadingCache<String, Integer> all;
        };
        caches.all = new LoadingCache<>(1, Duration.ofDays(9), key -> {
            try {
                return caches.all.get(key.equals("a") ? "b" : "a");
            } catch (IllegalStateException e) {
                seen.incrementAndGet();
                throw e;
            }
        });
        Thread b = Thread.ofVirtual().start(() -> failing(caches.all, "b"));
        failing(caches.all, "a");
        b.join();
        check(seen.get() >= 1 && caches.all.waiters() == 0, "a ring is seen");
    }

    private static void failing(LoadingCache<String, Integer> cache, String key) {
        try {
            cache.get(key);
            check(false, "it needs itself");
        } catch (ExecutionException e) {
            check(cache.size() == 0, "nothing is kept");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static int get(LoadingCache<String, Integer> cache, String key) {
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
