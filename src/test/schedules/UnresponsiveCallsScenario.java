import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
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
            told.addAndGet(call.equals("deaf") ? (Integer) outcome.resultNow() : 0);
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
        for (int next = 0; next != 2; ) {
            try {
                next = calls.call("next", () -> 2, Duration.ofDays(1));
            } catch (RejectedExecutionException | TimeoutException e) {
                next = 0; // the clock may run ahead by a day
            }
        }
        check(got + told.get() == 5, "one place: " + got + " " + told);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
