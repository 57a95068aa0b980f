import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * asyncio: choosing {@code asyncpg.create_pool(max_size=...)}, {@code TCPConnector(limit=...)}. Final API, JDK 21 and
 * later.
 *
 * <p>Use to find the size of a connection pool, or of a {@code Bulkhead}: by Little's law, then by measuring. Beyond
 * the knee, more connections bring no more throughput, only longer queries: the queue has moved into the database from
 * the pool, where it is cheap and visible and can have a deadline. Do not use for a pool of threads that compute: give
 * that one thread per processor.
 *
 * <p>Run: {@code java examples/throughput/PoolSizing.java}
 */
public final class PoolSizing {

    private PoolSizing() {
    }

    // @start region="measure"
    /** What is done while a connection is held. */
    @FunctionalInterface
    public interface Query {
        void run() throws Exception;
    }

    /**
     * @param perSecond queries. @param waiting mean time until a connection is free. @param held mean time that it is
     *                  held
     */
    public record Measured(int size, double perSecond, Duration waiting, Duration held) {
    }

    /**
     * Little's law: connections in use = queries a second x seconds each is held. A pool of that size is always busy; a
     * third more is enough.
     */
    public static int connections(double perSecond, Duration held) {
        if (!(perSecond >= 0) || held.isNegative()) {
            throw new IllegalArgumentException("perSecond " + perSecond + " and held " + held + " must be 0 or more");
        }
        return (int) Math.ceil(perSecond * TimeUnit.NANOSECONDS.convert(held) / 1e9);
    }

    /**
     * Lets {@code callers} threads run the query over and over for {@code time} through a pool of {@code size}
     * connections; the threads, each interrupted once, have ended when it returns or throws. A query cut off at the end
     * is not counted.
     *
     * @throws ExecutionException   a query failed, which is the cause; what others threw after it is dropped
     * @throws InterruptedException if the caller was interrupted
     */
    public static Measured measure(int size, int callers, Duration time, Query query)
            throws InterruptedException, ExecutionException {
        if (size < 1 || callers < 1) {
            throw new IllegalArgumentException("size " + size + " and callers " + callers + " must be 1 or more");
        }
        Objects.requireNonNull(query, "query");
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(time, "time")), Long.MAX_VALUE / 2);
        var pool = new Semaphore(size, true);
        var count = new LongAdder();
        var waitingNanos = new LongAdder();
        var heldNanos = new LongAdder();
        var failure = new LinkedBlockingQueue<Throwable>();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < callers; i++) {
            threads.add(Thread.ofVirtual().name("caller-" + i).unstarted(() -> {
                try {
                    while (true) {
                        long asked = System.nanoTime();
                        pool.acquire();
                        try {
                            long got = System.nanoTime();
                            query.run();
                            heldNanos.add(System.nanoTime() - got);
                            waitingNanos.add(got - asked);
                            count.increment();
                        } finally {
                            pool.release();
                        }
                    }
                } catch (Throwable e) {
                    failure.add(e);
                }
            }));
        }
        long start = System.nanoTime();
        Throwable failed;
        try {
            threads.forEach(Thread::start);
            failed = failure.poll(nanos, TimeUnit.NANOSECONDS);
        } finally {
            end(threads);
        }
        if (failed != null) {
            throw new ExecutionException(failed);
        }
        double seconds = (System.nanoTime() - start) / 1e9; // now, when all that was counted has ended
        long n = Math.max(1, count.sum());
        return new Measured(size, count.sum() / seconds, Duration.ofNanos(waitingNanos.sum() / n),
                Duration.ofNanos(heldNanos.sum() / n));
    }

    private static void end(List<Thread> threads) {
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
    // @end region="measure"

    /** A database with four cores: a query is 2 ms of network and protocol, and 2 ms of a core. */
    public static void main(String[] args) throws Exception {
        var cores = new Semaphore(4, true);
        Query query = () -> {
            Thread.sleep(Duration.ofMillis(2));
            cores.acquire();
            try {
                Thread.sleep(Duration.ofMillis(2));
            } finally {
                cores.release();
            }
        };
        var alone = measure(1, 1, Duration.ofMillis(150), query);
        double most = 4 / 0.002;
        System.out.printf(Locale.ROOT,
                "four cores serve at most %,.0f queries/s; alone a query takes %.1f ms: %d connections%n",
                most, alone.held().toNanos() / 1e6, connections(most, alone.held()));
        System.out.println("pool   queries/s   wait for a connection   held");
        for (int size : new int[] {1, 2, 4, 8, 16, 32, 64}) {
            var measured = measure(size, 64, Duration.ofMillis(150), query);
            System.out.printf(Locale.ROOT, "%4d   %,9.0f   %18.1f ms   %4.1f ms%n", size, measured.perSecond(),
                    measured.waiting().toNanos() / 1e6, measured.held().toNanos() / 1e6);
            check(measured.perSecond() <= Math.min(size / 0.004, most) + 1,
                    "neither pool nor cores give more than that");
            check(connections(measured.perSecond(), measured.held()) <= size, "Little's law: in use are at most all");
        }
        check(connections(2_000, Duration.ofMillis(4)) == 8, "2,000 a second, 4 ms each: 8 in use");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
