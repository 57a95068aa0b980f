import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * asyncio: a dictionary of values with their age, and one of running tasks ({@code aiocache}, {@code async_lru}). Final
 * API, JDK 21 and later.
 *
 * <p>Use for values that are expensive to load and stay valid for a while. Take Caffeine for weights, statistics, a
 * listener, an expiry per entry, or tens of thousands of keys whose hit rate matters. To share a load and keep nothing,
 * use {@code SingleFlight}.
 *
 * <p>A hit takes no lock. At most one load of a key runs at a time, in its own virtual thread without the callers'
 * thread-locals. A caller that asks in the meantime gets the same outcome. A caller that is interrupted or times out
 * does not affect the others. The last one to leave interrupts the load, once, and its result is not kept; a caller
 * that asks before that load has ended waits for it, then starts a new one. A failure (null is one) goes to the callers
 * that wait and is not kept.
 *
 * <p>At most {@code size} values are kept, by the clock algorithm ("second chance"): a value used since the clock last
 * passed it stays. Thread-safe; no key delays another. What a key's {@code hashCode}, {@code equals} or {@code
 * toString} throws reaches only the caller that asks.
 *
 * <p>Run: {@code java examples/throughput/LoadingCache.java}
 */
public final class LoadingCache<K, V> {

    // More than 150 lines: a SingleFlight with an expiry and a bound; each file stands alone.

    // @start region="cache"
    @FunctionalInterface
    public interface Loader<K, V> {
        V load(K key) throws Exception;
    }

    private static final int OVER = -1;
    private static final int AHEAD = -2;

    private static final class Flight<V> {
        final AtomicInteger state; // > 0: callers that wait; 0: abandoned; OVER; AHEAD: a refresh that nobody waits for
        final CountDownLatch done = new CountDownLatch(1);
        final AtomicLong latest; // when the most patient caller leaves, in nanoTime
        Thread thread;
        V value; // written before the state is OVER, as is the next
        Throwable failure;

        Flight(int state, long end) {
            this.state = new AtomicInteger(state);
            this.latest = new AtomicLong(end);
        }

        boolean join(long end) {
            if (state.get() == 0 || state.get() == OVER) {
                return false; // this load is not for the caller
            }
            latest.accumulateAndGet(end, (a, b) -> a - b > 0 ? a : b); // first: the load may look once this one waits
            int before = state.getAndUpdate(n -> n > 0 ? n + 1 : n == AHEAD ? 1 : n);
            return before > 0 || before == AHEAD;
        }

        /** The state before. 1: this was the last one, and the load is interrupted. */
        int leave() {
            int before = state.getAndUpdate(n -> n > 0 ? n - 1 : n);
            if (before == 1) {
                thread.interrupt();
            }
            return before;
        }

        boolean hasEnded() {
            return done.getCount() == 0;
        }
    }

    private static final class Entry<K, V> {
        final K key;
        final V value;
        final long loadedAt;
        volatile boolean used = true;
        boolean gone; // guarded by lock: invalidated or replaced, perhaps before it came into the order

        Entry(K key, V value, long loadedAt) {
            this.key = key;
            this.value = value;
            this.loadedAt = loadedAt;
        }
    }

    /** What is known of a key; either may be null. Replaced as a whole, by {@code replace}. */
    private record Node<K, V>(Entry<K, V> entry, Flight<V> flight) {
    }

    private final int size;
    private final long lifeNanos;
    private final long refreshNanos;
    private final Predicate<? super V> keep;
    private final LongSupplier nanoTime;
    private final Loader<? super K, ? extends V> loader;
    private final ConcurrentHashMap<K, Node<K, V>> nodes = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Thread, Flight<V>> waiting = new ConcurrentHashMap<>();
    private final ThreadLocal<Flight<V>> inside = new ThreadLocal<>();
    private final ReentrantLock lock = new ReentrantLock(); // no code of keys and values runs under it
    private final LinkedHashSet<Entry<K, V>> order = new LinkedHashSet<>(); // guarded by lock

