import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** BackgroundTasks: cancel() beside two close(): one interrupt, a failure is told once and before close() returns. */
public final class BackgroundTasksScenario {
    public static void main(String[] args) throws InterruptedException {
        var told = new AtomicInteger();
        var late = new AtomicInteger();
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        var tasks = new BackgroundTasks(2, Duration.ofDays(1), (task, cause) -> {
            (cause instanceof TimeoutException ? late : told).incrementAndGet(); // the clock may run ahead by days
        });
        var waiting = tasks.start("waiting", () -> {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
            }
            if (Thread.interrupted()) {
                interrupts.incrementAndGet();
            }
            ended.incrementAndGet();
        });
        tasks.start("failing", () -> {
            ended.incrementAndGet();
            throw new IllegalStateException("boom");
        });
        Thread closer = Thread.ofVirtual().start(() -> {
            tasks.close();
            check(ended.get() == 2 && told.get() == 1 || late.get() > 0, "all ended and told at the end of close");
        });
        waiting.cancel();
        tasks.close();
        check(ended.get() == 2 && told.get() == 1 || late.get() > 0, "all ended and told at the end of close");
        closer.join();
        check(interrupts.get() == 1 || late.get() > 0, "one interrupt, not " + interrupts);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
