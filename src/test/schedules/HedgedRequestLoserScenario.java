import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** HedgedRequest: a second attempt after the delay wins, the loser has ended; as many hedges as may, given back. */
public final class HedgedRequestLoserScenario {
    public static void main(String[] args) throws Exception {
        long start = System.nanoTime();
        var hedged = new HedgedRequest(Duration.ofHours(1), 2, 1);
        for (int i = 0; i < 2; i++) {
            var attempts = new AtomicInteger();
            var interrupts = new AtomicInteger();
            Thread caller = Thread.currentThread();
            int answer = hedged.call(() -> {
                int mine = attempts.incrementAndGet();
                if (mine == 1) {
                    try {
                        Thread.sleep(Duration.ofDays(9));
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                        caller.interrupt(); // while it waits for the losers
                    }
                }
                return mine;
            });
            check(answer == 2 && interrupts.get() == 1, "the second one, and the loser was told once");
            check(Thread.interrupted(), "the flag is kept");
        }
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "hedged in time");
        try {
            hedged.call(() -> {
                throw new IllegalStateException("boom");
            });
            check(false, "it failed");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom"), "its failure");
        }
        var attempts = new AtomicInteger();
        check(new HedgedRequest(Duration.ofMillis(1), 9, 0).call(() -> {
            Thread.sleep(Duration.ofHours(1));
            return attempts.incrementAndGet();
        }) == 1, "never hedges");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
