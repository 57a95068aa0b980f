import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * asyncio: a queue of keys and futures, emptied by one task ({@code aiodataloader.DataLoader}). Final API, JDK 21 and
 * later.
 *
 * <p>Use where many callers each ask for one thing and the other side can answer many in one request: one {@code WHERE
 * id IN (...)} instead of a hundred queries. Do not use where all keys are known beforehand (ask for the list), nor as
 * a cache ({@code LoadingCache}): a key is forgotten when its batch has ended. For several keys of one caller ({@code
 * load_many}), call {@link #loadAsync} for each, then wait for all.
 *
 * <p>Thread-safe. Batches run concurrently, each in its own virtual thread without the callers' thread-locals. What a
 * key's {@code hashCode}, {@code equals} or {@code toString} throws reaches only the callers that ask for that key.
 *
 * <p>Run: {@code java examples/throughput/BatchLoader.java}
 */
public final class BatchLoader<K, V> implements AutoCloseable {

    // More than 150 lines: callers that wait, must not wait, or leave; keys whose code throws.

    // @start region="batch"
    /** What became of one key. */
    public sealed interface Outcome<V> {
        record Success<V>(V value) implements Outcome<V> { }

        /** @param cause if null, a NullPointerException */
        record Failure<V>(Throwable cause) implements Outcome<V> {
            public Failure {
                cause = Objects.requireNonNullElseGet(cause, () -> new NullPointerException("cause"));
            }
        }
    }

    /**
     * Loads the keys: all different, in the order in which they came. Each is looked up in the returned map; a key
     * without an outcome fails.
     */
    @FunctionalInterface
    public interface Query<K, V> {
        Map<K, Outcome<V>> load(List<K> keys) throws Exception;
    }

    private static final class Load<K, V> {
        final K key;
        final AtomicInteger waiters = new AtomicInteger(1); // 0: all have left, nobody can join
        final CountDownLatch done = new CountDownLatch(1);
        Batch<K, V> batch; // guarded by lock
        Outcome<V> outcome; // written before done

        Load(K key) {
            this.key = key;
        }

        boolean join() {
            return done.getCount() > 0 && waiters.getAndUpdate(n -> n == 0 ? 0 : n + 1) > 0;
        }

        void end(Outcome<V> how) {
            if (outcome == null) {
                outcome = how;
                done.countDown();
            }
        }
    }

    private static final class Batch<K, V> {
        final CountDownLatch full = new CountDownLatch(1);
        final List<Load<K, V>> loads = new ArrayList<>(); // guarded by lock until begun
        boolean begun; // guarded by lock
        Thread thread;
    }

    private final int size;
    private final long delayNanos;
    private final Query<K, V> query;
    private final Map<K, Load<K, V>> asked = new ConcurrentHashMap<>(); // keys waiting or being loaded
    private final Set<Thread> running = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock(); // no code of keys runs under it
    private Batch<K, V> filling; // guarded by lock
    private boolean closed; // written under lock

    /**
     * @param size  of a batch, at most
     * @param delay the longest time that a batch's first key waits for others; zero: hardly any join
     */
    public BatchLoader(int size, Duration delay, Query<K, V> query) {
        if (size < 1) {
            throw new IllegalArgumentException("size is " + size + ", must be 1 or more");
        }
        this.size = size;
        Objects.requireNonNull(delay, "delay");
        this.delayNanos = Math.min(TimeUnit.NANOSECONDS.convert(delay), Long.MAX_VALUE / 2);
        this.query = Objects.requireNonNull(query, "query");
    }

    /**
     * Returns the value of {@code key}, loaded in one batch with other callers' keys. A caller that asks for a key that
     * is already waiting or being loaded gets the same outcome. An interrupted caller leaves at once and the batch goes
     * on for the others; a batch that has not begun drops a key that nobody waits for.
     *
     * @throws ExecutionException    this key or the whole query failed; the failure is the cause, the same object for
     *                               all who waited. {@link NoSuchElementException}: no outcome for the key; {@link
     *                               CancellationException}: closed
     * @throws IllegalStateException if closed before the call; or in a query, for a key of its own batch. Two queries
     *                               that wait for each other's keys are not detected
     */
    public V load(K key) throws InterruptedException, ExecutionException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Load<K, V> load = ask(key);
        if (isOfThisQuery(load)) {
            load.waiters.decrementAndGet();
            throw new IllegalStateException("load() of a key of the query's own batch would wait for itself");
        }
        return await(load);
    }

    /**
     * {@link #load} for a caller that must not block: the key is in a batch when this returns. The future fails with
     * the cause of the exception that {@code load} throws. Cancelling it or {@code orTimeout} counts as leaving, once
     * its dependents in that thread have returned. It is completed in its own virtual thread, so its dependents delay
     * nobody.
     */
    public CompletableFuture<V> loadAsync(K key) {
        Load<K, V> load = ask(key);
        var answer = new CompletableFuture<V>();
        var waits = new AtomicBoolean(true); // after that an interrupt would hit a dependent
        Thread waiter = Thread.ofVirtual().name("wait for batch").unstarted(() -> {
            V value = null;
            Throwable failure = null;
            try {
                value = await(load);
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
     * Interrupts the running queries, once, and returns when they have ended; an interrupt during the wait stays in the
     * flag. Callers that still wait fail. A second call waits, too.
     *
     * @throws IllegalStateException if called by a query, which would wait for itself
     */
    @Override
    public void close() {
        if (running.contains(Thread.currentThread())) {
            throw new IllegalStateException("close() called by a query would wait for itself");
        }
        boolean first;
        lock.lock();
        try {
            first = !closed;
            closed = true;
        } finally {
            lock.unlock();
        }
        if (first) {
            running.forEach(Thread::interrupt);
        }
        boolean interrupted = false;
        for (Thread thread : running) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Load<K, V> ask(K key) {
        while (true) {
            Load<K, V> there = asked.get(Objects.requireNonNull(key, "key"));
            if (there != null && there.join()) {
                return there;
            }
            var load = new Load<K, V>(key);
            if (there == null ? asked.putIfAbsent(key, load) == null : asked.replace(key, there, load)) {
                try {
                    enter(load);
                } catch (Throwable e) { // closed, or no memory for a thread
                    load.end(new Outcome.Failure<>(e));
                    forget(load);
                    throw e;
                }
                return load;
            }
        }
    }

    private boolean isOfThisQuery(Load<K, V> load) {
        if (!running.contains(Thread.currentThread())) {
            return false;
        }
        lock.lock();
        try {
            return load.batch != null && load.batch.thread == Thread.currentThread();
        } finally {
            lock.unlock();
        }
    }

    private void enter(Load<K, V> load) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            if (filling == null) {
                var batch = new Batch<K, V>();
                batch.thread = Thread.ofVirtual().inheritInheritableThreadLocals(false).name("batch")
                        .unstarted(() -> run(batch));
                batch.thread.start();
                running.add(batch.thread);
                filling = batch;
            }
            Batch<K, V> batch = filling;
            batch.loads.add(load);
            load.batch = batch;
            if (batch.loads.size() == size) {
                filling = null;
                batch.full.countDown();
            }
        } finally {
            lock.unlock();
        }
    }

    private V await(Load<K, V> load) throws InterruptedException, ExecutionException {
        try {
            load.done.await();
        } catch (InterruptedException e) {
            if (load.waiters.decrementAndGet() == 0) {
                leave(load);
            }
            throw e;
        }
        return switch (load.outcome) {
            case Outcome.Success<V>(V value) -> value;
            case Outcome.Failure<V>(Throwable cause) -> throw new ExecutionException(cause);
        };
    }

    private void leave(Load<K, V> load) {
        lock.lock();
        try {
            if (load.batch.begun || !load.batch.loads.remove(load)) {
                return;
            }
        } finally {
            lock.unlock();
        }
        forget(load);
    }

    private void forget(Load<K, V> load) {
        try {
            asked.remove(load.key, load);
        } catch (Throwable e) {
            // the key's own code: a load that has ended, or that all have left, is in nobody's way
        }
    }

    private void run(Batch<K, V> batch) {
        List<Load<K, V>> loads = List.of();
        Throwable failure = null;
        Map<K, Outcome<V>> answer = Map.of();
        try {
            batch.full.await(delayNanos, TimeUnit.NANOSECONDS);
            loads = begin(batch);
            List<K> keys = loads.stream().map(load -> load.key).toList();
            answer = keys.isEmpty() ? answer : Objects.requireNonNull(query.load(keys), "the query returned null");
        } catch (Throwable e) {
            failure = e;
        }
        try {
            lock.lock();
            try {
                begin(batch); // if interrupted before
                failure = closed ? new CancellationException("closed") : failure; // told to stop, it has no result
            } finally {
                lock.unlock();
            }
            for (var load : batch.loads) {
                load.end(failure != null ? new Outcome.Failure<>(failure) : outcome(answer, load.key));
            }
        } finally {
            for (var load : batch.loads) { // by object: what a key does concerns its own callers
                load.end(new Outcome.Failure<>(new IllegalStateException("the batch ended without an outcome")));
                forget(load);
            }
            running.remove(batch.thread);
        }
    }

    private static <K, V> Outcome<V> outcome(Map<K, Outcome<V>> answer, K key) {
        try {
            Outcome<V> outcome = answer.get(key);
            return outcome != null ? outcome
                    : new Outcome.Failure<>(new NoSuchElementException("no outcome for " + key));
        } catch (Throwable e) {
            return new Outcome.Failure<>(e);
        }
    }

    private List<Load<K, V>> begin(Batch<K, V> batch) {
        lock.lock();
        try {
            batch.begun = true;
            if (filling == batch) {
                filling = null;
            }
            return batch.loads.stream().filter(load -> load.waiters.get() > 0).toList();
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
        // @start region="async"
        try (var titles = new BatchLoader<Integer, String>(100, Duration.ofMillis(5), BatchLoader::titles)) {
            var page = IntStream.range(0, 3).mapToObj(titles::loadAsync).toList(); // does not block
            CompletableFuture.allOf(page.toArray(CompletableFuture[]::new)).thenRun(
                    () -> System.out.println("page: " + page.stream().map(CompletableFuture::join).toList())).join();
        }
        // @end region="async"
        System.out.println("1,000 callers, 250 keys: " + queries + " queries; failed: the " + failed
                + " callers of key 13");
        check(queries.get() < 250 && failed == 4, "few queries, and a failing key fails alone");
        check(answers.get(999).get().equals("user 249"), "each caller gets the value of its key");
    }

    private static Map<Integer, Outcome<String>> titles(List<Integer> ids) {
        return ids.stream().collect(Collectors.toMap(id -> id, id -> new Outcome.Success<>("title " + id)));
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
