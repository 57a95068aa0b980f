import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: a dictionary of running tasks, {@code await shield(running[key])}. Final API, JDK 21 and later.
 *
 * <p>Use to load a key once while many ask for it, with or without keeping the value. Do not use {@code
 * ConcurrentHashMap.computeIfAbsent} for a load that blocks: it holds up other keys, on 21 it pins, and recursion into
 * it fails. As a cache it has no bound and no expiry.
 *
 * <p>Run: {@code java examples/state/SingleFlight.java}
 */
public final class SingleFlight<K, V> {

    // @start region="single-flight"
    @FunctionalInterface
    public interface Loader<K, V> {
        V load(K key) throws Exception;
    }

    private static final class Flight<V> {
        final CountDownLatch done = new CountDownLatch(1);
        V value; // written before done, as is the next
        Throwable failure;
        Thread thread; // guarded by lock, as are the next two; null when done
        int waiters;
        boolean cancelled;
    }

    private final Loader<? super K, ? extends V> loader;
    private final boolean keep;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<K, Flight<V>> flights = new HashMap<>(); // guarded by lock: running loads, and kept values
    private final Map<Thread, Flight<V>> waiting = new HashMap<>(); // guarded by lock: who waits for what

    /** @param keep whether a loaded value is kept until {@link #forget}; a failure never is */
    public SingleFlight(Loader<? super K, ? extends V> loader, boolean keep) {
        this.loader = Objects.requireNonNull(loader);
        this.keep = keep;
    }

    /**
     * The value of {@code key}: at most one load of a key runs at a time, and those who ask meanwhile get its outcome.
     * It runs in a virtual thread of its own, without the callers' thread-locals. A caller who is interrupted leaves
     * the others unharmed; the last one to leave interrupts the load and waits for its end. Thread-safe; other keys are
     * never held up.
     *
     * @throws ExecutionException    the load's failure is the cause, one object for all who waited
     * @throws InterruptedException  if interrupted while waiting
     * @throws IllegalStateException in a load that needs its own key, directly or through other keys; only calls from
     *                               the load's own thread are seen, not those of threads that it starts
     */
    public V get(K key) throws InterruptedException, ExecutionException {
        while (true) {
            Flight<V> flight = join(key);
            try {
                flight.done.await();
            } finally {
                leave(flight);
            }
            if (flight.cancelled) {
                continue; // those it was for had all left when this thread came
            }
            if (flight.failure != null) {
                throw new ExecutionException(flight.failure);
            }
            return flight.value;
        }
    }

    /**
     * Drops a kept value. Who waits for a load in progress still gets its value; who asks from now on gets a new one.
     */
    public void forget(K key) {
        lock.lock();
        try {
            flights.remove(key);
        } finally {
            lock.unlock();
        }
    }

    /** How many callers are waiting now, for any key. */
    public int waiters() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    private Flight<V> join(K key) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            Flight<V> flight = flights.get(key);
            if (flight == null) {
                flight = new Flight<>();
                start(key, flight);
                flights.put(key, flight);
            }
            for (var f = flight; f != null; f = waiting.get(f.thread)) {
                if (f.thread == Thread.currentThread()) {
                    throw new IllegalStateException("the load of " + key + " needs " + key);
                }
            }
            flight.waiters++;
            waiting.put(Thread.currentThread(), flight);
            return flight;
        } finally {
            lock.unlock();
        }
    }

    private void leave(Flight<V> flight) {
        Thread abandoned = null;
        lock.lock();
        try {
            if (--flight.waiters == 0 && flight.thread != null) {
                abandoned = flight.thread;
                if (!flight.cancelled) {
                    flight.cancelled = true; // it stays in the map until it has ended: no second load beside it
                    abandoned.interrupt();
                }
            }
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (abandoned != null && abandoned.isAlive()) {
            try {
                abandoned.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        lock.lock();
        try {
            waiting.remove(Thread.currentThread());
        } finally {
            lock.unlock();
        }
    }

    private void start(K key, Flight<V> flight) {
        flight.thread = Thread.ofVirtual().inheritInheritableThreadLocals(false).start(() -> {
            try {
                Thread.currentThread().setName("load " + key);
                flight.value = loader.load(key);
            } catch (Throwable e) {
                flight.failure = e;
            }
            lock.lock();
            try {
                if (!keep || flight.failure != null || flight.cancelled) {
                    flights.remove(key, flight);
                }
                flight.thread = null;
                flight.done.countDown();
            } finally {
                lock.unlock();
            }
        });
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
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
