import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * asyncio: {@code weakref.WeakValueDictionary} and a dictionary of running tasks. Final API, JDK 21 and later.
 *
 * <p>Use for values that are expensive to load and large: the most recently used are kept, the others only while your
 * code still refers to them, so that nothing in memory is loaded again. Do not use {@code SoftReference} for this: it
 * fills the heap before it lets anything go. Usually {@code LoadingCache} is enough: bounded, expiring, with a time
 * limit for each caller.
 *
 * <p>Thread-safe. A key is loaded once however many callers ask, no key delays another, and failures are not kept. What
 * a key's {@code hashCode}, {@code equals} or {@code toString} throws reaches only the caller that asks.
 *
 * <p>Run: {@code java examples/throughput/WeakCache.java}
 */
public final class WeakCache<K, V> {

    // More than 150 lines: a bound, an expiry, one load a key, and loads that need each other.

    // @start region="cache"
    @FunctionalInterface
    public interface Loader<K, V> {
        V load(K key) throws Exception;
    }

    private static final class Entry<K, V> extends WeakReference<V> {
        final K key;
        final long loadedAt;

        Entry(K key, V value, long loadedAt, ReferenceQueue<V> collected) {
            super(value, collected);
            this.key = key;
            this.loadedAt = loadedAt;
        }
    }

    private static final class Flight<V> {
        final Thread loader = Thread.currentThread();
        final CountDownLatch done = new CountDownLatch(1);
        V value; // written before done, as is the next; both null: whoever loaded was interrupted
        Throwable failure;
    }

    private final int kept;
    private final long lifeNanos;
    private final LongSupplier nanoTime;
    private final Loader<? super K, ? extends V> loader;
    private final ConcurrentHashMap<K, Entry<K, V>> entries = new ConcurrentHashMap<>();
    // one that is done counts as none
    private final ConcurrentHashMap<K, Flight<V>> flights = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Thread, Flight<V>> waiting = new ConcurrentHashMap<>();
    private final ReentrantLock lock = new ReentrantLock(); // no code of keys runs under it
    private final LinkedHashMap<Entry<K, V>, V> recent = new LinkedHashMap<>(16, 0.75f, true); // guarded by lock
    private final ReferenceQueue<V> collected = new ReferenceQueue<>();

    /** @param kept how many of the last used values stay in any case. @param life then a value is loaded again */
    public WeakCache(int kept, Duration life, Loader<? super K, ? extends V> loader) {
        this(kept, life, loader, System::nanoTime);
    }

