import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * asyncio: a queue of keys and futures, emptied by one task ({@code aiodataloader.DataLoader}). Final API, JDK 21 and
 * later.
 *
 * <p>Use where many threads ask for one thing each and the other side answers many at once: one {@code WHERE id IN
 * (...)} for a hundred queries. Do not use where all keys are known beforehand (ask for the list), nor as a cache
 * ({@code WeakCache}): a key is forgotten when its batch has ended.
 *
 * <p>Thread-safe. Batches run at the same time, each in a virtual thread of its own, without the callers'
 * thread-locals.
 *
 * <p>Run: {@code java examples/throughput/BatchLoader.java}
 */
public final class BatchLoader<K, V> implements AutoCloseable {

    // @start region="batch"
    /** What became of one key. */
    public sealed interface Outcome<V> {
        record Success<V>(V value) implements Outcome<V> { }

        record Failure<V>(Throwable cause) implements Outcome<V> { }
    }

    /** Loads the keys, no two of which are equal, in the order in which they came. A key without an outcome fails. */
    @FunctionalInterface
    public interface Query<K, V> {
        Map<K, Outcome<V>> load(List<K> keys) throws Exception;
    }

    private static final class Load<V> {
        final CountDownLatch done = new CountDownLatch(1);
        Outcome<V> outcome; // written before done
        int waiters; // guarded by lock
    }

    private static final class Batch<K, V> {
        final CountDownLatch full = new CountDownLatch(1);
        final Map<K, Load<V>> loads = new LinkedHashMap<>(); // guarded by lock until begun
        boolean begun; // guarded by lock
    }

    private final int size;
    private final long delayNanos;
    private final Query<K, V> query;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().inheritInheritableThreadLocals(false).name("batch-", 0).factory());
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<K, Batch<K, V>> asked = new HashMap<>(); // guarded by lock: keys waiting or being loaded
    private Batch<K, V> filling; // guarded by lock
    private volatile boolean closed;

    /**
     * @param size  of a batch, at most
     * @param delay that the first key of a batch waits for more, at most; zero: hardly any more come
     */
    public BatchLoader(int size, Duration delay, Query<K, V> query) {
        if (size < 1) {
            throw new IllegalArgumentException("size is " + size + ", must be 1 or more");
        }
        this.size = size;
        this.delayNanos = Math.min(TimeUnit.NANOSECONDS.convert(delay), Long.MAX_VALUE / 2);
        this.query = Objects.requireNonNull(query);
    }

    /**
     * The value of {@code key}, loaded in one batch with the keys that others ask for. Who asks for a key that is
     * waiting or being loaded gets the same outcome. A caller who is interrupted leaves at once and the batch goes on
     * for the others; a key that nobody waits for any more is left out of a batch that has not begun.
     *
     * @throws ExecutionException    this key failed, or the whole query did: that is the cause, one object for all
     *                               who waited. {@link NoSuchElementException}: the query said nothing of the key;
     *                               {@link CancellationException}: closed
     * @throws IllegalStateException closed before
     */
    public V load(K key) throws InterruptedException, ExecutionException {
        Batch<K, V> batch;
        Load<V> load;
        lock.lockInterruptibly();
        try {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            batch = asked.get(key);
            if (batch == null) {
                batch = join(Objects.requireNonNull(key));
            }
            load = batch.loads.get(key);
            load.waiters++;
        } finally {
            lock.unlock();
        }
        try {
            load.done.await();
        } catch (InterruptedException e) {
            leave(key, batch, load);
            throw e;
        }
        return switch (load.outcome) {
            case Outcome.Success<V>(V value) -> value;
            case Outcome.Failure<V>(Throwable cause) -> throw new ExecutionException(cause);
        };
    }

    /**
     * Interrupts the running queries and returns when they have ended; not to be called from one. Who still waits
     * fails. Idempotent.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        executor.shutdownNow();
        executor.close();
    }

    private Batch<K, V> join(K key) {
        if (filling == null) {
            var batch = new Batch<K, V>();
            executor.execute(() -> run(batch));
            filling = batch;
        }
        Batch<K, V> batch = filling;
        batch.loads.put(key, new Load<>());
        asked.put(key, batch);
        if (batch.loads.size() == size) {
            filling = null;
            batch.full.countDown();
        }
        return batch;
    }

    private void leave(K key, Batch<K, V> batch, Load<V> load) {
        lock.lock();
        try {
            if (--load.waiters == 0 && !batch.begun) {
                batch.loads.remove(key);
                asked.remove(key);
            }
        } finally {
            lock.unlock();
        }
    }

    private void run(Batch<K, V> batch) {
        Function<K, Outcome<V>> outcomes;
        try {
            batch.full.await(delayNanos, TimeUnit.NANOSECONDS);
            List<K> keys = begin(batch);
            Map<K, Outcome<V>> answer = keys.isEmpty() ? Map.of() : new HashMap<>(query.load(keys));
            outcomes = key -> answer.get(key) != null ? answer.get(key)
                    : new Outcome.Failure<>(new NoSuchElementException("no outcome for " + key));
        } catch (Throwable e) {
            outcomes = key -> new Outcome.Failure<>(e);
        }
        if (closed) {
            var cause = new CancellationException("closed"); // told to stop, a query has no result any more
            outcomes = key -> new Outcome.Failure<>(cause);
        }
        lock.lock();
        try {
            begin(batch); // if interrupted before
            asked.keySet().removeAll(batch.loads.keySet());
        } finally {
            lock.unlock();
        }
        for (var load : batch.loads.entrySet()) {
            load.getValue().outcome = outcomes.apply(load.getKey());
            load.getValue().done.countDown();
        }
    }

    private List<K> begin(Batch<K, V> batch) {
        lock.lock();
        try {
            batch.begun = true;
            if (filling == batch) {
                filling = null;
            }
            return List.copyOf(batch.loads.keySet());
        } finally {
            lock.unlock();
        }
    }
    // @end region="batch"

    public static void main(String[] args) throws Exception {
        var queries = new AtomicInteger();
        // @start region="use"
        var users = new BatchLoader<Integer, String>(100, Duration.ofMillis(5), ids -> {
            queries.incrementAndGet(); // SELECT ... WHERE id IN (ids)
            return ids.stream().collect(Collectors.toMap(id -> id, id -> id == 13
                    ? new Outcome.Failure<>(new IllegalStateException("row 13 is broken"))
                    : new Outcome.Success<>("user " + id)));
        });
        // @end region="use"
        var answers = new ArrayList<Future<String>>();
        try (users; var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i : IntStream.range(0, 1_000).toArray()) {
                answers.add(executor.submit(() -> users.load(i % 250)));
            }
        }
        long failed = answers.stream().filter(answer -> answer.state() == Future.State.FAILED).count();
        System.out.println("1,000 callers, 250 keys: " + queries + " queries; failed: the " + failed + " callers of key 13");
        check(queries.get() < 250 && failed == 4, "few queries, and a failing key fails alone");
        check(answers.get(999).get().equals("user 249"), "each caller gets the value of its key");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
