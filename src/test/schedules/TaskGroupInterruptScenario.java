import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * TaskGroup: the owner is interrupted twice while it joins; the task hears one interrupt, and the second is kept in
 * the flag.
 */
public final class TaskGroupInterruptScenario {
    public static void main(String[] args) throws Exception {
        var begun = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        Thread owner = Thread.ofVirtual().start(() -> {
            try (var group = TaskGroup.failFast()) {
                group.fork(() -> {
                    begun.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                    }
                    Thread.yield();
                    if (Thread.interrupted()) {
                        interrupts.incrementAndGet();
                    }
                    ended.incrementAndGet();
                    throw new IllegalStateException("cleanup");
                });
                group.join();
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(ended.get() == 1 && e.getSuppressed().length == 1, "ended, and its failure is suppressed");
            } catch (ExecutionException e) {
                check(false, "interrupted, not failed");
            }
        });
        begun.await();
        owner.interrupt();
        owner.interrupt();
        owner.join();
        check(interrupts.get() == 1, "one interrupt, not " + interrupts);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
