import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
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

/**
 * asyncio: a dictionary of running tasks, {@code await wait_for(shield(running[key]), limit)}. Final API, JDK 21 and
 * later.
 *
 * <p>Use to load a key once while many callers ask for it, each with its own time limit. Do not use as a cache with a
 * bound or an expiry ({@code LoadingCache}). Do not use {@code ConcurrentHashMap.computeIfAbsent} for a load that
 * blocks: it delays other keys, pins on 21, and fails on recursion.
 *
 * <p>At most one load of a key runs at a time, in its own virtual thread without the callers' thread-locals. A caller
 * that asks in the meantime gets the same outcome. A caller that is interrupted or times out does not affect the
 * others. The last one to leave interrupts the load, once; a caller that asks before that load has ended waits for it,
 * then starts a new one.
 *
 * <p>Thread-safe; no key delays another. What a key's {@code hashCode}, {@code equals} or {@code toString} throws
 * reaches only the caller that asks. A load may return null.
 *
 * <p>Run: {@code java examples/state/SingleFlight.java}
 */
public final class SingleFlight<K, V> {

    // More than 150 lines: waits by limit, interrupt or future, and loads that need each other.

    // @start region="single-flight"
    @FunctionalInterface
    public interface Loader<K, V> {
        V load(K key) throws Exception;
    }

    private static final int OVER = -1;
    private static final int KEPT = -2;

    private static final class Flight<V> {
        final AtomicInteger state = new AtomicInteger(1); // > 0: callers that wait; 0: abandoned; OVER or KEPT
        final CountDownLatch done = new CountDownLatch(1);
        final AtomicLong latest; // when the most patient caller leaves, in nanoTime
        Thread thread;
        V value; // written before the state is OVER or KEPT, as is the next
        Throwable failure;

        Flight(long end) {
            this.latest = new AtomicLong(end);
        }

        boolean join(long end) {
            if (state.get() <= 0) {
                return false; // this load is not for the caller
            }
            latest.accumulateAndGet(end, (a, b) -> a - b > 0 ? a : b); // first: the load may look once this one waits
            return state.getAndUpdate(n -> n > 0 ? n + 1 : n) > 0;
        }

        /** The state before. 1: this was the last one, and the load is interrupted. */
        int leave() {
            int before = state.getAndUpdate(n -> n > 0 ? n - 1 : n);
            if (before == 1) {
                thread.interrupt();
            }
            return before;
        }

        void end(boolean keep) {
            for (int n = state.get(); !state.compareAndSet(n, n > 0 && keep ? KEPT : OVER); ) {
                n = state.get();
            }
            done.countDown();
        }
    }

    private final Loader<? super K, ? extends V> loader;
    private final boolean keep;
    private final Map<K, Flight<V>> flights = new ConcurrentHashMap<>(); // one that is OVER counts as none
    private final Map<Thread, Flight<V>> waiting = new ConcurrentHashMap<>();
    private final ThreadLocal<Flight<V>> inside = new ThreadLocal<>();

    /** @param keep whether a loaded value is kept until {@link #forget}; a failure never is */
    public SingleFlight(Loader<? super K, ? extends V> loader, boolean keep) {
        this.loader = Objects.requireNonNull(loader, "loader");
        this.keep = keep;
    }

    /**
     * Returns the value of {@code key}. If an interrupted caller is the last to leave, it waits until the load has
     * ended.
     *
     * @throws ExecutionException    the load's failure is the cause, the same object for all who waited
     * @throws InterruptedException  if interrupted while waiting
     * @throws IllegalStateException in a load that needs its own key, directly or through other keys; only calls from
     *                               the load's own thread are detected, not from threads that it starts
     */
    public V get(K key) throws InterruptedException, ExecutionException {
        return outcome(fly(key, Long.MAX_VALUE / 2));
    }

    /**
     * Like {@link #get(Object)}, but waits at most {@code limit}. Zero or less returns only a kept value and starts no
     * load.
     *
     * @throws TimeoutException no outcome in time. The last caller to leave interrupts the load, and does not wait for
     *                          its end
     */
    public V get(K key, Duration limit) throws InterruptedException, ExecutionException, TimeoutException {
        Objects.requireNonNull(limit, "limit");
        Flight<V> flight = fly(key, Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 2));
        if (flight == null) {
            throw new TimeoutException("no value within " + limit);
        }
        return outcome(flight);
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

    /** Drops a kept value. Callers that wait for a load in progress still get its value; later ones get a new one. */
    public void forget(K key) {
        flights.remove(key);
    }