    /** Keeps loaded values for {@code life}, without refreshing them ahead. */
    public LoadingCache(int size, Duration life, Loader<? super K, ? extends V> loader) {
        this(size, life, life, value -> true, System::nanoTime, loader);
    }

    /**
     * @param size         values kept at most, 1 or more
     * @param life         how long a value may be returned, from the end of its load; zero or less: not to later
     *         callers
     * @param refreshAfter from this age on, a hit starts a load, at most one at a time, and still returns the old value
     *                     at once; {@code life} or more: never. If that load fails, nobody is told (let the loader log
     *                     it), the old value stays, and the next hit tries again
     * @param keep         whether a value is kept (only complete ones, say); the callers that wait get it either way
     * @param nanoTime     the clock, such as {@code System::nanoTime}
     */
    public LoadingCache(int size, Duration life, Duration refreshAfter, Predicate<? super V> keep,
            LongSupplier nanoTime,
                        Loader<? super K, ? extends V> loader) {
        if (size < 1) {
            throw new IllegalArgumentException("size is " + size + ", must be 1 or more");
        }
        this.size = size;
        Objects.requireNonNull(life, "life");
        this.lifeNanos = TimeUnit.NANOSECONDS.convert(life);
        Objects.requireNonNull(refreshAfter, "refreshAfter");
        this.refreshNanos = TimeUnit.NANOSECONDS.convert(refreshAfter);
        this.keep = Objects.requireNonNull(keep, "keep");
        this.nanoTime = Objects.requireNonNull(nanoTime, "nanoTime");
        this.loader = Objects.requireNonNull(loader, "loader");
    }

    /**
     * Returns the value of {@code key}, kept or loaded. If an interrupted caller is the last to leave, it waits until
     * the load has ended.
     *
     * @throws ExecutionException    the load's failure is the cause, the same object for all who waited
     * @throws InterruptedException  if interrupted while waiting; a hit does not wait
     * @throws IllegalStateException in a load that needs its own key, directly or through other keys; only calls from
     *                               the load's own thread are detected, not from threads that it starts
     */
    public V get(K key) throws InterruptedException, ExecutionException {
        V value = hit(key);
        return value != null ? value : outcome(fly(key, false, Long.MAX_VALUE / 2));
    }

