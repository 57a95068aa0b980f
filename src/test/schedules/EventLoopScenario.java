import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * EventLoop: an interrupted call() either never ran or returns its outcome; close() runs what was accepted, in order.
 */
public final class EventLoopScenario {
    private static int state; // touched by the loop alone

    public static void main(String[] args) throws InterruptedException {
        state = 0;
        var loop = new EventLoop("loop", 3);
        var ran = new AtomicInteger();
        var refused = new AtomicInteger();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                int value = loop.call(() -> {
                    state++;
                    return ran.incrementAndGet();
                });
                check(value == 1, "its outcome");
            } catch (InterruptedException e) {
                check(ran.get() == 0, "it has not run");
            } catch (ExecutionException | RejectedExecutionException e) {
                check(ran.get() == 0, "refused");
            }
        });
        Thread poster = Thread.ofVirtual().start(() -> {
            try {
                loop.post(() -> state += 10);
            } catch (RejectedExecutionException e) {
                refused.incrementAndGet();
            }
        });
        caller.interrupt();
        loop.close();
        caller.join();
        poster.join();
        check(state == ran.get() + 10 * (1 - refused.get()), "what was accepted ran, nothing else: " + state);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
