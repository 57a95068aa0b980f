import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Pipeline: an interrupt of the caller at any time: all steps have ended, once interrupted, when it throws. */
public final class PipelineScenario {

    public static void main(String[] args) throws InterruptedException {
        var stored = new AtomicInteger();
        var done = new boolean[1];
        var outcome = new AtomicReference<Exception>();
        Thread owner = Thread.ofVirtual().start(() -> {
            try {
                Pipeline.from(List.of(1, 2).iterator(), 1).<Integer>stage("double", 1, (i, next) -> {
                    if (i == 2) {
                        new CountDownLatch(1).await();
                    }
                    next.send(2 * i);
                }).run(i -> {
                    check(!done[0], "after the end");
                    stored.addAndGet(i);
                });
                check(false, "through, and the second is still in its step");
            } catch (InterruptedException e) {
                outcome.set(e);
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
            done[0] = true;
        });
        owner.interrupt();
        owner.join();
        check(outcome.get().getSuppressed().length == 0, "suppressed");
        check(stored.get() <= 2, "stored " + stored);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError(what);
        }
    }
}
