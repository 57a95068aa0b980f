import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** ConditionVariable: refused from within; an action that throws has changed the state, and who waits sees it. */
public final class ConditionVariableReentryScenario {
    public static void main(String[] args) throws InterruptedException, TimeoutException {
        var number = new ConditionVariable<>(new AtomicInteger());
        Thread waiter = Thread.ofVirtual().start(() -> {
            try {
                check(number.when(state -> state.get() == 1, AtomicInteger::get) == 1, "what was changed first");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        try {
            number.update(state -> {
                state.set(1);
                try {
                    return number.when(again -> true, Duration.ofDays(9), AtomicInteger::get);
                } catch (InterruptedException | TimeoutException e) {
                    throw new AssertionError(e);
                }
            });
            check(false, "re-entered");
        } catch (IllegalStateException e) {
            waiter.join();
        }
        Thread interrupted = Thread.ofVirtual().start(() -> {
            try {
                number.when(state -> false, AtomicInteger::incrementAndGet);
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "told once");
            }
        });
        interrupted.interrupt();
        interrupted.join();
        check(number.when(state -> true, Duration.ZERO, AtomicInteger::get) == 1, "its action has not run");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
