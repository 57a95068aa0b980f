import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** FutureBridge: an interrupt or the limit cancels the stage, or its outcome counts; failures come unwrapped. */
public final class FutureBridgeAwaitScenario {
    public static void main(String[] args) throws Exception {
        var both = new CompletableFuture<Integer>();
        Thread caller = Thread.ofVirtual().start(() -> {
            Thread me = Thread.currentThread();
            Thread completer = Thread.ofVirtual().start(() -> {
                me.interrupt();
                both.complete(7);
            });
            try {
                check(FutureBridge.await(both) == 7 && !both.isCancelled(), "its outcome counts");
                check(both.isDone() && joined(completer), "the flag is set again");
            } catch (InterruptedException e) {
                check(both.isCancelled() && !me.isInterrupted(), "cancelled, told once");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        caller.join();

        var never = new CompletableFuture<Integer>();
        Thread leaver = Thread.ofVirtual().start(() -> {
            try {
                FutureBridge.await(never);
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(never.isCancelled(), "cancelled");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        leaver.interrupt();
        leaver.join();

        var late = new CompletableFuture<Integer>();
        try {
            FutureBridge.await(late, Duration.ofMillis(1));
            check(false, "not done");
        } catch (TimeoutException e) {
            check(late.isCancelled(), "cancelled");
        }
        var failed = CompletableFuture.<Integer>failedFuture(
                new CompletionException(new CompletionException(
                        new CompletionException(new IllegalStateException("boom")))));
        try {
            FutureBridge.await(failed.thenApply(x -> x));
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom"), "unwrapped: " + e.getCause());
        }
    }

    /** Whether the flag was set: then join() says so. */
    private static boolean joined(Thread thread) {
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                return true;
            }
        }
        return Thread.interrupted();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
