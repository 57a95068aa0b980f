import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** PartialFailure: the last failure that may be aborts, told once; below it all go on, and an interrupt is kept. */
public final class PartialFailureAbortScenario {
    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        var begun = new AtomicInteger();
        var outcomes = PartialFailure.<Integer, Integer>map(List.of(0, 1, 2), 1, 2, item -> {
            begun.incrementAndGet();
            if (item == 0) {
                throw new IllegalStateException("boom");
            }
            return item;
        });
        check(begun.get() == 3 && outcomes.get(0) instanceof PartialFailure.Outcome.Failure, "one fails");
        check(outcomes.get(2).equals(new PartialFailure.Outcome.Success<>(2, 2)), "all the others go on");

        begun.set(0);
        var aborted = PartialFailure.<Integer, Integer>map(List.of(0, 1), 1, 1, item -> {
            begun.incrementAndGet();
            throw new IllegalStateException("boom");
        });
        check(begun.get() == 1, "no further item is started");
        check(aborted.get(1).equals(new PartialFailure.Outcome.Cancelled<>(1, false)), "untouched");

        Thread caller = Thread.currentThread();
        var interrupts = new AtomicInteger();
        var stopped = PartialFailure.<Integer, Integer>map(List.of(0, 1), 2, 1, item -> {
            if (item == 0) {
                throw new IllegalStateException("boom");
            }
            try {
                Thread.sleep(Duration.ofDays(9));
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                caller.interrupt(); // while it waits for the end
            }
            return item;
        });
        check(Thread.interrupted() || interrupts.get() == 0, "the flag is kept");
        check(stopped.get(1) instanceof PartialFailure.Outcome.Cancelled, "what it returns is dropped");
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "told, not out of time");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
