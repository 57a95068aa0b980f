import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: {@code ExecutorService.close()} waits for every task and cancels none, even if the body of the {@code try} has
 * thrown: the failure stays inside until the last task ends of itself, a consumer blocked in {@code take()} never does.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27). Interrupting the closing thread is what makes {@code close()}
 * interrupt the tasks (its Javadoc). Cure: {@code shutdownNow()} on the way out, below; {@code
 * examples/tasks/TaskGroup.java} cancels on failure by itself.
 *
 * <p>Run: {@code java examples/traps/CloseWaitsForever.java}
 */
public final class CloseWaitsForever {

    private CloseWaitsForever() {
    }

    // @start region="wrong"
    static void pump(BlockingQueue<String> lines) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            executor.submit(() -> consume(lines));
            produce(lines); // throws, and close() now waits for the consumer
        }
    }
    // @end region="wrong"

    // @start region="right"
    static void pumpOrStop(BlockingQueue<String> lines) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                executor.submit(() -> consume(lines));
                produce(lines);
            } finally {
                executor.shutdownNow(); // interrupts; close() then waits for the end of what was interrupted
            }
        }
    }
    // @end region="right"

    private static final AtomicInteger CONSUMERS = new AtomicInteger();
    private static final CountDownLatch THROWN = new CountDownLatch(1);

    private static Void consume(BlockingQueue<String> lines) throws InterruptedException {
        CONSUMERS.incrementAndGet();
        try {
            while (true) {
                lines.take();
            }
        } finally {
            CONSUMERS.decrementAndGet();
        }
    }

    private static void produce(BlockingQueue<String> lines) throws InterruptedException {
        lines.put("first line");
        while (CONSUMERS.get() == 0) {
            Thread.sleep(1);
        }
        THROWN.countDown();
        throw new IllegalStateException("the file is gone");
    }

    public static void main(String[] args) throws Exception {
        var failed = new CountDownLatch(1);
        Thread caller = Thread.ofPlatform().daemon().start(() -> {
            try {
                pump(new LinkedBlockingQueue<>());
            } catch (Exception e) {
                failed.countDown();
            }
        });
        THROWN.await(); // from here on only close() can hear the interrupt
        boolean told = failed.await(500, TimeUnit.MILLISECONDS);
        System.out.println("wrong: 500 ms after the failure: caller told=" + told + ", consumers alive=" + CONSUMERS);
        check(!told && CONSUMERS.get() == 1, "close() holds the failure back");
        caller.interrupt();
        caller.join();
        System.out.println("       interrupting the closing thread ended it: told=" + (failed.getCount() == 0));
        check(failed.getCount() == 0 && CONSUMERS.get() == 0, "an interrupted close() interrupts the tasks");

        long start = System.nanoTime();
        try {
            pumpOrStop(new LinkedBlockingQueue<>());
        } catch (IllegalStateException e) {
            long millis = Duration.ofNanos(System.nanoTime() - start).toMillis();
            System.out.println("right: caller told after " + millis + " ms, consumers alive=" + CONSUMERS);
            check(CONSUMERS.get() == 0, "no consumer left");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