    /** For tests: with a clock in nanoseconds. */
    public WeakCache(int kept, Duration life, Loader<? super K, ? extends V> loader, LongSupplier nanoTime) {
        if (kept < 0) {
            throw new IllegalArgumentException("kept is " + kept + ", must be 0 or more");
        }
        this.kept = kept;
        this.lifeNanos = TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(life, "life"));
        this.loader = Objects.requireNonNull(loader, "loader");
        this.nanoTime = Objects.requireNonNull(nanoTime, "nanoTime");
    }

    /**
     * Returns the value of {@code key}, from memory or loaded. The first caller loads it in its own thread while the
     * others wait. If that caller is interrupted, one of the others loads instead.
     *
     * @throws ExecutionException    the load's failure is the cause (the same object for all who waited); null is a
     *                               failure too
     * @throws InterruptedException  if interrupted while waiting, or as thrown by this caller's load
     * @throws IllegalStateException in a load that needs its own key, directly or through loads of other threads
     */
    public V get(K key) throws InterruptedException, ExecutionException {
        dropCollected();
        while (true) {
            V value = cached(Objects.requireNonNull(key, "key"));
            if (value != null) {
                return value;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            Flight<V> flight = flights.get(key);
            if (flight == null || flight.done.getCount() == 0) {
                var mine = new Flight<V>();
                if (flight == null ? flights.putIfAbsent(key, mine) != null : !flights.replace(key, flight, mine)) {
                    continue; // somebody was quicker
                }
                flight = mine;
                load(key, flight);
            } else {
                await(key, flight);
            }
            if (flight.failure != null) {
                throw new ExecutionException(flight.failure);
            } else if (flight.value != null) {
                return flight.value;
            }
        }
    }

    /** Drops a value. A load in progress still goes to the callers that wait, and is not kept. */
    public void forget(K key) {
        Objects.requireNonNull(key, "key");
        flights.compute(key, (k, flight) -> { // with keep(), one after the other
            Entry<K, V> entry = entries.remove(key);
            if (entry != null) {
                letGo(entry);
            }
            return null;
        });
    }

    /** How many values are in memory, as far as the garbage collector has reported. */
    public int size() {
        dropCollected();
        return entries.size();
    }

    private V cached(K key) {
        Entry<K, V> entry = entries.get(key);
        V value = entry == null ? null : entry.get();
        if (value != null && nanoTime.getAsLong() - entry.loadedAt >= lifeNanos) {
            entries.remove(key, entry);
            letGo(entry);
            return null;
        }
        if (value != null) {
            used(entry, value);
        }
        return value;
    }

    private void await(K key, Flight<V> flight) throws InterruptedException {
        waiting.put(Thread.currentThread(), flight); // before it looks: of a ring the last to come sees it
        try {
            Flight<V> next = flight;
            for (int most = waiting.size(); next != null && most >= 0; most--) {
                if (next.loader == Thread.currentThread()) {
                    throw new IllegalStateException("the load of " + text(key) + " needs " + text(key));
                }
                next = waiting.get(next.loader);
            }
            flight.done.await();
        } finally {
            waiting.remove(Thread.currentThread());
        }
    }

    private void load(K key, Flight<V> flight) throws InterruptedException {
        Entry<K, V> loaded = null;
        try {
            V there = cached(key); // loaded between the two looks
            V value = there != null ? there : Objects.requireNonNull(loader.load(key), "the loader returned null");
            loaded = there != null ? null : new Entry<>(key, value, nanoTime.getAsLong(), collected);
            flight.value = value;
        } catch (InterruptedException e) {
            throw e; // concerns this caller alone: those who wait ask again
        } catch (Throwable e) {
            flight.failure = e;
        } finally {
            try {
                keep(key, flight, loaded);
            } catch (Throwable e) {
                // the key's own code: not kept, and a flight that is done is in nobody's way
            } finally {
                flight.done.countDown();
            }
        }
    }

    private void keep(K key, Flight<V> flight, Entry<K, V> loaded) {
        flights.computeIfPresent(key, (k, running) -> {
            if (running != flight) {
                return running; // forgotten meanwhile
            }
            if (loaded != null) {
                Entry<K, V> before = entries.put(key, loaded);
                used(loaded, flight.value);
                if (before != null) {
                    letGo(before);
                }
            }
            return null;
        });
    }

    private void used(Entry<K, V> entry, V value) {
        lock.lock();
        try {
            recent.put(entry, value);
            if (recent.size() > kept) {
                recent.pollFirstEntry(); // the one used longest ago
            }
        } finally {
            lock.unlock();
        }
    }

    private void letGo(Entry<K, V> entry) {
        lock.lock();
        try {
            recent.remove(entry);
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("unchecked")
    private void dropCollected() {
        for (var entry = (Entry<K, V>) collected.poll(); entry != null; entry = (Entry<K, V>) collected.poll()) {
            try {
                entries.remove(entry.key, entry);
            } catch (Throwable e) {
                // another key's code, while somebody asks for this one
            }
        }
    }

    private static String text(Object key) {
        try {
            return String.valueOf(key);
        } catch (Throwable e) {
            return key.getClass().getName();
        }
    }
    // @end region="cache"

    public static void main(String[] args) throws Exception {
        var loads = new AtomicInteger();
        // @start region="use"
        var images = new WeakCache<Integer, byte[]>(10, Duration.ofMinutes(5), id -> {
            loads.incrementAndGet();
            Thread.sleep(20); // from disk or network
            return new byte[1_000_000];
        });
        // @end region="use"
        callers(images, loads);
        for (int i = 0; images.size() > 10 && i < 50; i++) {
            System.gc();
            Thread.sleep(20);
        }
        System.out.println("101 values loaded, in memory after a collection: " + images.size());
        check(images.size() == 10, "only the ones used last are kept");
    }

    private static void callers(WeakCache<Integer, byte[]> images, AtomicInteger loads) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<byte[]>>();
            for (int i = 0; i < 100; i++) {
                answers.add(executor.submit(() -> images.get(7)));
            }
            byte[] seven = answers.getFirst().get();
            System.out.println("100 callers, loads: " + loads);
            check(loads.get() == 1, "one load for all");
            for (int i = 0; i < 100; i++) {
                int id = 1_000 + i;
                answers.add(executor.submit(() -> images.get(id)));
            }
            for (var answer : answers) {
                answer.get();
            }
            check(images.get(7) == seven, "held by somebody, so it is still the same");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
