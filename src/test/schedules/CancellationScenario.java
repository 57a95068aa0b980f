import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Cancellation: cancel() beside the end and two close(): one of them cancels, one interrupt, ended after close(). */
public final class CancellationScenario {
    public static void main(String[] args) throws Exception {
        var ended = new AtomicInteger();
        var task = Cancellation.Task.start("task", () -> {
            ended.incrementAndGet();
            return 1;
        });
        var first = new AtomicInteger();
        Thread other = Thread.ofVirtual().start(() -> {
            first.addAndGet(task.cancel() ? 1 : 0);
            task.close();
        });
        first.addAndGet(task.cancel() ? 1 : 0);
        try {
            check(task.result() == 1 && ended.get() == 1 && first.get() == 0, "the result");
        } catch (CancellationException e) {
            check(ended.get() <= 1 && e.getCause() == null, "cancelled");
        }
        other.join();
        check(first.get() <= 1 && task.awaitEnd(Duration.ZERO), "told once, and ended");

        var interrupts = new AtomicInteger();
        var endless = Cancellation.Task.start("endless", () -> {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
            }
            interrupts.addAndGet(Thread.interrupted() ? 1 : 0);
            return null;
        });
        Thread closer = Thread.ofVirtual().start(endless::close);
        endless.close();
        closer.join();
        check(interrupts.get() <= 1 && endless.awaitEnd(Duration.ZERO), "one interrupt");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
