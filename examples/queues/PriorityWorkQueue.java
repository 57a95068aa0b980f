import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code PriorityQueue(maxsize)} with {@code join} and {@code shutdown} (3.13), and {@code LifoQueue}. Final
 * API, JDK 21 and later.
 *
 * <p>Use for work of different urgency when producers must not outrun consumers: bounded, first in first out among
 * equals. {@code PriorityBlockingQueue} is unbounded (its {@code put} never waits), returns equals in any order and
 * cannot be closed. For last in first out, put with a falling counter. Do not use without priorities ({@code
 * WorkQueue}), or to delay ({@code DelayQueue}).
 *
 * <p>Thread-safe; every wait is interruptible, and a call that throws has put or taken nothing. A priority is a number,
 * read once: none of your code runs under the lock. Two limits: urgent items do not overtake others that wait for room
 * (size the queue for peaks, or {@link #offer}), and the least urgent may wait forever (lower their number with age
 * when you put them).
 *
 * <p>Run: {@code java examples/queues/PriorityWorkQueue.java}
 */
public final class PriorityWorkQueue<T> implements AutoCloseable {

    // More than 150 lines: every way to wait that WorkQueue has, and each file stands alone.

    /** The queue accepts no more items, or is closed and empty: {@code asyncio.QueueShutDown}. */
    public static final class ClosedException extends IllegalStateException {
        private static final long serialVersionUID = 1;
    }

    // @start region="ties"
    private record Entry<T>(long priority, long arrival, T item) implements Comparable<Entry<T>> {
        @Override
        public int compareTo(Entry<T> other) {
            int order = Long.compare(priority, other.priority);
            return order != 0 ? order : Long.compare(arrival, other.arrival); // first in, first out among equals
        }
    }
    // @end region="ties"

    private static final long FOREVER = Long.MAX_VALUE / 2;

    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition notFull = lock.newCondition();
    private final Condition notEmpty = lock.newCondition();
    private final PriorityQueue<Entry<T>> queued = new PriorityQueue<>();
    private final Condition allDone = lock.newCondition();
    private long arrivals;
    private int inHand; // taken and not done
    private boolean closed;
    private boolean stopped; // implies closed

    public PriorityWorkQueue(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity);
        }
        this.capacity = capacity;
    }

    /**
     * Waits for room; the lowest {@code priority} is taken first.
     *
     * @throws ClosedException if the queue is closed, even while waiting
     */
    public void put(long priority, T item) throws InterruptedException {
        insert(priority, item, FOREVER);
    }

    /**
     * Waits at most {@code limit} for room (zero: not at all); returns false if the queue is still full.
     *
     * @throws ClosedException as {@link #put}
     */
    public boolean offer(long priority, T item, Duration limit) throws InterruptedException {
        return insert(priority, item, nanos(limit));
    }

    /** {@code put_nowait}: never waits, ignores interrupts; false if full. @throws ClosedException as {@link #put} */
    public boolean offer(long priority, T item) {
        Objects.requireNonNull(item, "item");
        lock.lock();
        try {
            if (!hasRoom()) {
                return false;
            }
            add(priority, item);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the most urgent item; follow it with {@link #done} if somebody calls {@link #join}.
     *
     * @throws ClosedException if the queue is closed and empty
     */
    public T take() throws InterruptedException {
        return next(FOREVER);
    }

    /** {@link #take} that waits at most {@code limit} (zero: not at all); null if nothing came. */
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

    private boolean insert(long priority, T item, long nanos) throws InterruptedException {
        Objects.requireNonNull(item, "item"); // first: a waiter that is woken and throws would leave the others asleep
        lock.lockInterruptibly();
        try {
            while (!hasRoom()) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = await(notFull, nanos);
            }
            add(priority, item);
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

    private void add(long priority, T item) {
        queued.add(new Entry<>(priority, arrivals++, item));
        notEmpty.signal();
    }

    private boolean isEmpty() {
        if (closed && queued.isEmpty()) {
            throw new ClosedException();
        }
        return queued.isEmpty();
    }

    private T remove() {
        inHand++;
        notFull.signal();
        return queued.remove().item();
    }

    /** {@code task_done()}. @throws IllegalStateException if called more often than items were taken */
    public void done() {
        lock.lock();
        try {
            if (inHand == 0) {
                throw new IllegalStateException("done() without take()");
            }
            if (--inHand == 0 && queued.isEmpty()) {
                allDone.signalAll();
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

    /** {@code shutdown()}: no more puts, not even by waiting producers; what is queued can be taken. Does not wait. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            notFull.signalAll();
            notEmpty.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** {@code shutdown(immediate=True)}: closes, and returns what was queued, the most urgent first. Does not wait. */
    public List<T> closeNow() {
        lock.lock();
        try {
            close();
            stopped = true;
            allDone.signalAll();
            var left = new ArrayList<T>();
            while (!queued.isEmpty()) {
                left.add(queued.remove().item());
            }
            return left;
        } finally {
            lock.unlock();
        }
    }

    public static void main(String[] args) throws Exception {
        var queue = new PriorityWorkQueue<String>(4);
        queue.put(5, "report a");
        queue.put(5, "report b");
        queue.put(1, "alarm");
        queue.put(5, "report c");
        check(!queue.offer(0, "second alarm") && queue.size() == 4,
                "full: the urgent wait at the door like everyone");

        var taken = new ArrayList<String>();
        Thread consumer = Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    taken.add(queue.take());
                    queue.done();
                }
            } catch (ClosedException | InterruptedException e) {
                taken.add("end");
            }
        });
        queue.join();
        queue.close();
        consumer.join();
        System.out.println(taken);
        check(taken.equals(List.of("alarm", "report a", "report b", "report c", "end")),
                "urgent first, equals in order, then the end");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
