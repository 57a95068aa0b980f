import java.util.concurrent.atomic.AtomicBoolean;

/** WorkQueue: a call that throws has put nothing, and costs the other ones no room and no wake-up. */
public final class WorkQueueInterruptScenario {
    public static void main(String[] args) throws InterruptedException {
        var queue = new WorkQueue<Integer>(1);
        var put = new AtomicBoolean();
        queue.put(1);
        Thread first = Thread.ofVirtual().start(() -> {
            try {
                queue.put(2);
                put.set(true);
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "the flag is cleared by the exception");
            }
        });
        Thread second = Thread.ofVirtual().start(() -> {
            try {
                queue.put(3);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        first.interrupt();
        int sum = queue.take() + queue.take();
        first.join();
        sum += put.get() ? queue.take() : 0;
        second.join();
        check(sum == (put.get() ? 6 : 4) && queue.size() == 0, "what was put: " + sum);
        queue.close();
        check(queue.closeNow().isEmpty(), "nothing left");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
