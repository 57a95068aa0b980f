import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * UnresponsiveCalls: each outcome goes to one place, an interrupt never meets the handler, the thread is given back.
 */
public final class UnresponsiveCallsScenario {
    public static void main(String[] args) throws Exception {
        var told = new AtomicInteger();
        var calls = new UnresponsiveCalls(1, (call, outcome) -> {
            check(!Thread.currentThread().isInterrupted(), "the handler meets no interrupt");
            told.addAndGet((Integer) outcome.resultNow());
        });
        int got = 0;
        try {
            got = calls.call("deaf", () -> {
                try {
                    Thread.sleep(10);
                } catch (InterruptedException e) {
                    // not heeded
                }
                return 5;
            }, Duration.ofMillis(10));
        } catch (TimeoutException e) {
            check(e.getMessage().startsWith("deaf"), "named");
        }
        check(calls.call("next", () -> 2, Duration.ofDays(1)) == 2, "the thread is free");
        check(got + told.get() == 5, "one place: " + got + " " + told);
        check(calls.abandoned() == 0, "none is left behind");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
