import java.util.ArrayList;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: an async generator around a blocking source, each {@code next} in {@code to_thread}. Final API, JDK 21 and
 * later.
 *
 * <p>Use to give a blocking source (a cursor, a queue, the pages of a listing) to a reactive API: an HTTP body,
 * Reactor, Mutiny. Do not use between virtual threads: pass the iterator, or a {@code Generator}. For the reverse use
 * {@code PublisherToIterator}.
 *
 * <p>Run: {@code java examples/bridges/IteratorToPublisher.java}
 */
public final class IteratorToPublisher<T> implements Flow.Publisher<T> {

    // @start region="source"
    /** Read and closed by one thread. */
    @SuppressWarnings("try") // close() may block, and then it hears an interrupt
    public interface Source<T> extends AutoCloseable {
        /** Waits for the next item; null at the end. May be interrupted when the subscriber has left. */
        T next() throws Exception;
    }
    // @end region="source"

    private final Callable<? extends Source<? extends T>> open;

    /** @param open called once for each subscriber, when it first requests something */
    public IteratorToPublisher(Callable<? extends Source<? extends T>> open) {
        this.open = Objects.requireNonNull(open, "open");
    }

    // @start region="publisher"
    /**
     * Follows the rules of Reactive Streams. Each subscriber has its own source and its own virtual thread, which calls
     * it, so it may block. The source is asked for an item, and for its end, only on request; nothing is read ahead. A
     * subscriber that cancels interrupts a waiting source, once, which is then closed, and sees nothing more; only an
     * item that comes at that very moment is lost. What the source throws, even in {@code close}, goes to {@code
     * onError}. A subscriber that throws counts as cancelled; the thread's uncaught-exception handler is told, as it is
     * of a failure after a cancel that is not the answer to the interrupt.
     */
    @Override
    public void subscribe(Flow.Subscriber<? super T> subscriber) {
        var reading = new Reading(Objects.requireNonNull(subscriber, "subscriber"));
        subscriber.onSubscribe(reading);
        reading.thread.start();
    }

    private final class Reading implements Flow.Subscription {
        private final Flow.Subscriber<? super T> subscriber;
        private final Thread thread = Thread.ofVirtual().name("publisher").unstarted(this::run);
        // guards what follows; not held while anybody's code runs
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition changed = lock.newCondition();
        private long requested;
        private boolean inSource; // only then cancel() interrupts: not in the subscriber's code
        private boolean cancelled;
        private boolean interrupted; // in next(): then what it throws is its answer
        private IllegalArgumentException misuse;

        private Reading(Flow.Subscriber<? super T> subscriber) {
            this.subscriber = subscriber;
        }

        @Override
        public void request(long n) {
            lock.lock();
            try {
                if (over()) {
                    return; // rule 3.6
                }
                if (n <= 0) {
                    misuse = new IllegalArgumentException("request(" + n + "), must be 1 or more (rule 3.9)");
                    interruptSource();
                }
                requested = requested + n < 0 ? Long.MAX_VALUE : requested + n;
                changed.signal();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void cancel() {
            lock.lock();
            try {
                if (!over()) {
                    interruptSource();
                }
                cancelled = true;
                changed.signal();
            } finally {
                lock.unlock();
            }
        }

        private void interruptSource() {
            if (inSource) {
                thread.interrupt();
                interrupted = true;
            }
        }

        private void run() {
            Throwable failure = null;
            try {
                read();
            } catch (Throwable e) {
                failure = e;
            }
            boolean silent;
            lock.lock();
            try {
                silent = cancelled;
                failure = misuse == null ? failure : misuse;
                cancelled = true;
                inSource = false;
                if (silent && interrupted && failure != null) { // what close() threw is still to be heard
                    failure = failure.getSuppressed().length > 0 ? failure.getSuppressed()[0] : null;
                }
            } finally {
                lock.unlock();
            }
            Thread.interrupted();
            Throwable unheard = silent ? failure : null;
            if (!silent) {
                try {
                    if (failure == null) {
                        subscriber.onComplete();
                    } else {
                        subscriber.onError(failure);
                    }
                } catch (Throwable e) {
                    unheard = e;
                }
            }
            if (unheard != null) {
                thread.getUncaughtExceptionHandler().uncaughtException(thread, unheard);
            }
        }

        @SuppressWarnings("try")
        private void read() throws Exception {
            if (!awaitDemand()) {
                return;
            }
            try (Source<? extends T> source = open.call()) {
                while (awaitDemand()) {
                    T item = fromSource(source);
                    if (item == null || !take()) {
                        return;
                    }
                    try {
                        subscriber.onNext(item);
                    } catch (Throwable e) {
                        cancel();
                        throw e;
                    }
                }
            }
        }

        private T fromSource(Source<? extends T> source) throws Exception {
            try {
                return source.next();
            } finally {
                lock.lock();
                inSource = false;
                lock.unlock();
                Thread.interrupted(); // one that came too late for the source must not hit the subscriber, or close()
            }
        }

        /** False: no more is wanted. True: something is requested, and the source may be interrupted from now on. */
        private boolean awaitDemand() {
            lock.lock();
            try {
                while (requested == 0 && !over()) {
                    changed.awaitUninterruptibly();
                }
                inSource = !over();
                if (!inSource) {
                    Thread.interrupted(); // one that came while the source was opened must not hit close()
                }
                return inSource;
            } finally {
                lock.unlock();
            }
        }

        private boolean take() {
            lock.lock();
            try {
                requested -= requested == Long.MAX_VALUE ? 0 : 1;
                return !over();
            } finally {
                lock.unlock();
            }
        }

        private boolean over() {
            return cancelled || misuse != null;
        }
    }
    // @end region="publisher"

    public static void main(String[] args) throws Exception {
        // @start region="use"
        Flow.Publisher<String> rows = new IteratorToPublisher<>(Rows::new);
        // @end region="use"
        var seen = new ArrayList<String>();
        var subscription = new Flow.Subscription[1];
        var two = new CountDownLatch(2);
        rows.subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription s) {
                subscription[0] = s;
                s.request(1);
            }

            @Override
            public void onNext(String row) {
                seen.add(row);
                subscription[0].request(1);
                two.countDown();
            }

            @Override
            public void onError(Throwable failure) {
                seen.add(failure.toString());
            }

            @Override
            public void onComplete() {
                seen.add("end");
            }
        });
        two.await();
        subscription[0].cancel();
        Rows.CLOSED.await();
        System.out.println("seen " + seen + "; cancelled while the source waited: interrupted and closed");
        check(seen.size() == 2 && Rows.READ.get() == 2, "nothing after the cancel, nothing read ahead");
    }

    /** Rows of a table, read one at a time; the third never comes. */
    private static final class Rows implements Source<String> {
        static final AtomicInteger READ = new AtomicInteger();
        static final CountDownLatch CLOSED = new CountDownLatch(1);

        @Override
        public String next() throws InterruptedException {
            if (READ.get() == 2) {
                Thread.sleep(60_000);
            }
            return "row " + READ.incrementAndGet();
        }

        @Override
        public void close() {
            CLOSED.countDown();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
