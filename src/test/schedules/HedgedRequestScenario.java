import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * HedgedRequest: two attempts, a caller who is interrupted twice: each attempt hears one, all have ended, no hedge is
 * lost.
 */
public final class HedgedRequestScenario {
    public static void main(String[] args) throws Exception {
        var hedged = new HedgedRequest(Duration.ofMillis(10), 2, 1);
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        var twice = new AtomicInteger();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                int result = hedged.call(() -> {
                    int mine = begun.incrementAndGet();
                    try {
                        Thread.sleep(mine == 1 ? 30 : 10);
                        return mine;
                    } catch (InterruptedException e) {
                        Thread.yield();
                        twice.addAndGet(Thread.interrupted() ? 1 : 0);
                        throw e;
                    } finally {
                        ended.incrementAndGet();
                    }
                });
                check(result == 1 || result == 2, "the first answer");
            } catch (InterruptedException e) {
                check(begun.get() <= 2, "interrupted");
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
            check(begun.get() == ended.get(), "every attempt has ended");
        });
        caller.interrupt();
        caller.interrupt();
        caller.join();
        check(twice.get() == 0, "one interrupt each");
        check(hedged.call(() -> 7) == 7, "and again");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
