import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** FutureBridge: an interrupt or a limit beside the completion: the result is returned, or the stage is cancelled. */
public final class FutureBridgeScenario {
    public static void main(String[] args) throws InterruptedException {
        var future = new CompletableFuture<Integer>();
        var outcome = new String[1];
        Thread waiter = Thread.ofVirtual().start(() -> {
            try {
                outcome[0] = FutureBridge.await(future, Duration.ofMillis(10)) + " " + Thread.interrupted();
            } catch (InterruptedException | TimeoutException e) {
                outcome[0] = future.isCancelled() ? "cancelled" : "lost";
            } catch (ExecutionException e) {
                outcome[0] = "failed";
            }
        });
        Thread completer = Thread.ofVirtual().start(() -> future.complete(7));
        waiter.interrupt();
        completer.join();
        waiter.join();
        check(future.isCancelled() ? outcome[0].equals("cancelled") : outcome[0].startsWith("7 "), outcome[0]);

        var left = new CompletableFuture<Integer>();
        var sum = FutureBridge.cancelling(left.thenApply(x -> x), left);
        sum.cancel(true);
        check(left.isCancelled(), "carried back");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
