import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Offload: so many run and wait, no more; each is told once, whoever cancels and closes; dependents are not told. */
public final class OffloadCloseScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        bounds();
        closes();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of time");
    }

    private static void bounds() throws InterruptedException {
        var offload = new Offload(1, 1);
        var go = new CountDownLatch(1);
        var inside = new AtomicInteger();
        var first = offload.call(() -> {
            check(inside.incrementAndGet() == 1, "one runs");
            go.await();
            return inside.decrementAndGet();
        });
        var second = offload.call(() -> {
            check(inside.incrementAndGet() == 1, "one runs");
            go.await();
            return inside.decrementAndGet();
        });
        check(offload.call(() -> 3).exceptionNow() instanceof RejectedExecutionException, "one runs, one waits");
        go.countDown();
        check(first.join() + second.join() == 0, "both have run");
        while (true) {
            var third = offload.call(() -> {
                throw new InterruptedException();
            });
            if (third.handle((value, failure) -> third.isCancelled()).join()) {
                break; // else their places are not free yet
            }
            Thread.onSpinWait();
        }
        offload.close();
    }

    private static void closes() throws InterruptedException {
        var offload = new Offload(2, 0);
        var interrupts = new AtomicInteger();
        var dependent = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var quick = offload.call(() -> {
            begun.await();
            try {
                offload.close();
                return check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                return 1;
            }
        });
        var after = quick.thenApply(value -> {
            dependent.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new AssertionError("a dependent is not told", e);
            }
            return value;
        });
        var slow = offload.call(() -> {
            for (int i = 0; i < 2; i++) {
                try {
                    Thread.sleep(i == 0 ? Duration.ofDays(9) : Duration.ofMillis(10));
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                }
            }
            return 2;
        });
        begun.countDown();
        dependent.await();
        Thread canceller = Thread.ofVirtual().start(() -> slow.cancel(true));
        Thread closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            offload.close();
            check(Thread.interrupted(), "the flag is set again");
        });
        canceller.join();
        release.countDown();
        closer.join();
        check(interrupts.get() <= 1 && slow.isDone(), "told once: " + interrupts);
        check(after.join() == 1, "its own outcome");
        beginsLate();
    }

    /** Accepted, and begins when the closing thread has been interrupted. */
    private static void beginsLate() throws InterruptedException {
        var offload = new Offload(1, 0);
        CompletableFuture<Integer> late = offload.call(() -> {
            Thread.sleep(Duration.ofDays(9));
            return 1;
        });
        Thread.currentThread().interrupt();
        offload.close();
        check(Thread.interrupted() && late.isCancelled(), "told, too");
    }

    private static int check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
        return 1;
    }
}
