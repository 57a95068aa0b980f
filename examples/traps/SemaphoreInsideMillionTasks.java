import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Trap: a semaphore taken <em>inside</em> the tasks bounds the calls, not the tasks: every item of the input becomes
 * a parked thread with its closure at once, and a long input ends in {@code OutOfMemoryError} (measured: at
 * {@code -Xmx64m} before the 50,000th item).
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27).
 * Cure: acquire before the task is started, below; {@code examples/tasks/BoundedGather.java} does so.
 *
 * <p>Run: {@code java examples/traps/SemaphoreInsideMillionTasks.java}
 */
public final class SemaphoreInsideMillionTasks {

    private SemaphoreInsideMillionTasks() {
    }

    // @start region="wrong"
    static void importFlooding(Stream<String> records, int limit) {
        var permits = new Semaphore(limit);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            records.forEach(item -> executor.submit(() -> {
                permits.acquire();
                try {
                    return save(item);
                } finally {
                    permits.release();
                }
            }));
        }
    }
    // @end region="wrong"

    // @start region="right"
    static void importBounded(Stream<String> records, int limit) throws InterruptedException {
        var permits = new Semaphore(limit);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var all = records.iterator(); all.hasNext(); ) {
                permits.acquire(); // the reader of the input waits here: that is the backpressure
                String item = all.next();
                executor.execute(() -> {
                    try {
                        save(item);
                    } finally {
                        permits.release();
                    }
                });
            }
        }
    }
    // @end region="right"

    private static final AtomicInteger READ = new AtomicInteger();
    private static final AtomicInteger SAVED = new AtomicInteger();
    private static final AtomicInteger PEAK = new AtomicInteger();
    private static volatile CountDownLatch databaseAnswers;

    private static String save(String item) {
        try {
            databaseAnswers.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        SAVED.incrementAndGet();
        return item;
    }

    public static void main(String[] args) throws Exception {
        int items = 20_000;
        int limit = 100;
        databaseAnswers = new CountDownLatch(1);
        importFlooding(input(items), limit);
        System.out.println("wrong: at most " + PEAK + " tasks alive for " + limit + " permits");
        check(SAVED.get() == items && PEAK.get() == items, "one task for every item");

        READ.set(0);
        SAVED.set(0);
        PEAK.set(0);
        databaseAnswers = new CountDownLatch(1);
        Thread.startVirtualThread(SemaphoreInsideMillionTasks::answerSoon);
        importBounded(input(items), limit);
        System.out.println("right: at most " + PEAK + " tasks alive for " + limit + " permits");
        check(SAVED.get() == items && PEAK.get() <= limit + 1, "read ahead by no more than the item in hand");
    }

    /** Counts what was read and is not yet saved; when all is read, the database answers. */
    private static Stream<String> input(int items) {
        return IntStream.range(0, items).mapToObj(i -> {
            PEAK.accumulateAndGet(READ.incrementAndGet() - SAVED.get(), Math::max);
            if (i == items - 1) {
                databaseAnswers.countDown();
            }
            return "item " + i;
        });
    }

    private static void answerSoon() {
        try {
            Thread.sleep(200);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        databaseAnswers.countDown();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
