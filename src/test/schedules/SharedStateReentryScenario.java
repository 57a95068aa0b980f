import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** SharedState: a call from within is refused, and the lock is free for others afterwards. */
public final class SharedStateReentryScenario {
    public static void main(String[] args) throws InterruptedException {
        var state = new SharedState<>(new AtomicInteger());
        Thread other = Thread.ofVirtual().start(() -> {
            try {
                state.locked(Duration.ofDays(9), AtomicInteger::incrementAndGet);
            } catch (InterruptedException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        for (boolean timed : new boolean[] {true, false}) {
            try {
                state.locked(number -> {
                    number.addAndGet(10);
                    try {
                        return timed ? state.locked(Duration.ZERO, AtomicInteger::get)
                                : state.locked(AtomicInteger::get);
                    } catch (InterruptedException | TimeoutException e) {
                        throw new AssertionError(e);
                    }
                });
                throw new AssertionError("re-entered");
            } catch (IllegalStateException e) {
                // and what it had changed stays
            }
        }
        other.join();
        int end = state.locked(AtomicInteger::get);
        if (end != 21) {
            throw new AssertionError("each once: " + end);
        }
    }
}
