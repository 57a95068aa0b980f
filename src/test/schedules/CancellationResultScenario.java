import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Cancellation: what a failure, a failed cleanup and the work's own close() become; a flag set again after cleanUp. */
public final class CancellationResultScenario {
    public static void main(String[] args) throws Exception {
        var self = new Cancellation.Task<?>[1];
        var begin = new CountDownLatch(1);
        var failing = Cancellation.Task.start("failing", () -> {
            begin.await();
            try {
                self[0].close();
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                throw new IllegalStateException("boom");
            }
            return 1;
        });
        self[0] = failing;
        begin.countDown();
        try {
            failing.result();
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom") && !failing.cancel(), "its failure");
        }

        var steps = new AtomicInteger();
        var cleaning = Cancellation.Task.start("cleaning", () -> {
            try {
                while (true) {
                    Cancellation.throwIfCancelled();
                    steps.compareAndSet(0, 1);
                    Thread.onSpinWait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                Cancellation.cleanUp(() -> Thread.sleep(1));
                check(Thread.interrupted(), "the flag is set again");
                throw new IllegalStateException("cleanup");
            }
        });
        while (steps.get() == 0) {
            Thread.onSpinWait();
        }
        check(cleaning.cancel() && !cleaning.cancel(), "told once");
        try {
            cleaning.result();
            check(false, "cancelled");
        } catch (CancellationException e) {
            check(e.getCause().getMessage().equals("cleanup"), "what its cleanup threw");
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
