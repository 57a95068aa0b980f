import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * CompletionCallbacks: each callback once, in order, after the end, whether cancelled or not; await() waits for those
 * registered.
 */
public final class CompletionCallbacksScenario {
    public static void main(String[] args) throws InterruptedException {
        var ended = new AtomicInteger();
        var calls = new ArrayList<String>(); // one at a time, and await() comes after: no lock
        var task = CompletionCallbacks.Task.start("task", () -> {
            ended.incrementAndGet();
            return 1;
        }, (thread, e) -> {
            throw new AssertionError(e);
        });
        Thread other = Thread.ofVirtual().start(task::cancel);
        for (String name : List.of("a", "b")) {
            task.onDone(outcome -> {
                check(ended.get() == 1 && !Thread.currentThread().isInterrupted(), "after the end, without the flag");
                calls.add(name);
            });
        }
        var outcome = task.await();
        check(calls.equals(List.of("a", "b")), "each once, in order: " + calls);
        other.join();
        boolean cancelled = outcome instanceof CompletionCallbacks.Outcome.Cancelled<Integer>;
        check(cancelled || outcome.equals(new CompletionCallbacks.Outcome.Success<>(1)), "one outcome");
        check(task.await() == outcome && !task.cancel(), "and it stays");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
