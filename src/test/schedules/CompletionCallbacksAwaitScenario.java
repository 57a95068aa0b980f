import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** CompletionCallbacks: await() without a callback, and within one; exactly a cancel() that says so is the outcome. */
public final class CompletionCallbacksAwaitScenario {
    public static void main(String[] args) throws InterruptedException {
        var self = new CompletionCallbacks.Task<?>[1];
        var refused = new AtomicInteger();
        var task = CompletionCallbacks.Task.start("quick", () -> 1, (thread, e) -> check(false, "none fails: " + e));
        self[0] = task;
        task.onDone(outcome -> {
            try {
                self[0].await();
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                refused.incrementAndGet();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        check(task.await().equals(new CompletionCallbacks.Outcome.Success<>(1)) && refused.get() == 1, "refused");
        check(!task.cancel(), "too late");

        var failed = new AtomicInteger();
        var waiting = CompletionCallbacks.Task.start("waiting", () -> {
            new CountDownLatch(1).await();
            return 1;
        }, (thread, e) -> failed.incrementAndGet());
        Thread canceller = Thread.ofVirtual().start(() -> {
            check(waiting.cancel() && !waiting.cancel(), "told once");
        });
        var outcome = waiting.await();
        canceller.join();
        check(outcome instanceof CompletionCallbacks.Outcome.Cancelled<Integer>, "cancelled: " + outcome);
        waiting.onDone(late -> {
            throw new IllegalStateException("boom");
        });
        waiting.onDone(late -> check(late == outcome, "the next one runs all the same"));
        check(waiting.await() == outcome && failed.get() == 1, "told of the failure");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
