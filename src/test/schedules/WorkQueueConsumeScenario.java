import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** WorkQueue: the item of a consumer that fails is handled by the other one; all have ended when consume() returns. */
public final class WorkQueueConsumeScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        var queue = new WorkQueue<Integer>(2);
        var handled = new AtomicInteger();
        var inside = new AtomicInteger();
        var fails = new AtomicInteger(1);
        Thread producer = Thread.ofVirtual().start(() -> {
            try {
                queue.put(1);
                queue.put(2);
                queue.put(4);
                queue.close();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        var failures = queue.consume(2, item -> {
            inside.incrementAndGet();
            try {
                if (fails.getAndDecrement() > 0) {
                    throw new IllegalStateException("once");
                }
                handled.addAndGet(item);
            } finally {
                inside.decrementAndGet();
            }
        });
        check(handled.get() == 7, "each handled once: " + handled);
        check(failures.size() == 1 && inside.get() == 0, "one failed, all have ended");
        producer.join();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
