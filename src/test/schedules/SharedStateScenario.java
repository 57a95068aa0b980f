import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** SharedState: nothing is lost beside an interrupt and a time limit; an action runs wholly or not at all. */
public final class SharedStateScenario {

    public static void main(String[] args) throws InterruptedException {
        var state = new SharedState<>(new int[2]);
        var done = new int[2];
        Thread interrupted = Thread.ofVirtual().start(() -> {
            try {
                done[0] = state.locked(SharedStateScenario::raise);
            } catch (InterruptedException e) {
                // not run
            }
        });
        Thread limited = Thread.ofVirtual().start(() -> {
            try {
                done[1] = state.locked(Duration.ofNanos(5), SharedStateScenario::raise);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } catch (TimeoutException e) {
                // not run
            }
        });
        interrupted.interrupt();
        state.locked(SharedStateScenario::raise);
        interrupted.join();
        limited.join();
        int[] end = state.locked(numbers -> numbers.clone());
        if (end[0] != end[1] || end[0] != 1 + done[0] + done[1]) {
            throw new AssertionError(end[0] + ", " + end[1] + " after " + done[0] + done[1]);
        }
    }

    private static int raise(int[] numbers) {
        numbers[0]++;
        numbers[1]++;
        return 1;
    }
}
