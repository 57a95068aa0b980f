import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** SettledGather: each to its end, in order, whatever fails; an interrupt of the caller tells each once. */
public final class SettledGatherScenario {
    public static void main(String[] args) throws InterruptedException {
        var begun = new CountDownLatch(2);
        Callable<Integer> meets = () -> {
            begun.countDown();
            begun.await();
            return 1;
        };
        Callable<Integer> fails = () -> {
            begun.countDown();
            throw new IllegalStateException("boom");
        };
        var outcomes = SettledGather.all(List.of(meets, fails));
        check(outcomes.get(0).equals(new SettledGather.Outcome.Success<>(1)), "its result");
        check(outcomes.get(1) instanceof SettledGather.Outcome.Failure<Integer>(Throwable cause)
                && cause.getMessage().equals("boom"), "its failure");

        var interrupts = new AtomicInteger();
        var running = new AtomicInteger();
        Callable<Integer> endless = () -> {
            running.incrementAndGet();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
            }
            Thread.yield();
            interrupts.addAndGet(Thread.interrupted() ? 10 : 0);
            running.decrementAndGet();
            return 1;
        };
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                SettledGather.all(List.of(endless, fails));
                check(false, "interrupted");
            } catch (InterruptedException e) {
                check(running.get() == 0 && interrupts.get() <= 1, "ended, told once: " + interrupts);
            }
        });
        caller.interrupt();
        caller.interrupt();
        caller.join();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
