import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** FirstCompleted: all begin; a late result beside an interrupt of the caller; all fail; one begins after another. */
public final class FirstCompletedLateScenario {
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    public static void main(String[] args) throws Exception {
        long start = System.nanoTime();
        late();
        fail();
        staggered();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "in time");
    }

    private static void late() throws InterruptedException, ExecutionException {
        var begun = new AtomicInteger();
        var given = new AtomicInteger();
        Thread caller = Thread.currentThread();
        Callable<Integer> quick = () -> begun.incrementAndGet() > 0 ? 1 : 0;
        Callable<Integer> slow = () -> {
            begun.incrementAndGet();
            try {
                NEVER.await();
            } catch (InterruptedException e) {
                caller.interrupt(); // while it waits for the losers
            }
            return 10;
        };
        int won = FirstCompleted.success(List.of(quick, slow), value -> {
            check(!Thread.currentThread().isInterrupted(), "the flag is cleared");
            given.addAndGet(value);
        });
        check(won == 1 && given.get() == 10 && begun.get() == 2, "both begin, the late one is given: " + given);
        check(Thread.interrupted(), "the flag is kept");
    }

    private static void fail() throws InterruptedException {
        Callable<Integer> failing = () -> {
            throw new IllegalStateException("boom");
        };
        try {
            FirstCompleted.success(List.of(failing, failing), value -> check(false, "none"));
            check(false, "all fail");
        } catch (ExecutionException e) {
            check(e.getCause().getMessage().equals("boom") && e.getSuppressed().length == 1, "and the other");
        }
        try {
            FirstCompleted.completion(List.of(failing, () -> {
                NEVER.await();
                return 1;
            }), value -> check(false, "none"));
            check(false, "the first decides");
        } catch (ExecutionException e) {
            check(e.getSuppressed().length == 0, "and no other");
        }
    }

    private static void staggered() throws InterruptedException, ExecutionException {
        var interrupts = new AtomicInteger();
        long start = System.nanoTime();
        int won = FirstCompleted.staggered(List.of(() -> {
            try {
                NEVER.await();
                return 1;
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                throw e;
            }
        }, () -> {
            check(System.nanoTime() - start >= Duration.ofHours(1).toNanos(), "not before the delay has passed");
            return 2;
        }), Duration.ofHours(1), value -> check(false, "none"));
        check(won == 2 && interrupts.get() == 1, "the second, and the first was told once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
