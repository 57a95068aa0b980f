import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** ConditionVariable: no wake-up is lost, also beside one that gives up; an action runs while its condition holds. */
public final class ConditionVariableScenario {
    public static void main(String[] args) throws InterruptedException {
        var account = new ConditionVariable<>(new int[1]);
        Thread payer = Thread.ofVirtual().start(() -> {
            try {
                account.update(state -> state[0] += 5);
                account.update(state -> state[0] += 5);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread impatient = Thread.ofVirtual().start(() -> {
            try {
                int got = account.when(state -> state[0] >= 5, Duration.ofMillis(1), state -> {
                    check(state[0] >= 5, "holds");
                    return state[0];
                });
                check(got == 5 || got == 10, "what was there: " + got);
            } catch (TimeoutException e) {
                return; // it may
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        int left = account.when(state -> state[0] >= 10, state -> {
            check(state[0] == 10, "all of it: " + state[0]);
            return state[0] -= 7;
        });
        check(left == 3, "left");
        payer.join();
        impatient.join();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
