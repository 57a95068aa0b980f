import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Offload: a cancel beside a close whose thread is interrupted is one interrupt at most; every call ends, its place is
 * free again, and no flag reaches a dependent.
 */
public final class OffloadScenario {
    public static void main(String[] args) throws InterruptedException {
        var offload = new Offload(1, 1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        CompletableFuture<Integer> first = offload.call(() -> {
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                ended.incrementAndGet();
                throw e;
            }
            ended.incrementAndGet();
            return 1;
        });
        var second = offload.call(() -> {
            Thread.currentThread().interrupt(); // a flag left behind
            return 2;
        }).handle((value, failure) -> {
            check(!Thread.currentThread().isInterrupted(), "the dependent meets no flag");
            return failure == null ? value : -1;
        });
        Thread canceller = Thread.ofVirtual().start(() -> first.cancel(true));
        Thread closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            offload.close();
            check(Thread.interrupted(), "the flag is kept");
        });
        canceller.join();
        closer.join();
        check(first.isDone() && second.isDone(), "close() has waited");
        check(interrupts.get() <= 1 && ended.get() <= 1, "interrupted once");
        int value = second.join();
        check(value == 2 || value == -1, "its own outcome: " + value);
        check(offload.call(() -> 3).exceptionNow() instanceof RejectedExecutionException, "closed");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
