import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

/**
 * asyncio: {@code for c in as_completed(tasks)}. Final API, JDK 21 and later.
 *
 * <p>Use to handle each result as it comes, or to take the first few and leave; also for more tasks than fit into
 * memory. Do not use when only all results together are of use ({@code Gather}, {@code BoundedGather}). {@code
 * StructuredTaskScope} cannot do this before its join; {@code Gatherers.mapConcurrent} (24) keeps the order, so a slow
 * element holds up those behind it.
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
    private final BlockingQueue<Outcome<T>> completed = new LinkedBlockingQueue<>(); // holds at most limit
    private final int limit;
    private Iterator<? extends Callable<? extends T>> source;
    private long started;
    private int running; // started and not yet taken

    private AsCompleted(Iterator<? extends Callable<? extends T>> source, int limit) {
        this.source = Objects.requireNonNull(source);
        this.limit = limit;
    }

    /**
     * Starts the first {@code limit} tasks, each in a virtual thread of its own. The source is read lazily, by the
     * calling thread: never more than {@code limit} tasks run or wait to be taken, so a slow consumer slows the tasks.
     * The object belongs to this thread.
     */
    public static <T> AsCompleted<T> start(Iterator<? extends Callable<? extends T>> source, int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit: " + limit);
        }
        var completing = new AsCompleted<T>(source, limit);
        try {
            completing.fill();
            return completing;
        } catch (Throwable e) { // of the source
            completing.close();
            throw e;
        }
    }

    public boolean hasNext() {
        return running > 0 || source.hasNext();
    }

    /**
     * The next task to end, whether it succeeded or failed. Not an {@code Iterator}: an interrupt must get out of here,
     * and then out of the {@code try}, which stops the rest.
     */
    public Outcome<T> next() throws InterruptedException {
        fill();
        if (running == 0) {
            throw new NoSuchElementException();
        }
        Outcome<T> next = completed.take();
        running--;
        return next;
    }

    /** Interrupts what still runs and returns when it has ended; the outcomes not taken are dropped. Idempotent. */
    @Override
    public void close() {
        source = Collections.emptyIterator();
        running = 0;
        executor.shutdownNow();
        executor.close();
        completed.clear();
    }

    private void fill() {
        while (running < limit && source.hasNext()) {
            Callable<? extends T> task = Objects.requireNonNull(source.next());
            long index = started++;
            running++;
            executor.execute(() -> completed.add(run(index, task)));
        }
    }

    private static <T> Outcome<T> run(long index, Callable<? extends T> task) {
        try {
            return new Outcome.Success<>(index, task.call());
        } catch (Throwable e) {
            return new Outcome.Failure<>(index, e);
        }
    }
    // @end region="as-completed"

    public static void main(String[] args) throws Exception {
        var gone = new Phaser(1); // one phase for each outcome taken
        List<Callable<String>> tasks = List.of(() -> {
            gone.awaitAdvanceInterruptibly(0);
            gone.awaitAdvanceInterruptibly(1); // not the phase the line above returns: a late starter may see a later one
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
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
