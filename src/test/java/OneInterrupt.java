import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Work that is to be interrupted once: it waits for ever, and then cleans up until {@link #release}. Whoever interrupts
 * it a second time is counted; whoever does not wait for it leaves it running.
 */
final class OneInterrupt {

    final CountDownLatch begun;
    final CountDownLatch cleaning;
    final AtomicInteger second = new AtomicInteger();
    final AtomicInteger running = new AtomicInteger();
    private final CountDownLatch released = new CountDownLatch(1);

    OneInterrupt(int tasks) {
        begun = new CountDownLatch(tasks);
        cleaning = new CountDownLatch(tasks);
    }

    <T> T work() throws InterruptedException {
        running.incrementAndGet();
        try {
            begun.countDown();
            new CountDownLatch(1).await();
            return null;
        } finally {
            cleaning.countDown();
            while (released.getCount() > 0) {
                try {
                    released.await();
                } catch (InterruptedException e) {
                    second.incrementAndGet();
                }
            }
            running.decrementAndGet();
        }
    }

    <T> Callable<T> task() {
        return this::work;
    }

    void release() {
        released.countDown();
    }

    /**
     * Interrupts the caller while the tasks work, and again while they clean up: each hears the first only, and the
     * caller returns when all have ended, with its flag set.
     */
    static void ofACallerInterruptedTwice(int tasks, Call call) throws Exception {
        var work = new OneInterrupt(tasks);
        var left = new CompletableFuture<String>();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                call.run(work);
                left.complete("returned");
            } catch (InterruptedException e) {
                left.complete("InterruptedException, flag " + Thread.currentThread().isInterrupted()
                        + ", running " + work.running);
            } catch (Throwable e) {
                left.completeExceptionally(e);
            }
        });
        work.begun.await();
        caller.interrupt();
        work.cleaning.await();
        caller.interrupt();
        while (caller.isInterrupted() && caller.getState() != Thread.State.WAITING) {
            Thread.sleep(1); // until the wait has seen it, or keeps it
        }
        work.release();
        assertEquals("InterruptedException, flag true, running 0", left.get());
        assertEquals(0, work.second.get(), "second interrupts of a cleanup");
    }

    interface Call {
        void run(OneInterrupt work) throws Exception;
    }

    /** The tasks are stopped by something else than the caller's interrupt, which comes while they clean up. */
    static void ofACallerInterruptedAfterwards(int tasks, Class<? extends Exception> thrown,
            Call call) throws Exception {
        var work = new OneInterrupt(tasks);
        var left = new CompletableFuture<String>();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                call.run(work);
                left.complete("returned");
            } catch (ExecutionException | TimeoutException | IllegalStateException e) {
                left.complete(e.getClass().getSimpleName() + ", flag " + Thread.currentThread().isInterrupted()
                        + ", running " + work.running);
            } catch (Throwable e) {
                left.completeExceptionally(e);
            }
        });
        assertTrue(work.cleaning.await(500, java.util.concurrent.TimeUnit.SECONDS));
        while (caller.getState() != Thread.State.WAITING) {
            Thread.sleep(1); // an inner layer may have stopped them before the caller's own limited wait is over
        }
        caller.interrupt();
        Thread.sleep(Duration.ofMillis(5)); // a second interrupt, if there is one, is on its way
        work.release();
        assertEquals(thrown.getSimpleName() + ", flag true, running 0", left.get());
        assertEquals(0, work.second.get(), "second interrupts of a cleanup");
    }
}
