import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Shield: the outcome goes to exactly one place, and close() waits for the section. */
public final class ShieldScenario {
    public static void main(String[] args) throws Exception {
        var told = new AtomicInteger();
        var ended = new AtomicInteger();
        var shield = new Shield((section, outcome) -> told.addAndGet((Integer) outcome.resultNow()));
        Thread caller = Thread.currentThread();
        Thread interrupter = Thread.ofVirtual().start(caller::interrupt);
        int got = 0;
        try {
            got = shield.call("commit", () -> {
                Thread.sleep(10);
                check(!Thread.currentThread().isInterrupted(), "nobody interrupts the section");
                ended.incrementAndGet();
                return 5;
            }, Duration.ofMillis(10));
        } catch (TimeoutException | InterruptedException e) {
            check(shield.running().size() <= 1, "it goes on");
        }
        Thread other = Thread.ofVirtual().start(shield::close);
        shield.close();
        while (other.isAlive() || interrupter.isAlive()) {
            try {
                other.join();
                interrupter.join();
            } catch (InterruptedException e) {
                continue; // it came late
            }
        }
        check(got + told.get() == 5 * ended.get(), "one place: " + got + " " + told + " " + ended);
        check(shield.running().isEmpty(), "ended at the end of close");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
