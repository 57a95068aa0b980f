import java.time.Duration;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeoutException;

/** Barrier: a party that is interrupted as the round ends has passed, and finds the interrupt in its flag. */
public final class BarrierFlagScenario {
    public static void main(String[] args) throws InterruptedException {
        var barrier = new Barrier(2);
        var passed = new boolean[2];
        Thread first = Thread.ofVirtual().start(() -> {
            try {
                barrier.await(Duration.ofDays(9));
                passed[0] = true;
                check(Thread.interrupted(), "told before the other came");
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "told once");
            } catch (BrokenBarrierException | TimeoutException e) {
                throw new AssertionError(e);
            }
        });
        first.interrupt();
        try {
            barrier.await(Duration.ofHours(1));
            passed[1] = true;
        } catch (BrokenBarrierException | TimeoutException e) {
            check(!passed[1], "alone");
        }
        first.join();
        check(passed[0] == passed[1], "both or none");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
