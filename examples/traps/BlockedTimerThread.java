import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Trap: what follows {@code orTimeout} or {@code completeOnTimeout} runs on the JDK's only timer thread when time is
 * up: a callback that blocks there delays every other timeout of the JVM.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27). The thread is {@code CompletableFutureDelayScheduler} on 21
 * and {@code ForkJoinPool.commonPool-delayScheduler} from 25 on, where scheduled tasks of the common pool wait for it
 * too. Cure: {@code ...Async} with an executor of yours behind a timeout, below; or a blocking call in a virtual
 * thread, which has its timeout in its own hands: {@code examples/time/Timeout.java}.
 *
 * <p>Run: {@code java examples/traps/BlockedTimerThread.java}
 */
public final class BlockedTimerThread {

    private BlockedTimerThread() {
    }

    // @start region="wrong"
    static CompletableFuture<Void> answer(CompletableFuture<String> quote, Duration timeout) {
        return quote.completeOnTimeout("no quote", timeout.toMillis(), TimeUnit.MILLISECONDS)
                .thenAccept(BlockedTimerThread::writeToClient); // on the timer thread, after a timeout
    }
    // @end region="wrong"

    // @start region="right"
    static CompletableFuture<Void> answer(CompletableFuture<String> quote, Duration timeout, ExecutorService executor) {
        return quote.completeOnTimeout("no quote", timeout.toMillis(), TimeUnit.MILLISECONDS)
                .thenAcceptAsync(BlockedTimerThread::writeToClient, executor);
    }
    // @end region="right"

    private static final AtomicReference<String> WRITER = new AtomicReference<>();
    private static volatile CountDownLatch writing;
    private static volatile CountDownLatch looked;

    /** A slow client: two seconds, or until the program has looked. */
    private static void writeToClient(String text) {
        WRITER.set(Thread.currentThread().isVirtual() ? "a virtual thread" : Thread.currentThread().getName());
        writing.countDown();
        try {
            looked.await(2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * When an unrelated timeout of 20 ms fires while the client is written to, for 300 ms if it does not fire before.
     */
    private static long otherTimeout() throws InterruptedException, ExecutionException {
        writing.await();
        long start = System.nanoTime();
        var other = new CompletableFuture<String>().completeOnTimeout("", 20, TimeUnit.MILLISECONDS);
        try {
            other.get(300, TimeUnit.MILLISECONDS); // waits in its own thread
        } catch (TimeoutException e) {
            // it is late
        }
        looked.countDown();
        other.join();
        return (System.nanoTime() - start) / 1_000_000;
    }

    public static void main(String[] args) throws Exception {
        int jdk = Runtime.version().feature();
        var timeout = Duration.ofMillis(50);
        long late;
        do {
            writing = new CountDownLatch(1);
            looked = new CountDownLatch(1);
            var wrong = answer(new CompletableFuture<>(), timeout);
            late = otherTimeout();
            wrong.join();
        } while (WRITER.get().equals("main")); // a busy machine: registered after the timeout
        System.out.println("wrong: JDK " + jdk + ", callback on " + WRITER + ": another timeout of 20 ms fired after "
                + late + " ms");
        check(late >= 300, "the timer thread was blocked");
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            writing = new CountDownLatch(1);
            looked = new CountDownLatch(1);
            var right = answer(new CompletableFuture<>(), timeout, executor);
            long inTime = otherTimeout();
            System.out.println("right: JDK " + jdk + ", callback on " + WRITER
                    + ": another timeout of 20 ms fired after " + inTime + " ms");
            check(WRITER.get().equals("a virtual thread"), "the timer thread is free");
            right.join();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
