import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code Queue(maxsize)} with {@code join}, {@code task_done} and {@code shutdown} (3.13). Final API, JDK 21
 * and later.
 *
 * <p>Use for work that some threads produce and others handle: a full queue makes producers wait, {@link #close} lets
 * consumers finish what is queued without poison pills, and a failed consumer's item goes to another consumer. Do not
 * use where a failing job should be reported and the next one started ({@code JobQueue}), for several steps ({@code
 * Pipeline}), to map a collection ({@code BoundedGather}), or to show every item to every reader ({@code
 * BackpressureStream}).
 *
 * <p>Thread-safe; first in, first out. Every wait is interruptible, and a call that throws has put or taken nothing.
 * The capacity is 1 to {@code Integer.MAX_VALUE}: there is no unbounded queue, and none without room. Items are not
 * null: {@link #close} marks the end, not a {@code None}.
 *
 * <p>Long because the queue has every way to wait, and consumers that give items back.
 *
 * <p>Run: {@code java examples/queues/WorkQueue.java}
 */
public final class WorkQueue<T> implements AutoCloseable {

    /**
     * Handles one item. Catch what concerns only that item: throwing ends the consumer, and another one gets the item.
     */
    @FunctionalInterface
    public interface Handler<T> {
        void handle(T item) throws Exception;
    }

    /** The queue accepts no more items, or has none left: {@code asyncio.QueueShutDown}. */
    public static final class ClosedException extends IllegalStateException {
        private static final long serialVersionUID = 1;
    }

    private static final long FOREVER = Long.MAX_VALUE / 2;

    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition notFull = lock.newCondition();
    private final Condition notEmpty = lock.newCondition();
    private final Condition allDone = lock.newCondition();
    private final ArrayDeque<T> queued = new ArrayDeque<>();
    private int inHand; // taken, and neither done nor handed back
    private boolean closed;
    private boolean stopped; // implies closed

    public WorkQueue(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity);
        }
        this.capacity = capacity;
    }

    /** Waits for room. @throws ClosedException if the queue is closed, even while waiting */
    public void put(T item) throws InterruptedException {
        insert(item, FOREVER);
    }

    /**
     * Waits at most {@code limit} for room (zero: not at all); returns false if the queue is still full.
     *
     * @throws ClosedException as {@link #put}
     */
    public boolean offer(T item, Duration limit) throws InterruptedException {
        return insert(item, nanos(limit));
    }

    /** {@code put_nowait}: never waits, ignores interrupts; false if full. @throws ClosedException as {@link #put} */
    public boolean offer(T item) {
        Objects.requireNonNull(item, "item");
        lock.lock();
        try {
            if (!hasRoom()) {
                return false;
            }
            add(item);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for an item; follow it with {@link #done}.
     *
     * @throws ClosedException if the queue is closed and nothing is queued
     */
    public T take() throws InterruptedException {
        return next(FOREVER);
    }

    /**
     * {@code wait_for(queue.get(), limit)}: waits at most {@code limit} (zero: not at all); null if nothing came.
     * Follow an item with {@link #done}. No item is lost at the limit.
     *
     * @throws ClosedException as {@link #take}
     */
    public T poll(long limit, TimeUnit unit) throws InterruptedException {
        return next(Math.min(unit.toNanos(limit), FOREVER - 1));
    }

    /**
     * {@code get_nowait}: never waits, ignores interrupts; null if nothing is queued. @throws ClosedException as {@link
     * #take}
     */
    public T poll() {
        lock.lock();
        try {
            return isEmpty() ? null : remove();
        } finally {
            lock.unlock();
        }
    }

    /** {@code qsize}: how many items are queued, not counting those in hand; may have changed when this returns. */
    public int size() {
        lock.lock();
        try {
            return queued.size();
        } finally {
            lock.unlock();
        }
    }

    private static long nanos(Duration limit) {
        return Math.min(TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(limit, "limit")), FOREVER - 1);
    }

    private boolean insert(T item, long nanos) throws InterruptedException {
        Objects.requireNonNull(item, "item"); // first: a waiter that is woken and throws would leave the others asleep
        lock.lockInterruptibly();
        try {
            while (!hasRoom()) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = await(notFull, nanos);
            }
            add(item);
            return true;
        } finally {
            lock.unlock();
        }
    }

    private T next(long nanos) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (isEmpty()) {
                if (nanos <= 0) {
                    return null;
                }
                nanos = await(notEmpty, nanos);
            }
            return remove();
        } finally {
            lock.unlock();
        }
    }

    private static long await(Condition condition, long nanos) throws InterruptedException {
        if (nanos < FOREVER) {
            return condition.awaitNanos(nanos);
        }
        condition.await(); // sets no timer
        return FOREVER;
    }

    private boolean hasRoom() {
        if (closed) {
            throw new ClosedException();
        }
        return queued.size() < capacity;
    }

    private void add(T item) {
        queued.addLast(item);
        notEmpty.signal();
    }

    private boolean isEmpty() {
        if (stopped || closed && queued.isEmpty()) {
            throw new ClosedException();
        }
        return queued.isEmpty();
    }

    private T remove() {
        inHand++;
        notFull.signal();
        return queued.pollFirst();
    }

    /**
     * {@code task_done()}: reports a taken item as handled.
     *
     * @throws IllegalStateException if called more often than {@link #take} and {@link #poll} returned an item
     */
    public void done() {
        letGo(null);
    }

    private void letGo(T handedBack) {
        lock.lock();
        try {
            if (inHand == 0) {
                throw new IllegalStateException("done() without take()");
            }
            inHand--;
            if (handedBack != null) {
                queued.addFirst(handedBack);
                notEmpty.signal();
            } else if (inHand == 0 && queued.isEmpty()) {
                allDone.signalAll();
                if (closed) {
                    notEmpty.signalAll(); // consumers waited for what might be handed back
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits until every item is done. @throws ClosedException if {@link #closeNow} was called first */
    public void join() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!stopped && (inHand > 0 || !queued.isEmpty())) {
                allDone.await();
            }
            if (stopped) {
                throw new ClosedException();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * {@code shutdown()}: nothing more is put, not even by waiting producers; what is queued will be handled. Does not
     * wait. It takes no reason: if you close because of a failure, keep it where the consumers look.
     */
    @Override
    public void close() {
        shutdown(false);
    }

    /**
     * {@code shutdown(immediate=True)}: nothing more is put or taken. Returns the items that nobody is handling; a
     * second call after the consumers have ended returns what they gave back, in the order of their failures. Does not
     * wait, interrupts nobody.
     */
    public List<T> closeNow() {
        lock.lock();
        try {
            shutdown(true);
            var left = List.copyOf(queued);
            queued.clear();
            return left;
        } finally {
            lock.unlock();
        }
    }

    private void shutdown(boolean now) {
        lock.lock();
        try {
            closed = true;
            stopped |= now;
            notFull.signalAll();
            notEmpty.signalAll();
            allDone.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // @start region="consume"
    /**
     * Handles items in {@code consumers} virtual threads until the queue is closed and every item is done; the threads
     * have ended when it returns. A consumer whose handler throws ends, and its item goes to the front of the queue: no
     * item is lost, one may be started twice. An interrupt from elsewhere reaches a running handler; a waiting consumer
     * ignores it.
     *
     * @return the failures of the consumers whose items others took over
     * @throws ExecutionException   every consumer failed: the first failure is the cause, the others are suppressed
     * @throws InterruptedException the caller was interrupted, and each consumer once; what else they threw is
     *                              suppressed. After either exception the queue is stopped, so no {@code put} hangs,
     *                              and {@link #closeNow} returns all that is not done
     */
    public List<Throwable> consume(int consumers, Handler<? super T> handler)
            throws InterruptedException, ExecutionException {
        if (consumers < 1) {
            throw new IllegalArgumentException("consumers " + consumers);
        }
        Objects.requireNonNull(handler, "handler");
        var failures = new ConcurrentLinkedQueue<Throwable>();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < consumers; i++) {
            threads.add(Thread.ofVirtual().name("consumer-" + i).unstarted(() -> work(handler, failures)));
        }
        boolean ended = false;
        try {
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            ended = true;
        } catch (InterruptedException e) {
            stop(threads);
            failures.stream().filter(failure -> !(failure instanceof InterruptedException)).forEach(e::addSuppressed);
            ended = true;
            throw e;
        } finally {
            if (!ended) { // no memory for a thread
                stop(threads);
            }
        }
        if (failures.size() == consumers) {
            shutdown(true);
            var failure = new ExecutionException(failures.poll());
            failures.forEach(failure::addSuppressed);
            throw failure;
        }
        return List.copyOf(failures);
    }

    private void stop(List<Thread> threads) {
        shutdown(true);
        threads.forEach(Thread::interrupt);
        boolean interrupted = false;
        for (Thread thread : threads) {
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

    private void work(Handler<? super T> handler, Queue<Throwable> failures) {
        for (T item = turn(false); item != null; item = turn(true)) {
            try {
                handler.handle(item);
            } catch (Throwable failure) {
                failures.add(failure);
                letGo(item);
                return;
            }
        }
    }

    /** Null: closed, nothing queued, and nothing that might be handed back either. */
    private T turn(boolean handled) {
        lock.lock();
        try {
            if (handled) {
                letGo(null); // in the same turn of the lock
            }
            while (!stopped && queued.isEmpty() && !(closed && inHand == 0)) {
                notEmpty.awaitUninterruptibly(); // stop() wakes it before it interrupts
            }
            if (stopped || queued.isEmpty()) {
                return null;
            }
            Thread.interrupted(); // meant for an item before, for stop() has not come
            return remove();
        } finally {
            lock.unlock();
        }
    }
    // @end region="consume"

    public static void main(String[] args) throws Exception {
        var handled = ConcurrentHashMap.<Integer>newKeySet();
        var healthy = new AtomicBoolean(true);
        var queue = new WorkQueue<Integer>(10);
        Thread.startVirtualThread(() -> {
            // waits for them, then closes the queue
            try (queue; var producers = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int producer = 0; producer < 3; producer++) {
                    int first = producer * 1_000;
                    producers.submit(() -> { // blocking-ok: put() fails only once the queue is closed
                        for (int item = first; item < first + 1_000; item++) {
                            queue.put(item);
                        }
                        return null;
                    });
                }
            }
        });
        // @start region="pipeline"
        List<Throwable> failures = queue.consume(4, item -> {
            if (item == 1_500 && healthy.compareAndSet(true, false)) {
                throw new IllegalStateException(Thread.currentThread().getName() + " with item 1500 in hand");
            }
            handled.add(item);
        });
        // returns when queue is closed and all is done
        // @end region="pipeline"
        System.out.println(handled.size() + " of 3000 items handled; failed meanwhile: " + failures);
        check(handled.size() == 3_000 && failures.size() == 1, "no item is lost with its consumer");

        var doomed = new WorkQueue<String>(2);
        doomed.put("a");
        doomed.put("b");
        check(!doomed.offer("c") && !doomed.offer("c", Duration.ofMillis(20)), "a full queue refuses, or makes wait");
        try {
            doomed.consume(2, item -> {
                throw new IllegalStateException("no consumer can handle " + item);
            });
            check(false, "the failure of all consumers is thrown");
        } catch (ExecutionException e) {
            List<String> left = doomed.closeNow();
            System.out.println(e.getCause().getMessage() + "; not done: " + left);
            check(left.size() == 2, "what was not handled is returned");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
