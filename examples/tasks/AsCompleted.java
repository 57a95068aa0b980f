import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

/**
 * asyncio: {@code for c in as_completed(tasks, timeout=)}; in order: {@code for t in tasks: await t}, N ahead. Final
 * API, JDK 21 and later.
 *
 * <p>Use to handle each result as it comes, or to take the first few and leave, even from more tasks than fit into
 * memory. {@link #inOrder} does the same in the order of the source, for an answer that you send line by line while the
 * next N are worked on. Do not use when you need all results together ({@code Gather}, {@code BoundedGather}). {@code
 * StructuredTaskScope} cannot do this before its join; {@code Gatherers.mapConcurrent} (24) keeps the order too, but an
 * interrupt of its reader stops nothing.
 *
 * <p>Run: {@code java examples/tasks/AsCompleted.java}
 */
public final class AsCompleted<T> implements AutoCloseable {

    // @start region="as-completed"
    /** How one task ended; {@code index} is its place in the source, from 0. */
    public sealed interface Outcome<T> {
        long index();

        record Success<T>(long index, T value) implements Outcome<T> { }

        record Failure<T>(long index, Throwable cause) implements Outcome<T> { }
    }

    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    // for each task, where its outcome comes
    private final Queue<BlockingQueue<Outcome<T>>> untaken = new ArrayDeque<>();
    private final BlockingQueue<Outcome<T>> shared; // null: in order, each task has its own queue
    private final Set<Thread> running = ConcurrentHashMap.newKeySet();
    private final int limit;
    private Iterator<? extends Callable<? extends T>> source;
    private long started;

    private AsCompleted(Iterator<? extends Callable<? extends T>> source, int limit, boolean inOrder) {
        this.source = source;
        this.limit = limit;
        shared = inOrder ? null : new LinkedBlockingQueue<>();
    }

    /**
     * Starts the first {@code limit} tasks, each in its own virtual thread; {@link #next} gives their outcomes in the
     * order of completion. The calling thread reads the source lazily, here and in {@code next}: at most {@code limit}
     * tasks run or wait to be taken, so a slow consumer slows the tasks, and a source that waits delays available
     * outcomes. Only this thread may use the object.
     */
    public static <T> AsCompleted<T> start(Iterator<? extends Callable<? extends T>> source, int limit) {
        return start(source, limit, false);
    }

    /**
     * Like {@link #start}, but {@code next} gives the outcomes in the order of the source. Tasks are at most {@code
     * limit} ahead of it: a slow one delays those that come {@code limit} places after it.
     */
    public static <T> AsCompleted<T> inOrder(Iterator<? extends Callable<? extends T>> source, int limit) {
        return start(source, limit, true);
    }

