import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** CpuBoundPool: the closing thread is interrupted: what runs is interrupted, once, what waits is withdrawn. */
public final class CpuBoundPoolCloseScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var pool = new CpuBoundPool(1);
        var accepted = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        Thread running = Thread.ofVirtual().start(() -> {
            try {
                pool.call(() -> {
                    for (int i = 0; i < 2; i++) {
                        accepted.countDown();
                        try {
                            Thread.sleep(i == 0 ? Duration.ofDays(9) : Duration.ofMillis(10));
                        } catch (InterruptedException e) {
                            interrupts.incrementAndGet();
                        }
                    }
                    return ended.incrementAndGet();
                });
            } catch (InterruptedException | ExecutionException e) {
                check(e instanceof InterruptedException, "it did not fail");
            } catch (CancellationException | RejectedExecutionException e) {
                check(ended.get() == 0, "withdrawn before it began");
            }
        });
        Thread closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            pool.close();
            check(Thread.interrupted(), "its flag is set again");
            check(interrupts.get() == ended.get(), "ended, told once: " + interrupts);
        });
        Thread waiting = Thread.ofVirtual().start(() -> {
            try {
                accepted.await();
                check(pool.call(() -> 2) == 2 && ended.get() == 1, "in turn");
            } catch (CancellationException | RejectedExecutionException e) {
                check(e.getMessage() != null, "says why");
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError("withdrawn, not failed", e);
            }
        });
        running.interrupt();
        closer.join();
        running.join();
        accepted.countDown();
        waiting.join();
        withdraws();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "interrupted, not out of time");
    }

    /** One runs, one is queued, and then the closing thread is interrupted. */
    private static void withdraws() throws InterruptedException {
        var pool = new CpuBoundPool(1);
        var begun = new CountDownLatch(1);
        var withdrawn = new AtomicInteger();
        Thread running = Thread.ofVirtual().start(() -> {
            try {
                pool.call(() -> {
                    begun.countDown();
                    new CountDownLatch(1).await();
                    return 1;
                });
                check(false, "told to stop");
            } catch (ExecutionException e) {
                check(e.getCause() instanceof InterruptedException, "told to stop");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        begun.await();
        Thread queued = Thread.ofVirtual().start(() -> {
            try {
                pool.call(() -> {
                    throw new AssertionError("withdrawn");
                });
            } catch (CancellationException e) {
                withdrawn.incrementAndGet();
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        while (queued.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        Thread.currentThread().interrupt();
        pool.close();
        check(Thread.interrupted(), "its flag is set again");
        running.join();
        queued.join();
        check(withdrawn.get() == 1, "withdrawn");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
