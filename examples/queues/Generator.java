import java.net.SocketException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * asyncio: an async generator, {@code yield} in the middle of {@code async with}, and {@code aclose()}. Final API,
 * JDK 21 and later.
 *
 * <p>Use when a producer holds something open while it yields (a cursor, a connection, pages of a listing) and the
 * consumer may leave early. Do not use if {@code Stream.iterate} or a plain {@code Iterator} is enough (it may block in
 * a virtual thread), or for several consumers ({@code WorkQueue}, {@code BackpressureStream}).
 *
 * <p>The body runs in a virtual thread, begins at the first {@code hasNext()} and is at most one item ahead: {@code
 * yield} returns when the item has been taken. Items are not null. Nothing goes the other way: for {@code asend} and
 * {@code athrow} use two queues. One consumer at a time; {@link #close} from any thread. Without {@code close()} a
 * producer that was left early waits forever and its {@code finally} never runs, so always use try-with-resources, for
 * {@link #stream} too.
 *
 * <p>Run: {@code java examples/queues/Generator.java}
 */
public final class Generator<T> implements Iterator<T>, AutoCloseable {

    // More than 150 lines: two threads exchange items, and either may be interrupted or closed at any time.

    /**
     * Produces the items. An InterruptedException from {@code out} means that the item was not taken: clean up and
     * return.
     */
    @FunctionalInterface
    public interface Body<T> {
        void produce(Output<T> out) throws Exception;
    }

    /** Gives an item to the consumer and waits until it is taken. Only the body's own thread may call it. */
    @FunctionalInterface
    public interface Output<T> {
        void yield(T item) throws InterruptedException;
    }

    private final Body<T> body;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Thread producer;
    private T item; // handed over and not yet taken
    private boolean ended;
    private boolean closed;
    private Throwable failure;
    private boolean failureSeen;

    public Generator(Body<T> body) {
        this.body = Objects.requireNonNull(body, "body");
    }

    // @start region="consumer"
    /**
     * Waits for an item or the end.
     *
     * @throws CompletionException   the body failed; its exception is the cause
     * @throws CancellationException the consumer was interrupted: its flag is set again, nothing is lost, the generator
     *                               goes on
     * @throws IllegalStateException the generator is closed
     */
    @Override
    public boolean hasNext() {
        lock.lock();
        try {
            if (producer == null && !closed) {
                producer = Thread.ofVirtual().name("generator").start(this::run);
            }
            while (item == null && !ended && !closed) {
                changed.await();
            }
            if (closed) {
                throw new IllegalStateException("generator is closed");
            }
            if (failure != null) {
                failureSeen = true;
                throw new CompletionException(failure);
            }
            return item != null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("interrupted").initCause(e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public T next() {
        lock.lock();
        try {
            if (!hasNext()) { // under the lock: else a close() in between would leave no item
                throw new NoSuchElementException();
            }
            T next = item;
            item = null;
            changed.signalAll();
            return next;
        } finally {
            lock.unlock();
        }
    }

    /**
     * {@code aclose()}: interrupts the body, once, and returns when it has ended, its {@code finally} included, however
     * long that takes; an interrupt during the wait is kept in the flag. A body that was never asked for an item never
     * runs. Every call waits for the end.
     *
     * @throws CompletionException what the body threw and nobody has seen yet, except its answer to the interrupt
     */
    @Override
    public void close() {
        lock.lock();
        try {
            if (Thread.currentThread() == producer) {
                throw new IllegalStateException("the body ends by returning, not by close()");
            }
            if (producer != null && !ended && !closed) { // once, however often it is closed
                producer.interrupt();
            }
            closed = true;
            changed.signalAll();
            while (producer != null && !ended) {
                changed.awaitUninterruptibly();
            }
            if (failure != null && !failureSeen) {
                failureSeen = true;
                throw new CompletionException(failure);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * The items as a sequential stream, which a terminal operation does not close: {@code try (var items =
     * generator.stream())}.
     */
    public Stream<T> stream() {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(this,
                Spliterator.ORDERED | Spliterator.NONNULL), false)
                .onClose(this::close);
    }
    // @end region="consumer"

    // @start region="producer"
    private void run() {
        Throwable thrown = null;
        try {
            body.produce(this::yield);
        } catch (Throwable t) {
            thrown = t;
        }
        lock.lock();
        try {
            ended = true;
            failure = closed && isAnswer(thrown) ? null : thrown;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** What a wait, a channel, a socket, and an iterator such as this one make of an interrupt. */
    private static boolean isAnswer(Throwable thrown) {
        return thrown instanceof InterruptedException || thrown instanceof ClosedByInterruptException
                || Thread.currentThread().isInterrupted()
                        && (thrown instanceof CancellationException || thrown instanceof SocketException);
    }

    private void yield(T next) throws InterruptedException {
        Objects.requireNonNull(next, "item");
        lock.lockInterruptibly();
        try {
            if (Thread.currentThread() != producer) {
                throw new IllegalStateException("yield from a thread other than the body's");
            }
            if (closed) { // the body has swallowed the interrupt, or got the lock in spite of it
                Thread.interrupted(); // one is enough for its cleanup
                throw new InterruptedException("generator is closed");
            }
            item = next;
            changed.signalAll();
            try {
                while (item != null) {
                    changed.await();
                }
            } catch (InterruptedException e) {
                if (item != null) {
                    item = null;
                    throw e;
                }
                Thread.currentThread().interrupt(); // taken, and interrupted afterwards
            }
        } finally {
            lock.unlock();
        }
    }
    // @end region="producer"

    public static void main(String[] args) {
        var log = new ArrayList<String>();
        // @start region="early"
        try (var pages = new Generator<String>(out -> {
            log.add("cursor opened");
            try {
                for (int page = 1; ; page++) {
                    out.yield("page " + page);
                }
            } finally {
                log.add("cursor closed");
            }
        })) {
            while (pages.hasNext()) {
                String page = pages.next();
                log.add(page);
                if (page.equals("page 2")) {
                    break; // close() interrupts the body and waits for its finally
                }
            }
        }
        // @end region="early"
        log.add("after close()");
        System.out.println(log);
        check(log.equals(List.of("cursor opened", "page 1", "page 2", "cursor closed", "after close()")),
                "the producer is closed in order");

        Body<Integer> failing = out -> {
            out.yield(1);
            throw new IllegalStateException("page 2 is gone");
        };
        try (Stream<Integer> items = new Generator<>(failing).stream()) {
            items.forEach(item -> System.out.println("item " + item));
            check(false, "the failure of the body reaches the consumer");
        } catch (CompletionException e) {
            System.out.println(e.getCause());
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
