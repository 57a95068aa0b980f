import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** UnresponsiveCalls: an outcome in the very moment of an interrupt has one place, and the interrupt is kept. */
public final class UnresponsiveCallsInterruptScenario {
    public static void main(String[] args) throws InterruptedException {
        var told = new AtomicInteger();
        int got = 0;
        var calls = new UnresponsiveCalls(1, (call, outcome) -> told.incrementAndGet());
        Thread caller = Thread.currentThread();
        try {
            got = calls.call("interrupts", () -> {
                caller.interrupt();
                Thread.yield(); // it may see that before there is an outcome
                return 1;
            }, Duration.ofDays(9));
            check(Thread.interrupted(), "the flag is set again");
        } catch (InterruptedException e) {
            check(!Thread.currentThread().isInterrupted(), "told once");
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
        while (got + told.get() == 0) {
            Thread.onSpinWait();
        }
        check(got + told.get() == 1, "one place: " + got + " " + told);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
