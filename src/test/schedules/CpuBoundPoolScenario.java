import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * CpuBoundPool: a caller who is interrupted beside a close that is, too: the running job hears one interrupt and has
 * ended when call() returns, the waiting one is withdrawn or runs, nobody waits for ever.
 */
public final class CpuBoundPoolScenario {
    public static void main(String[] args) throws InterruptedException {
        var pool = new CpuBoundPool(1);
        var interrupts = new AtomicInteger();
        var inside = new AtomicInteger();
        Thread running = Thread.ofVirtual().start(() -> {
            try {
                int value = pool.call(() -> {
                    inside.incrementAndGet();
                    try {
                        Thread.sleep(10);
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                        throw e;
                    } finally {
                        inside.decrementAndGet();
                    }
                    return 1;
                });
                check(value == 1, "the value");
            } catch (InterruptedException | ExecutionException | CancellationException | RejectedExecutionException e) {
                check(inside.get() == 0, "it has ended");
            }
        });
        Thread waiting = Thread.ofVirtual().start(() -> {
            try {
                check(pool.call(() -> 2) == 2, "its own value");
            } catch (InterruptedException e) {
                throw new AssertionError("nobody interrupted this caller", e);
            } catch (ExecutionException | CancellationException | RejectedExecutionException e) {
                check(!(e instanceof ExecutionException), "it did not fail");
            }
        });
        running.interrupt();
        Thread.currentThread().interrupt();
        pool.close();
        check(Thread.interrupted(), "the flag is kept");
        running.join();
        waiting.join();
        check(interrupts.get() <= 1 && inside.get() == 0, "interrupted once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
