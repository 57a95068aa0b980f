import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** CpuBoundPool: interrupted while queued nothing has begun, while running it has ended; failures as they are. */
public final class CpuBoundPoolLeaveScenario {
    public static void main(String[] args) throws InterruptedException {
        queued();
        twice();
    }

    private static void queued() throws InterruptedException {
        var pool = new CpuBoundPool(1);
        var left = new CountDownLatch(1);
        Thread runs = Thread.ofVirtual().start(() -> {
            try {
                pool.call(() -> {
                    left.await();
                    try {
                        pool.call(() -> 1);
                        return check(false, "in a job of this pool");
                    } catch (IllegalStateException e) {
                        throw new IllegalStateException("as it is");
                    }
                });
                check(false, "it failed");
            } catch (ExecutionException e) {
                check(e.getCause().getMessage().equals("as it is"), "its failure: " + e.getCause());
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread queued = Thread.ofVirtual().start(() -> {
            try {
                pool.call(() -> {
                    left.await();
                    return 1;
                });
            } catch (InterruptedException e) {
                left.countDown();
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        queued.interrupt();
        queued.join();
        runs.join();
        pool.close();
    }

    private static void twice() throws InterruptedException {
        var pool = new CpuBoundPool(1);
        var told = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var ended = new AtomicInteger();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                pool.call(() -> {
                    while (true) {
                        try {
                            CpuBoundPool.checkpoint();
                            Thread.onSpinWait();
                        } catch (InterruptedException e) {
                            interrupts.incrementAndGet();
                            told.countDown();
                            sleep(2_000, interrupts);
                            ended.incrementAndGet();
                            throw new IllegalStateException("cleanup");
                        }
                    }
                });
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(ended.get() == interrupts.get() && ended.get() <= 1, "it has ended, told once: " + interrupts);
                check(e.getSuppressed().length == ended.get(), "what it threw is suppressed");
                check(ended.get() == 0 || Thread.interrupted(), "the second interrupt is kept in the flag");
            } catch (ExecutionException | CancellationException e) {
                throw new AssertionError(e);
            }
        });
        Thread again = Thread.ofVirtual().start(() -> {
            try {
                if (told.await(Duration.ofHours(1).toNanos(), java.util.concurrent.TimeUnit.NANOSECONDS)) {
                    caller.interrupt();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        caller.interrupt();
        caller.join();
        again.join();
        pool.close();
    }

    private static void sleep(long millis, AtomicInteger interrupts) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            interrupts.incrementAndGet();
        }
    }

    private static int check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
        return 1;
    }
}