    private static <T> AsCompleted<T> start(Iterator<? extends Callable<? extends T>> source, int limit,
            boolean inOrder) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit: " + limit);
        }
        Objects.requireNonNull(source, "source");
        var completing = new AsCompleted<T>(source, limit, inOrder);
        try {
            completing.fill();
            return completing;
        } catch (Throwable e) { // of the source
            completing.close();
            throw e;
        }
    }

    public boolean hasNext() {
        return !untaken.isEmpty() || source.hasNext();
    }

    /**
     * The next outcome, success or failure. Not an {@code Iterator}: an interrupt must leave this method, and then the
     * {@code try}, which stops the rest.
     */
    public Outcome<T> next() throws InterruptedException {
        Outcome<T> outcome = await().take();
        untaken.remove();
        return outcome;
    }

    /**
     * Like {@link #next()}; for one limit for all calls, pass what is left of it.
     *
     * @throws TimeoutException none came within {@code patience}; nothing is lost, and the tasks go on
     */
    public Outcome<T> next(Duration patience) throws InterruptedException, TimeoutException {
        Objects.requireNonNull(patience, "patience");
        long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(patience), 0, Long.MAX_VALUE / 2);
        Outcome<T> outcome = await().poll(nanos, TimeUnit.NANOSECONDS);
        if (outcome == null) {
            throw new TimeoutException("no outcome within " + patience);
        }
        untaken.remove();
        return outcome;
    }

    /**
     * Interrupts what still runs, once, and returns when it has ended; outcomes not taken are dropped. An interrupt
     * during the wait is kept in the flag. Idempotent.
     *
     * @throws IllegalStateException if called by a task, which would wait for itself
     */
    @Override
    public void close() {
        if (running.contains(Thread.currentThread())) {
            throw new IllegalStateException("close() called by a task would wait for itself");
        }
        source = Collections.emptyIterator();
        untaken.clear();
        if (!executor.isShutdown()) {
            executor.shutdownNow(); // the only interrupt: close() in this thread would pass on one of its own
            CompletableFuture.runAsync(executor::close, Thread::startVirtualThread).join();
        }
    }

    private BlockingQueue<Outcome<T>> await() {
        fill();
        if (untaken.isEmpty()) {
            throw new NoSuchElementException();
        }
        return untaken.element();
    }

    private void fill() {
        while (untaken.size() < limit && source.hasNext()) {
            Callable<? extends T> task = Objects.requireNonNull(source.next(), "task");
            BlockingQueue<Outcome<T>> outcome = shared == null ? new LinkedBlockingQueue<>(1) : shared;
            long index = started++;
            executor.execute(() -> outcome.add(run(index, task)));
            untaken.add(outcome);
        }
    }

    private Outcome<T> run(long index, Callable<? extends T> task) {
        running.add(Thread.currentThread());
        try {
            return new Outcome.Success<>(index, task.call());
        } catch (Throwable e) {
            return new Outcome.Failure<>(index, e);
        } finally {
            running.remove(Thread.currentThread());
        }
    }
    // @end region="as-completed"

    public static void main(String[] args) throws Exception {
        var gone = new Phaser(1); // one phase for each outcome taken
        List<Callable<String>> tasks = List.of(() -> {
            gone.awaitAdvanceInterruptibly(0);
            // not the phase the line above returns: a late starter may see a later one
            gone.awaitAdvanceInterruptibly(1);
            return "slow";
        }, () -> "quick", () -> {
            gone.awaitAdvanceInterruptibly(0);
            throw new IOException("broken");
        });
        var seen = new ArrayList<String>();
        // @start region="use"
        try (var results = AsCompleted.<String>start(tasks.iterator(), 10)) { // at most 10 at a time
            while (results.hasNext()) {
                seen.add(switch (results.next()) {
                    case Outcome.Success<String> success -> success.value();
                    case Outcome.Failure<String> failure -> failure.cause().getMessage();
                });
                gone.arrive();
            }
        } // leaving early interrupts and awaits the rest
        // @end region="use"
        System.out.println("in the order of completion: " + seen);
        check(seen.equals(List.of("quick", "broken", "slow")), "in the order of completion");

        var running = new AtomicInteger();
        var endless = LongStream.iterate(0, i -> i + 1).<Callable<Long>>mapToObj(i -> () -> {
            running.incrementAndGet();
            try {
                Thread.sleep(i < 3 ? 1 : 60_000);
                return i;
            } finally {
                running.decrementAndGet();
            }
        }).iterator();
        try (var results = AsCompleted.<Long>start(endless, 100)) {
            long sum = 0;
            for (int i = 0; i < 3; i++) {
                sum += results.next() instanceof Outcome.Success<Long> success ? success.value() : 100;
            }
            System.out.println("the first three of endlessly many: sum " + sum + ", still running: " + running);
            check(sum == 3, "the three quick ones");
        }
        check(running.get() == 0, "leaving early stops the rest and waits for it");

        var symbols = LongStream.range(0, 200).boxed().toList();
        var sent = new ArrayList<String>();
        // @start region="in-order"
        var quotes = symbols.stream().<Callable<String>>map(symbol -> () -> quote(symbol)).iterator(); // lazily
        try (var lines = AsCompleted.<String>inOrder(quotes, 64)) { // never more than 64 ahead
            while (lines.hasNext()) {
                sent.add(switch (lines.next()) { // as soon as it can be
                    case Outcome.Success<String> line -> line.value();
                    case Outcome.Failure<String> line -> "error " + line.index();
                });
            }
        } // a write that fails ends the work for this reader
        // @end region="in-order"
        System.out.println("in order, 64 ahead: " + sent.size() + " lines, the last " + sent.getLast());
        check(sent.equals(symbols.stream().map(i -> i == 100 ? "error 100" : "quote " + i).toList()), "in order");
    }

    private static String quote(long symbol) throws Exception {
        Thread.sleep(symbol % 3);
        if (symbol == 100) {
            throw new IOException("no such symbol");
        }
        return "quote " + symbol;
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
