import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

/** DeadlinePropagation: lock() and take() in time or with an exception; nothing begins after the deadline. */
public final class DeadlinePropagationWaitsScenario {
    public static void main(String[] args) throws Exception {
        var lock = new ReentrantLock();
        var queue = new LinkedBlockingQueue<Integer>();
        var deadline = DeadlinePropagation.Deadline.after(Duration.ofMillis(10));
        lock.lock();
        Thread waiter = Thread.ofVirtual().start(() -> {
            try {
                deadline.lock(lock);
                check(lock.isHeldByCurrentThread(), "never without the lock");
                lock.unlock();
            } catch (TimeoutException e) {
                check(deadline.hasPassed(), "not before it has passed");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread taker = Thread.ofVirtual().start(() -> {
            try {
                check(deadline.take(queue) == 7, "never null");
            } catch (TimeoutException e) {
                check(deadline.hasPassed(), "not before it has passed");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread.sleep(Duration.ofMillis(10));
        queue.add(7);
        lock.unlock();
        waiter.join();
        taker.join();
        Thread.sleep(Duration.ofMillis(10));
        try {
            deadline.all(List.of(late -> check(false, "not begun")));
            check(false, "it has passed");
        } catch (TimeoutException e) {
            check(!deadline.fits(Duration.ZERO) && deadline.nanos() == 0, "nothing is left");
        }
        try {
            DeadlinePropagation.Deadline.after(Duration.ofDays(9)).all(List.of(late -> late.take(queue), late -> {
                throw new IllegalStateException("boom");
            }));
            check(false, "one failed");
        } catch (ExecutionException e) {
            check(queue.size() <= 1, "its failure, not the time: " + e.getCause());
        }
    }

    private static int check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
        return 1;
    }
}