    /**
     * Like {@link #get(Object)}, but waits at most {@code limit}. Zero or less returns only a kept value and starts no
     * load.
     *
     * @throws TimeoutException no value in time. The last caller to leave interrupts the load, and does not wait for
     *         its end
     */
    public V get(K key, Duration limit) throws InterruptedException, ExecutionException, TimeoutException {
        Objects.requireNonNull(limit, "limit");
        long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 2);
        V value = hit(key);
        return value != null ? value : inTime(fly(key, false, nanos), limit);
    }

    /**
     * For a caller that must not block. The future fails with the cause of the exception that {@link #get} throws.
     * Cancelling it or {@code orTimeout} counts as leaving, once its dependents in that thread have returned. It is
     * completed in its own virtual thread, so its dependents delay nobody.
     */
    public CompletableFuture<V> getAsync(K key) {
        Objects.requireNonNull(key, "key");
        var answer = new CompletableFuture<V>();
        var waits = new AtomicBoolean(true); // after that an interrupt would hit a dependent
        Thread waiter = Thread.ofVirtual().name("wait for load").unstarted(() -> {
            V value = null;
            Throwable failure = null;
            try {
                value = get(key);
            } catch (ExecutionException e) {
                failure = e.getCause();
            } catch (Throwable e) {
                failure = e;
            }
            if (!waits.getAndSet(false)) {
                return; // cancelled
            }
            if (failure == null) {
                answer.complete(value);
            } else {
                answer.completeExceptionally(failure);
            }
        });
        answer.whenComplete((value, failure) -> {
            if (waits.getAndSet(false)) {
                waiter.interrupt();
            }
        });
        waiter.start();
        return answer;
    }

    /**
     * Loads again, or joins a running load. Until it ends, others get the old value, which stays if the load fails.
     * Otherwise like {@link #get(Object, Duration)}.
     */
    public V refresh(K key, Duration limit) throws InterruptedException, ExecutionException, TimeoutException {
        Objects.requireNonNull(limit, "limit");
        return inTime(fly(key, true, Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 2)), limit);
    }

    /** The value if it is kept; neither waits nor loads. */
    public Optional<V> present(K key) {
        Node<K, V> node = nodes.get(key);
        return node == null || !isFresh(node.entry, nanoTime.getAsLong()) ? Optional.empty()
                : Optional.of(node.entry.value);
    }

    /** Keeps {@code value} unless {@code keep} refuses it. A load in progress then counts only for its callers. */
    public void put(K key, V value) {
        Objects.requireNonNull(key, "key");
        if (keep.test(Objects.requireNonNull(value, "value"))) {
            var entry = new Entry<>(key, value, nanoTime.getAsLong());
            Node<K, V> before = nodes.put(key, new Node<>(entry, null));
            bound(before, entry);
        }
    }

    /** Drops the value. Callers that wait for a load in progress still get its value; later ones get a new one. */
    public void invalidate(K key) {
        Node<K, V> node = nodes.remove(key);
        if (node != null && node.entry != null) {
            lock.lock();
            try {
                forget(node.entry);
            } finally {
                lock.unlock();
            }
        }
    }

    /** How many values are kept, including those too old to be returned. */
    public int size() {
        lock.lock();
        try {
            return order.size();
        } finally {
            lock.unlock();
        }
    }

    /**
     * For a load: how long the most patient of those who have asked for it so far still waits; {@code
     * Retry.callWithin(cache::left, ...)} tries as long as that is worth it. Zero when the time of all is over: an
     * interrupt before that means that they have left. A load that a hit started ahead has no end.
     *
     * @throws IllegalStateException not called by the load's own thread
     */
    public Duration left() {
        Flight<V> flight = inside.get();
        if (flight == null) {
            throw new IllegalStateException("not in the thread of a load");
        }
        return Duration.ofNanos(Math.max(0, flight.latest.get() - System.nanoTime()));
    }

    /** How many callers are waiting now, for any key. */
    public int waiters() {
        return waiting.size();
    }

    private V hit(K key) {
        Node<K, V> node = nodes.get(Objects.requireNonNull(key, "key"));
        Entry<K, V> entry = node == null ? null : node.entry;
        if (entry == null) {
            return null;
        }
        long age = nanoTime.getAsLong() - entry.loadedAt;
        if (age >= lifeNanos) {
            return null;
        }
        if (!entry.used) { // written once a round only: hits on one key do not fight for its line of memory
            entry.used = true;
        }
        if (age >= refreshNanos && (node.flight == null || node.flight.hasEnded())) {
            take(key, node, flight(key, AHEAD, System.nanoTime() + Long.MAX_VALUE / 2));
        }
        return entry.value;
    }

    private boolean isFresh(Entry<K, V> entry, long now) {
        return entry != null && now - entry.loadedAt < lifeNanos;
    }

    private V inTime(Flight<V> flight, Duration limit) throws ExecutionException, TimeoutException {
        if (flight == null) {
            throw new TimeoutException("no value within " + limit);
        }
        return outcome(flight);
    }

    private V outcome(Flight<V> flight) throws ExecutionException {
        if (flight.failure != null) {
            throw new ExecutionException(flight.failure);
        }
        return flight.value;
    }

    /** Null if out of time. */
    private Flight<V> fly(K key, boolean anew, long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        while (true) {
            Node<K, V> node = nodes.get(Objects.requireNonNull(key, "key"));
            if (!anew && node != null && isFresh(node.entry, nanoTime.getAsLong())) { // loaded meanwhile
                var there = new Flight<V>(OVER, end);
                there.value = node.entry.value;
                return there;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (end - System.nanoTime() <= 0) {
                return null;
            }
            Flight<V> flight = node == null ? null : node.flight;
            boolean mine = flight == null || flight.hasEnded();
            if (mine) {
                flight = flight(key, 1, end);
            }
            waiting.put(Thread.currentThread(), flight);
            try {
                boolean joined;
                if (mine) {
                    joined = take(key, node, flight);
                    if (!joined) {
                        continue; // somebody was quicker
                    }
                } else {
                    refuseRing(key, flight);
                    joined = flight.join(end);
                }
                if (!await(flight, joined, end - System.nanoTime())) {
                    return null;
                } else if (joined) {
                    return flight;
                } // else it was at its end, or those whom it was for had all left, when this thread came
            } finally {
                waiting.remove(Thread.currentThread());
            }
        }
    }

    private boolean await(Flight<V> flight, boolean joined, long nanos) throws InterruptedException {
        try {
            return flight.done.await(nanos, TimeUnit.NANOSECONDS)
                    || joined && flight.leave() < 0; // the outcome came as the limit ended
        } catch (InterruptedException e) {
            if (joined && flight.leave() == 1) {
                boolean again = false;
                while (flight.thread.isAlive()) {
                    try {
                        flight.thread.join();
                    } catch (InterruptedException second) {
                        again = true;
                    }
                }
                if (again) {
                    Thread.currentThread().interrupt();
                }
            }
            throw e;
        }
    }

    /** Each is registered before it looks, so of those that wait in a ring the last to come sees it. */
    private void refuseRing(K key, Flight<V> flight) {
        Flight<V> next = flight;
        for (int most = waiting.size(); next != null && most >= 0; most--) { // a ring of others is theirs to see
            if (next.thread == Thread.currentThread()) {
                throw new IllegalStateException("the load of " + text(key) + " needs " + text(key));
            }
            next = waiting.get(next.thread);
        }
    }

    private Flight<V> flight(K key, int state, long end) {
        var flight = new Flight<V>(state, end);
        flight.thread = Thread.ofVirtual().inheritInheritableThreadLocals(false).unstarted(() -> run(key, flight));
        return flight;
    }

    /** Starts the load, unless somebody has changed the node. */
    private boolean take(K key, Node<K, V> node, Flight<V> flight) {
        var next = new Node<>(node == null ? null : node.entry, flight);
        if (node == null ? nodes.putIfAbsent(key, next) != null : !nodes.replace(key, node, next)) {
            return false;
        }
        try {
            flight.thread.start();
        } catch (Throwable e) { // no memory for it
            flight.failure = e;
            settle(key, flight, null);
        }
        return true;
    }

    private void run(K key, Flight<V> flight) {
        Entry<K, V> loaded = null;
        try {
            Thread.currentThread().setName("load " + text(key));
            inside.set(flight);
            V value = Objects.requireNonNull(loader.load(key), "the loader returned null");
            loaded = keep.test(value) ? new Entry<>(key, value, nanoTime.getAsLong()) : null;
            flight.value = value;
        } catch (Throwable e) {
            loaded = null;
            flight.failure = e;
        }
        settle(key, flight, loaded);
    }

    private void settle(K key, Flight<V> flight, Entry<K, V> loaded) {
        int left = flight.state.get();
        while (!flight.state.compareAndSet(left, OVER)) {
            left = flight.state.get();
        }
        try { // before done: who comes then finds the value
            keep(key, flight, left == 0 ? null : loaded);
        } catch (Throwable e) {
            // the key's own code: not kept, and a flight that has ended is in nobody's way
        } finally {
            flight.done.countDown();
        }
    }

    private void keep(K key, Flight<V> flight, Entry<K, V> loaded) {
        while (true) {
            Node<K, V> node = nodes.get(key);
            if (node == null || node.flight != flight) {
                return; // invalidated, or put, meanwhile
            }
            Entry<K, V> entry = loaded != null ? loaded : node.entry;
            if (entry == null ? nodes.remove(key, node) : nodes.replace(key, node, new Node<>(entry, null))) {
                if (loaded != null) {
                    bound(node, loaded);
                }
                return;
            }
        }
    }

    private void bound(Node<K, V> before, Entry<K, V> kept) {
        var dropped = new ArrayList<Entry<K, V>>();
        lock.lock();
        try {
            if (before != null && before.entry != null) {
                forget(before.entry);
            }
            if (!kept.gone) {
                order.add(kept);
            }
            int chances = 100; // hits meanwhile must not keep this going
            while (!order.isEmpty() && (order.size() > size || !isFresh(order.getFirst(), kept.loadedAt))) {
                Entry<K, V> first = order.removeFirst();
                if (first.used && isFresh(first, kept.loadedAt) && chances-- > 0) {
                    first.used = false;
                    order.addLast(first);
                } else {
                    dropped.add(first);
                }
            }
        } finally {
            lock.unlock();
        }
        dropped.forEach(this::drop);
    }

    private void forget(Entry<K, V> entry) {
        order.remove(entry);
        entry.gone = true;
    }

    private void drop(Entry<K, V> entry) {
        try {
            Node<K, V> node = nodes.get(entry.key);
            while (node != null && node.entry == entry && !(node.flight == null ? nodes.remove(entry.key, node)
                    : nodes.replace(entry.key, node, new Node<>(null, node.flight)))) {
                node = nodes.get(entry.key);
            }
        } catch (Throwable e) {
            // another key's code, while this one's value is kept
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

    record Quote(String symbol, double price, boolean complete) {
    }

    public static void main(String[] args) throws Exception {
        var now = new AtomicLong();
        var loads = new AtomicInteger();
        var suppliers = new CountDownLatch(1);
        // @start region="use"
        // kept for 2 s, refreshed ahead after 1, if complete; with a clock of the test's: else System::nanoTime
        var quotes = new LoadingCache<String, Quote>(10_000, Duration.ofSeconds(2), Duration.ofSeconds(1),
                Quote::complete, now::get, symbol -> {
                    loads.incrementAndGet();
                    suppliers.await();
                    return new Quote(symbol, 12.5, !symbol.equals("PARTIAL"));
                });
        // @end region="use"
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<Quote>>();
            for (int i = 0; i < 1_000; i++) {
                answers.add(executor.submit(() -> quotes.get("ACME")));
            }
            try {
                quotes.get("ACME", Duration.ofMillis(20));
                check(false, "each caller has a time limit of its own");
            } catch (TimeoutException e) {
                System.out.println("impatient: " + e.getMessage());
            }
            suppliers.countDown();
            for (var answer : answers) {
                check(answer.get().price() == 12.5, "all others get the value");
            }
        }
        System.out.println("1,000 callers, loads: " + loads);
        check(loads.get() == 1, "one load");

        now.addAndGet(Duration.ofMillis(1_500).toNanos());
        quotes.get("ACME"); // at once, the old value
        while (loads.get() < 2 || quotes.present("ACME").isEmpty()) {
            Thread.sleep(1);
        }
        System.out.println("a hit after 1.5 s has started a load: " + loads);

        quotes.get("PARTIAL");
        check(quotes.present("PARTIAL").isEmpty(), "only what is complete is kept");
        quotes.invalidate("ACME");
        quotes.get("ACME");
        check(loads.get() == 4, "loaded anew after invalidate");
        var small = new LoadingCache<Integer, Integer>(3, Duration.ofMinutes(1), n -> n * n);
        for (int n : List.of(1, 2, 3, 4, 5, 6)) {
            small.get(n);
        }
        System.out.println("bounded: " + small.size() + " of 6 kept");
        check(small.size() == 3, "a bound");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
