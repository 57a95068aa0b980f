import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** CallbackBridge: an answer beside an interrupt and a limit: it is returned or released, never both, never neither. */
public final class CallbackBridgeScenario {
    public static void main(String[] args) throws InterruptedException {
        var released = new AtomicInteger();
        var received = new AtomicInteger();
        var cancels = new AtomicInteger();
        var api = new Thread[1];
        Thread caller = Thread.ofVirtual().unstarted(() -> {
            try {
                received.addAndGet(CallbackBridge.<Integer>await(callback -> {
                    api[0] = Thread.ofVirtual().start(() -> callback.success(1));
                    return cancels::incrementAndGet;
                }, Duration.ofMillis(10), released::addAndGet));
                check(cancels.get() == 0, "an answer cancels nothing");
            } catch (InterruptedException | TimeoutException e) {
                check(received.get() == 0 && (api[0] == null || cancels.get() == 1), "cancelled once");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        caller.start();
        caller.interrupt();
        caller.join();
        if (api[0] != null) {
            api[0].join();
            check(received.get() + released.get() == 1, "one place: " + received + " " + released);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
