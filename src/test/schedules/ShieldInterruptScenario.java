import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Shield: an outcome in the very moment of an interrupt has one place, and the interrupt is kept. */
public final class ShieldInterruptScenario {
    public static void main(String[] args) throws InterruptedException {
        var told = new AtomicInteger();
        int got = 0;
        var shield = new Shield((section, outcome) -> told.incrementAndGet());
        Thread caller = Thread.currentThread();
        try {
            got = shield.call("interrupts", () -> {
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
        shield.close();
        check(got + told.get() == 1, "one place: " + got + " " + told);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
