import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code PriorityQueue(maxsize)} with {@code shutdown} (3.13). Final API, JDK 21 and later.
 *
 * <p>Use for work of different urgency when producers must not outrun consumers: bounded, first in first out among equals.
 * {@code PriorityBlockingQueue} is unbounded (its {@code put} never waits), gives out equals in any order and cannot be
 * closed. Do not use without priorities ({@code WorkQueue}), or to delay ({@code DelayQueue}).
 *
 * <p>Thread-safe; every wait is interruptible, and a call that throws has put or taken nothing. A priority is a number,
 * read once: no comparator of yours runs under the lock. Two things it does not do: the urgent do not overtake at the door
 * of a full queue (size it for the rush, or {@link #offer}), and the least urgent may wait for ever (lower their number
 * with age when you put them).
 *
 * <p>Run: {@code java examples/queues/PriorityWorkQueue.java}
 */
public final class PriorityWorkQueue<T> implements AutoCloseable {

    /** The queue takes no more items, or is closed and empty: {@code asyncio.QueueShutDown}. */
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

    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition notFull = lock.newCondition();
    private final Condition notEmpty = lock.newCondition();
    private final PriorityQueue<Entry<T>> queued = new PriorityQueue<>();
    private long arrivals;
    private boolean closed;

    public PriorityWorkQueue(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity);
        }
        this.capacity = capacity;
    }

    /**
     * Waits for room; the lowest {@code priority} is taken first.
     *
     * @throws ClosedException if the queue is closed, also while waiting
     */
    public void put(long priority, T item) throws InterruptedException {
        Objects.requireNonNull(item); // first: a waiter that is woken and then throws would leave the others asleep
        lock.lockInterruptibly();
        try {
            while (!closed && queued.size() >= capacity) {
                notFull.await();
            }
            add(priority, item);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for room for {@code limit} at most (zero: not at all); false: still full.
     *
     * @throws ClosedException as {@link #put}
     */
    public boolean offer(long priority, T item, Duration limit) throws InterruptedException {
        Objects.requireNonNull(item);
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(limit), Long.MAX_VALUE / 2);
        lock.lockInterruptibly();
        try {
            while (!closed && queued.size() >= capacity) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = notFull.awaitNanos(nanos);
            }
            add(priority, item);
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void add(long priority, T item) {
        if (closed) {
            throw new ClosedException();
        }
        queued.add(new Entry<>(priority, arrivals++, item));
        notEmpty.signal();
    }

    /** Waits for the most urgent item. @throws ClosedException if the queue is closed and empty */
    public T take() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (queued.isEmpty()) {
                if (closed) {
                    throw new ClosedException();
                }
                notEmpty.await();
            }
            notFull.signal();
            return queued.remove().item();
        } finally {
            lock.unlock();
        }
    }

    /** {@code shutdown()}: nothing more is put, also by those waiting to; what is queued can be taken. Does not wait. */
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
        check(!queue.offer(0, "second alarm", Duration.ofMillis(20)),
                "full: the urgent wait at the door like everyone");

        var taken = new ArrayList<String>();
        Thread consumer = Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    taken.add(queue.take());
                }
            } catch (ClosedException | InterruptedException e) {
                taken.add("end");
            }
        });
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
