import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: one source, a bounded {@code Queue} for each subscriber. Final API, JDK 21 and later.
 *
 * <p>Use to show every item to several readers of different speeds, each with a buffer and a rule for when it is full.
 * Do not use to distribute work ({@code WorkQueue}), for one reader ({@code Generator}), or where you need a {@code
 * Flow.Publisher} ({@code SubmissionPublisher}, with your own executor: on two processors its default is a single
 * thread from JDK 25 on).
 *
 * <p>Thread-safe. All subscribers see the items in the same order. Each subscriber reads in its own thread, so none of
 * your code runs in the publisher's thread or under a lock. Only {@link WhenFull#BLOCK} lets a slow subscriber delay
 * the source, and so the others.
 *
 * <p>Run: {@code java examples/queues/BackpressureStream.java}
 */
public final class BackpressureStream<T> implements AutoCloseable {

    // More than 150 lines: four rules for a full buffer.

    /** What happens to an item when a subscriber's buffer is full. */
    public enum WhenFull {
        /** The source waits: nothing is lost, and all are as slow as the slowest. */
        BLOCK,
        /** The subscriber loses the oldest item; with a capacity of 1 it sees only the latest. */
        DROP_OLDEST,
        /** The subscriber loses the new item. */
        DROP_NEWEST,
        /**
         * The subscriber is cut off: it reads what is buffered, without a gap, then {@link SlowSubscriberException}.
         */
        FAIL
    }

    public static final class SlowSubscriberException extends IllegalStateException {
        private static final long serialVersionUID = 1;
    }

    // held while waiting for a subscriber: other publishers queue up
    private final ReentrantLock publishing = new ReentrantLock();
    private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
    private final AtomicReference<Optional<Throwable>> end = new AtomicReference<>();

