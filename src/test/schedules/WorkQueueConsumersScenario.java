import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** WorkQueue: consumers end when all is done, when all have failed, or told once beside a second interrupt. */
public final class WorkQueueConsumersScenario {
    public static void main(String[] args) throws InterruptedException {
        done();
        allFail();
        twiceInterrupted();
    }

    private static void done() throws InterruptedException {
        var queue = new WorkQueue<Integer>(2);
        var handled = new AtomicInteger();
        queue.put(1);
        queue.put(2);
        queue.close();
        try {
            check(queue.consume(2, handled::addAndGet).isEmpty(), "none failed");
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
        queue.join();
        check(handled.get() == 3 && queue.closeNow().isEmpty(), "all done, and not stopped");
    }

    private static void allFail() throws InterruptedException {
        var queue = new WorkQueue<Integer>(2);
        queue.put(1);
        queue.put(2);
        try {
            queue.consume(2, item -> {
                throw new IllegalStateException("boom");
            });
            check(false, "every consumer failed");
        } catch (ExecutionException e) {
            check(e.getSuppressed().length == 1, "the first, and the other");
        }
        var left = queue.closeNow();
        check(left.size() == 2 && left.containsAll(List.of(1, 2)), "none is lost: " + left);
        try {
            queue.put(3);
            check(false, "stopped");
        } catch (WorkQueue.ClosedException e) {
            check(queue.size() == 0, "no put hangs");
        }
    }

    private static void twiceInterrupted() throws InterruptedException {
        var queue = new WorkQueue<Integer>(2);
        var begun = new CountDownLatch(1);
        var told = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        queue.put(1);
        queue.put(2);
        Thread owner = Thread.ofVirtual().start(() -> {
            try {
                queue.consume(1, item -> {
                    check(item == 1, "nothing is begun after it was told");
                    begun.countDown();
                    for (int i = 0; i < 2; i++) {
                        try {
                            Thread.sleep(i == 0 ? Duration.ofDays(9) : Duration.ofSeconds(2));
                        } catch (InterruptedException e) {
                            interrupts.incrementAndGet();
                            told.countDown();
                        }
                    }
                    ended.incrementAndGet();
                });
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(Thread.interrupted() && ended.get() == 1, "ended; the second one is kept in the flag");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        begun.await();
        owner.interrupt();
        told.await();
        owner.interrupt();
        owner.join();
        check(interrupts.get() == 1, "told once: " + interrupts);
        check(queue.closeNow().equals(List.of(2)), "what is not done");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
