import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** ChunkedProcessing: a failure beside an interrupt of the caller: all before done() is done, and no action runs on. */
public final class ChunkedProcessingScenario {

    public static void main(String[] args) throws InterruptedException {
        var processing = new ChunkedProcessing(1, 2);
        var handled = new AtomicIntegerArray(3);
        var over = new boolean[1];
        Thread owner = Thread.ofVirtual().start(() -> {
            try {
                processing.run(List.of(0, 1, 2).iterator(), (first, chunk) -> {
                    check(!over[0], "after the end");
                    if (first == 1) {
                        throw new IllegalStateException("broken");
                    }
                    handled.incrementAndGet((int) first);
                });
                throw new AssertionError("no failure");
            } catch (ExecutionException e) {
                check(e.getCause() instanceof IllegalStateException, "" + e.getCause());
            } catch (InterruptedException e) {
                // the caller's own
            }
            over[0] = true;
        });
        owner.interrupt();
        owner.join();
        check(processing.done() <= 1, "done " + processing.done());
        for (int i = 0; i < 3; i++) {
            check(handled.get(i) <= 1 && (i >= processing.done() || handled.get(i) == 1),
                    i + " of " + processing.done());
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError(what);
        }
    }
}
