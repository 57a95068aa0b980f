import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * asyncio: tasks in a row with a bounded {@code Queue} between each two, in a {@code TaskGroup}. Final API, JDK 21 and
 * later.
 *
 * <p>Use for a source whose items go through several steps of different speed (read, fetch, parse, store), each with
 * its own number of threads. Do not use for one step ({@code BoundedGather}, {@code ChunkedProcessing}) or for work
 * that comes from several threads ({@code WorkQueue}, {@code JobQueue}).
 *
 * <p>Memory holds at most {@code room} items between two steps and one for each thread. A step with one thread keeps
 * the order, with several it does not. Build and run it in one thread, once.
 *
 * <p>Run: {@code java examples/queues/Pipeline.java}
 */
public final class Pipeline<T> {

    // More than 150 lines: half of them are what a reader has to know.

    // @start region="pipeline"
    /** Processes one item; emits none, one or many, no null. Several threads call it if the step has several. */
    @FunctionalInterface
    public interface Stage<T, R> {
        void process(T item, Output<R> next) throws Exception;
    }

    /** Waits for room in the next step. Only for the stage, while it processes. */
    @FunctionalInterface
    public interface Output<R> {
        void send(R item) throws InterruptedException;
    }

    @FunctionalInterface
    public interface Sink<T> {
        void accept(T item) throws Exception;
    }

    private interface Body {
        void run() throws Exception;
    }

    private static final Object END = new Object();

    /** What all steps of one pipeline share. */
    private static final class Run {
        final List<Thread> threads = new ArrayList<>();
        final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        final CountDownLatch over = new CountDownLatch(1); // the first failure, or the end of the last step
        volatile boolean cancelled;

        void add(String name, Body body) {
            threads.add(Thread.ofVirtual().name(name).unstarted(() -> {
                try {
                    body.run();
                } catch (Throwable e) {
                    failures.add(e);
                    over.countDown();
                }
            }));
        }

        void end(boolean cancel) {
            cancelled = cancel;
            if (cancel) {
                threads.forEach(Thread::interrupt);
            }
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
    }

    private final Run run;
    private final int room;
    private final BlockingQueue<Object> queue;
    private boolean continued;

    private Pipeline(Run run, int room) {
        this.run = run;
        this.room = room;
        this.queue = new LinkedBlockingQueue<>(room);
    }

    /**
     * Nothing starts before {@link #run}. Then the source is read in its own thread, which is interrupted if the
     * pipeline ends early.
     *
     * @param room for items between two steps, 1 or more
     */
    public static <T> Pipeline<T> from(Iterator<? extends T> source, int room) {
        Objects.requireNonNull(source, "source");
        if (room < 1) {
            throw new IllegalArgumentException("room is " + room + ", must be 1 or more");
        }
        var pipeline = new Pipeline<T>(new Run(), room);
        pipeline.run.add("source", () -> {
            while (source.hasNext()) {
                pipeline.send(source.next());
            }
            pipeline.send(END);
        });
        return pipeline;
    }

    /** The next step, in {@code threads} virtual threads. */
    public <R> Pipeline<R> stage(String name, int threads, Stage<? super T, R> stage) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(stage, "stage");
        if (threads < 1) {
            throw new IllegalArgumentException("threads of " + name + " is " + threads + ", must be 1 or more");
        }
        proceed();
        var next = new Pipeline<R>(run, room);
        var running = new AtomicInteger(threads);
        for (int i = 0; i < threads; i++) {
            run.add(name + "-" + i, () -> {
                each(item -> stage.process(item, next::send));
                if (running.decrementAndGet() == 0) {
                    next.send(END);
                }
            });
        }
        return next;
    }

    /**
     * Processes all items, the last step in its own thread, and returns when every thread has ended.
     *
     * @throws ExecutionException   the source or a step failed: the first failure is the cause, all threads were
     *                              interrupted once, and what else they threw is suppressed (an InterruptedException
     *                              is not)
     * @throws InterruptedException the caller was interrupted, and each thread once; what they threw is suppressed
     */
    public void run(Sink<? super T> sink) throws InterruptedException, ExecutionException {
        Objects.requireNonNull(sink, "sink");
        proceed();
        run.add("sink", () -> {
            each(sink::accept);
            run.over.countDown();
        });
        boolean through = false;
        InterruptedException interrupted = null;
        try {
            run.threads.forEach(Thread::start);
            run.over.await();
            through = run.failures.isEmpty();
        } catch (InterruptedException e) {
            interrupted = e;
        } finally {
            run.end(!through);
        }
        if (through) {
            return;
        }
        Exception thrown = interrupted != null ? interrupted : new ExecutionException(run.failures.poll());
        run.failures.stream().filter(e -> !(e instanceof InterruptedException)).forEach(thrown::addSuppressed);
        if (thrown instanceof ExecutionException failure) {
            throw failure;
        }
        throw interrupted;
    }

    private void proceed() {
        if (continued) {
            throw new IllegalStateException("this step has a next one already");
        }
        continued = true;
    }

    @SuppressWarnings("unchecked")
    private void each(Sink<? super T> action) throws Exception {
        for (Object item = take(); item != END; item = take()) {
            action.accept((T) item);
        }
        queue.put(END); // for the others of this step: there is room, for nobody else puts any more
    }

    private Object take() throws InterruptedException {
        Thread.interrupted(); // left behind by the action
        stopIfCancelled();
        return queue.take();
    }

    private void send(Object item) throws InterruptedException {
        stopIfCancelled();
        queue.put(item);
    }

    /** Code of yours may have swallowed the interrupt, and nobody puts or takes any more. */
    private void stopIfCancelled() throws InterruptedException {
        if (run.cancelled) {
            throw new InterruptedException();
        }
    }
    // @end region="pipeline"

    public static void main(String[] args) throws Exception {
        var stored = new AtomicLong();
        // @start region="use"
        Pipeline.from(IntStream.range(0, 1_000).iterator(), 16) // room between two steps
                .<String>stage("fetch", 8, (id, next) -> {
                    next.send(fetch(id));
                })
                .<Integer>stage("parse", 2, (page, next) -> {
                    int id = Integer.parseInt(page.substring(5));
                    if (id % 2 == 0) {
                        next.send(id); // none, one or many
                    }
                })
                .run(stored::addAndGet); // in one thread; returns when all have ended
        // @end region="use"
        System.out.println("sum of what was stored: " + stored + "; fetched at the same time, at most: " + WIDEST);
        check(stored.get() == 499 * 500 && WIDEST.get() <= 8, "each item goes through once");

        var reached = new AtomicInteger();
        try {
            Pipeline.from(IntStream.iterate(0, i -> i + 1).iterator(), 16) // endless
                    .<Integer>stage("check", 4, (i, next) -> {
                        if (i == 500) {
                            throw new IllegalStateException("item 500 is broken");
                        }
                        next.send(i);
                    })
                    .run(i -> reached.incrementAndGet());
            check(false, "a failure ends all steps");
        } catch (ExecutionException e) {
            System.out.println(e.getCause().getMessage() + "; stored before: " + reached);
        }
    }

    private static final AtomicInteger FETCHING = new AtomicInteger();
    private static final AtomicInteger WIDEST = new AtomicInteger();

    private static String fetch(int id) throws InterruptedException {
        WIDEST.accumulateAndGet(FETCHING.incrementAndGet(), Math::max);
        Thread.sleep(1);
        FETCHING.decrementAndGet();
        return "page " + id;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