    /** Buffers items for the new subscriber from now on. If the stream has ended, it sees only the end. */
    public Subscription subscribe(int capacity, WhenFull whenFull) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity);
        }
        var subscription = new Subscription(capacity, Objects.requireNonNull(whenFull, "whenFull"));
        subscriptions.add(subscription);
        if (end.get() != null) {
            subscription.end(end.get());
            subscriptions.remove(subscription); // or an ended stream would keep all who ask
        }
        return subscription;
    }

    // @start region="publish"
    /**
     * Gives {@code item} to all: first to those that never block, then to those that do, waiting if necessary.
     *
     * @throws InterruptedException  interrupted while waiting: subscribers without room have missed the item; do not
     *                               publish it again
     * @throws IllegalStateException the stream has ended, perhaps while waiting: subscribers that have not got the item
     *         miss it
     */
    public void publish(T item) throws InterruptedException {
        Objects.requireNonNull(item, "item");
        publishing.lockInterruptibly();
        try {
            if (end.get() != null) {
                throw new IllegalStateException("stream has ended");
            }
            boolean missed = false;
            for (var subscription : subscriptions) {
                if (subscription.whenFull != WhenFull.BLOCK) {
                    missed |= !subscription.accept(item);
                }
            }
            InterruptedException interrupted = null;
            for (var subscription : subscriptions) {
                if (subscription.whenFull == WhenFull.BLOCK) {
                    try {
                        if (interrupted == null) {
                            subscription.awaitRoom();
                        }
                    } catch (InterruptedException e) {
                        interrupted = e;
                    }
                    missed |= !subscription.accept(item);
                }
            }
            if (interrupted != null) {
                throw interrupted;
            }
            if (missed) {
                throw new IllegalStateException("stream has ended");
            }
        } finally {
            publishing.unlock();
        }
    }
    // @end region="publish"

    /** Ends the stream: subscribers read what is buffered, then an empty item. Does not wait. */
    @Override
    public void close() {
        end(null);
    }

    /**
     * Ends the stream with a failure: subscribers read what is buffered, then an ExecutionException with this cause.
     * Does not wait.
     */
    public void fail(Throwable cause) {
        end(Objects.requireNonNull(cause, "cause"));
    }

    private void end(Throwable cause) {
        end.compareAndSet(null, Optional.ofNullable(cause));
        for (var subscription : subscriptions) {
            subscription.end(end.get());
        }
    }

    /**
     * One reader's buffer. A reader that stops early must close it: with BLOCK the source would wait for it forever.
     * Thread-safe.
     */
    public final class Subscription implements AutoCloseable {
        private final int capacity;
        private final WhenFull whenFull;
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition notEmpty = lock.newCondition();
        private final Condition notFull = lock.newCondition();
        private final ArrayDeque<T> buffer = new ArrayDeque<>();
        private Optional<Throwable> over; // not null: nothing more is buffered
        private boolean gone; // left, or cut off, before the end of the stream
        private long dropped;

        private Subscription(int capacity, WhenFull whenFull) {
            this.capacity = capacity;
            this.whenFull = whenFull;
        }

        /**
         * Waits for the next item; empty if the stream has ended or this subscription is closed.
         *
         * @throws ExecutionException   the cause is the stream's failure, or a {@link SlowSubscriberException}
         * @throws InterruptedException nothing was taken
         */
        public Optional<T> take() throws InterruptedException, ExecutionException {
            lock.lockInterruptibly();
            try {
                while (buffer.isEmpty() && over == null) {
                    notEmpty.await();
                }
                if (!buffer.isEmpty()) {
                    notFull.signal();
                    return Optional.of(buffer.poll());
                }
                if (over.isPresent()) {
                    throw new ExecutionException(over.get());
                }
                return Optional.empty();
            } finally {
                lock.unlock();
            }
        }

        /** How many items this subscriber has missed so far. */
        public long dropped() {
            lock.lock();
            try {
                return dropped;
            } finally {
                lock.unlock();
            }
        }

        /** Leaves: a source that waits for this subscriber goes on; buffered items are discarded. Does not wait. */
        @Override
        public void close() {
            subscriptions.remove(this);
            lock.lock();
            try {
                gone = true;
                end(Optional.empty());
                buffer.clear();
            } finally {
                lock.unlock();
            }
        }

        private void end(Optional<Throwable> how) {
            lock.lock();
            try {
                over = over == null ? how : over;
                notEmpty.signalAll();
                notFull.signalAll();
            } finally {
                lock.unlock();
            }
        }

        private void awaitRoom() throws InterruptedException {
            lock.lockInterruptibly();
            try {
                while (buffer.size() >= capacity && over == null) {
                    notFull.await();
                }
            } finally {
                lock.unlock();
            }
        }

        /** False: missed because the stream ended meanwhile. */
        private boolean accept(T item) {
            lock.lock();
            try {
                if (gone) {
                    return true;
                }
                if (end.get() != null) {
                    dropped++;
                    return false;
                }
                if (buffer.size() >= capacity) {
                    dropped++;
                    switch (whenFull) {
                        case DROP_OLDEST -> buffer.poll();
                        case FAIL -> {
                            subscriptions.remove(this);
                            gone = true;
                            end(Optional.of(new SlowSubscriberException()));
                            return true;
                        }
                        case DROP_NEWEST, BLOCK -> { // BLOCK: the publisher was interrupted
                            return true;
                        }
                    }
                }
                buffer.add(item);
                notEmpty.signal();
                return true;
            } finally {
                lock.unlock();
            }
        }
    }

    public static void main(String[] args) throws Exception {
        // @start region="subscribers"
        var prices = new BackpressureStream<Integer>();
        var all = prices.subscribe(16, WhenFull.BLOCK); // subscribe before the source begins
        var latest = prices.subscribe(1, WhenFull.DROP_OLDEST);
        var prompt = prices.subscribe(16, WhenFull.FAIL);
        // @end region="subscribers"
        var ledger = new ArrayList<Integer>();
        // closes prices, then waits for the readers
        try (var readers = Executors.newVirtualThreadPerTaskExecutor(); prices) {
            readers.submit(() -> { // blocking-ok: take() fails only with its source
                try (all) { // a reader that fails must not hold up the source
                    for (var item = all.take(); item.isPresent(); item = all.take()) {
                        ledger.add(item.get());
                    }
                }
                return null;
            });
            for (int i = 1; i <= 1_000; i++) {
                prices.publish(i);
            }
        }
        System.out.println("BLOCK: read " + ledger.size() + ", missed " + all.dropped());
        check(ledger.size() == 1_000 && all.dropped() == 0, "with BLOCK nothing is lost");
        System.out.println("DROP_OLDEST, capacity 1: read " + latest.take().orElseThrow() + ", missed "
                + latest.dropped());
        check(latest.take().isEmpty() && latest.dropped() == 999, "the latest, then the end");
        for (int i = 1; i <= 16; i++) {
            check(prompt.take().orElseThrow() == i, "no gap");
        }
        try {
            prompt.take();
            check(false, "a slow subscriber is told");
        } catch (ExecutionException e) {
            System.out.println("FAIL: read 16, then " + e.getCause());
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
