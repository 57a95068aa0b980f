import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * asyncio: {@code async for item in source}, where the source is a {@code Flow.Publisher}. Final API, JDK 21 and later.
 *
 * <p>Use to read a reactive stream (an HTTP body, {@code SubmissionPublisher}, Reactor or Mutiny through {@code
 * JdkFlowAdapter} or {@code AdaptersToFlow}) with a loop in a virtual thread. Do not use in the thread that publishes:
 * it would wait for itself. For the reverse use {@code IteratorToPublisher}.
 *
 * <p>At most {@code capacity} items are requested ahead. One consumer at a time; {@link #close} from any thread. An
 * iterator left early without {@code close()} keeps its publisher waiting forever: use try-with-resources, for {@link
 * #stream} too.
 *
 * <p>Run: {@code java examples/bridges/PublisherToIterator.java}
 */
public final class PublisherToIterator<T> implements Iterator<T>, AutoCloseable {

    // @start region="bridge"
    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock(); // not held while the publisher's code runs
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<T> buffer = new ArrayDeque<>();
    private Flow.Subscription subscription;
    private int taken; // since the last request
    private boolean ended; // no signal counts any more
    private boolean closed;
    private Throwable failure;

    /** Subscribes at once. @param capacity items buffered at most, and requested at the start */
    public PublisherToIterator(Flow.Publisher<? extends T> publisher, int capacity) {
        Objects.requireNonNull(publisher, "publisher");
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity + ", must be 1 or more");
        }
        this.capacity = capacity;
        publisher.subscribe(new Reader());
    }

    /**
     * Waits for an item or the end. Items that came before a failure are read first.
     *
     * @throws CompletionException   the publisher failed, or sent more than requested; the failure is the cause
     * @throws CancellationException the consumer was interrupted: its flag is set again, nothing is lost; {@code
     *         close()} cancels
     * @throws IllegalStateException this is closed
     */
    @Override
    public boolean hasNext() {
        lock.lock();
        try {
            while (buffer.isEmpty() && !ended && !closed) {
                changed.await();
            }
            if (closed) {
                throw new IllegalStateException("closed");
            }
            if (buffer.isEmpty() && failure != null) {
                throw new CompletionException(failure);
            }
            return !buffer.isEmpty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("interrupted").initCause(e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public T next() {
        T item;
        int request = 0;
        lock.lock();
        try {
            if (!hasNext()) { // under the lock: else a close() in between would leave no item
                throw new NoSuchElementException();
            }
            item = buffer.remove();
            if (++taken >= (capacity + 1) / 2 && !ended) { // in batches: a request may cost a round trip
                request = taken;
                taken = 0;
            }
        } finally {
            lock.unlock();
        }
        if (request > 0) {
            subscription.request(request);
        }
        return item;
    }

    /** Cancels the subscription, drops what is buffered and wakes a waiting consumer. Does not wait. */
    @Override
    public void close() {
        end(null, true);
    }

    /** The items as a sequential stream: {@code try (var items = bridge.stream())}. */
    public Stream<T> stream() {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(this,
                Spliterator.ORDERED | Spliterator.NONNULL), false)
                .onClose(this::close);
    }

    /** @param leave whether the publisher is to be told */
    private void end(Throwable why, boolean leave) {
        Flow.Subscription cancelled;
        lock.lock();
        try {
            cancelled = leave && !ended ? subscription : null;
            failure = ended ? failure : why;
            ended = true;
            if (leave && why == null) {
                closed = true;
                buffer.clear();
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (cancelled != null) {
            cancelled.cancel();
        }
    }

    private final class Reader implements Flow.Subscriber<T> {
        @Override
        public void onSubscribe(Flow.Subscription offered) {
            Objects.requireNonNull(offered);
            boolean accepted;
            lock.lock();
            try {
                accepted = subscription == null && !ended;
                subscription = accepted ? offered : subscription;
            } finally {
                lock.unlock();
            }
            if (accepted) {
                offered.request(capacity);
            } else {
                offered.cancel();
            }
        }

        @Override
        public void onNext(T item) {
            Objects.requireNonNull(item);
            boolean tooMany;
            lock.lock();
            try {
                tooMany = !ended && buffer.size() + taken >= capacity;
                if (!ended && !tooMany) {
                    buffer.add(item);
                    changed.signal();
                }
            } finally {
                lock.unlock();
            }
            if (tooMany) {
                end(new IllegalStateException("the publisher gave more than the " + capacity + " requested"), true);
            }
        }

        @Override
        public void onError(Throwable cause) {
            end(Objects.requireNonNull(cause), false);
        }

        @Override
        public void onComplete() {
            end(null, false);
        }
    }
    // @end region="bridge"

    public static void main(String[] args) throws InterruptedException {
        var read = new ArrayList<Integer>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var numbers = new SubmissionPublisher<Integer>(executor, 4);
            // @start region="use"
            try (var items = new PublisherToIterator<>(numbers, 16)) {
                executor.execute(() -> {
                    for (int i = 1; i <= 1_000; i++) {
                        numbers.submit(i); // waits for the reader
                    }
                    numbers.close();
                });
                while (items.hasNext()) {
                    read.add(items.next());
                }
            }
            // @end region="use"
            System.out.println("read " + read.size() + " items in order, the last is " + read.getLast());
            check(read.size() == 1_000 && read.getLast() == 1_000, "nothing lost");
        }
        try (var executor = Executors.newVirtualThreadPerTaskExecutor();
                var endless = new SubmissionPublisher<Integer>(executor, 4)) {
            List<Integer> firstTwo;
            try (var items = new PublisherToIterator<>(endless, 4).stream()) {
                endless.submit(1);
                endless.submit(2);
                firstTwo = items.limit(2).toList();
            }
            for (int i = 0; i < 5_000 && endless.hasSubscribers(); i++) {
                Thread.sleep(1); // SubmissionPublisher hears of a cancel in its own thread
            }
            System.out.println("left after " + firstTwo + "; subscribers that remain: "
                    + endless.getNumberOfSubscribers());
            check(!endless.hasSubscribers(), "leaving early cancels");
        }
        Flow.Publisher<Integer> failing = subscriber -> {
            subscriber.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {
                    subscriber.onNext(1);
                    subscriber.onError(new IllegalStateException("connection lost"));
                }

                @Override
                public void cancel() {
                }
            });
        };
        try (var items = new PublisherToIterator<>(failing, 1)) {
            check(items.next() == 1, "what came before the failure is read");
            items.hasNext();
            check(false, "the failure is thrown");
        } catch (CompletionException e) {
            System.out.println("then " + e.getCause());
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