    /**
     * For a load: how long the most patient of those who have asked for it so far still waits; {@code
     * Retry.callWithin(flight::left, ...)} tries as long as that is worth it. Zero when the time of all is over: an
     * interrupt before that means that they have left.
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

    private V outcome(Flight<V> flight) throws ExecutionException {
        if (flight.failure != null) {
            throw new ExecutionException(flight.failure);
        }
        return flight.value;
    }

    /** Null if out of time. */
    private Flight<V> fly(K key, long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        while (true) {
            Flight<V> flight = flights.get(Objects.requireNonNull(key, "key"));
            int state = flight == null ? OVER : flight.state.get();
            if (state == KEPT) {
                return flight;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (end - System.nanoTime() <= 0) {
                return null;
            }
            boolean first = state == OVER;
            if (first) {
                var fresh = new Flight<V>(end);
                fresh.thread = Thread.ofVirtual().inheritInheritableThreadLocals(false)
                        .unstarted(() -> run(key, fresh));
                if (flight == null ? flights.putIfAbsent(key, fresh) != null : !flights.replace(key, flight, fresh)) {
                    continue; // somebody was quicker
                }
                flight = fresh;
            }
            boolean joined = first || flight.join(end);
            waiting.put(Thread.currentThread(), flight);
            try {
                if (first) {
                    start(key, flight);
                } else {
                    refuseRing(key, flight, joined);
                }
                if (!await(flight, joined, end - System.nanoTime())) {
                    return null;
                } else if (joined) {
                    return flight;
                } // else those whom it was for had all left when this thread came
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
    private void refuseRing(K key, Flight<V> flight, boolean joined) {
        Flight<V> next = flight;
        for (int most = waiting.size(); next != null && most >= 0; most--) { // a ring of others is theirs to see
            if (next.thread == Thread.currentThread()) {
                if (joined) {
                    flight.leave();
                }
                throw new IllegalStateException("the load of " + text(key) + " needs " + text(key));
            }
            next = waiting.get(next.thread);
        }
    }

    private void start(K key, Flight<V> flight) {
        try {
            flight.thread.start();
        } catch (Throwable e) { // no memory for it
            flight.failure = e;
            flight.end(false);
            flights.remove(key, flight);
        }
    }

    private void run(K key, Flight<V> flight) {
        try {
            Thread.currentThread().setName("load " + text(key));
            inside.set(flight);
            flight.value = loader.load(key);
        } catch (Throwable e) {
            flight.failure = e;
        }
        flight.end(keep && flight.failure == null);
        if (flight.state.get() == OVER) {
            try {
                flights.remove(key, flight);
            } catch (Throwable e) {
                // the key's own: what is OVER is replaced anyway
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
    // @end region="single-flight"

    public static void main(String[] args) throws Exception {
        var loads = new AtomicInteger();
        var go = new CountDownLatch(1);
        // @start region="use"
        var users = new SingleFlight<Integer, String>(id -> {
            go.await();
            if (loads.incrementAndGet() == 1) {
                throw new IllegalStateException("database down"); // for all who wait now; not kept
            }
            return "user " + id;
        }, true); // keep the values
        // @end region="use"
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<String>>();
            for (int i = 0; i < 1_000; i++) {
                answers.add(executor.submit(() -> users.get(7)));
            }
            while (users.waiters() < 1_000) {
                Thread.sleep(1);
            }
            go.countDown();
            executor.shutdown();
            executor.awaitTermination(1, TimeUnit.MINUTES);
            String answer = answers.getFirst().exceptionNow().getCause().getMessage();
            System.out.println("1,000 callers, loads: " + loads + ", " + answer);
            check(loads.get() == 1, "one load for a thousand callers");
        }
        System.out.println("the failure was not kept: " + users.get(7) + ", " + users.get(7) + ", loads: " + loads);
        check(loads.get() == 2, "the value was");

        var files = new HashMap<String, SingleFlight<String, String>>();
        files.put("all", new SingleFlight<>(name -> files.get("all").get(name.equals("a") ? "b" : "a"), false));
        try {
            files.get("all").get("a");
            check(false, "a needs b needs a");
        } catch (ExecutionException e) {
            System.out.println(e.getCause().getCause().getMessage() + ": told, not a deadlock");
        }
        // @start region="limit"
        var slow = new SingleFlight<Integer, String>(id -> {
            Thread.sleep(60_000); // interrupted when the last caller has left
            return "late";
        }, false);
        try {
            slow.get(7, Duration.ofMillis(20));
            check(false, "nobody waits longer than he wants to");
        } catch (TimeoutException e) {
            System.out.println(e.getMessage() + "; waiting now: " + slow.waiters());
        }
        // @end region="limit"
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
