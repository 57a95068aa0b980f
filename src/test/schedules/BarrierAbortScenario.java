import java.time.Duration;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Barrier: abort() ends the wait and all later ones, reset() takes it back; an interrupt at the door breaks the
 * round.
 */
public final class BarrierAbortScenario {
    public static void main(String[] args) throws Exception {
        long start = System.nanoTime();
        var barrier = new Barrier(2);
        var broken = new AtomicInteger();
        Thread waiting = Thread.ofVirtual().start(() -> waits(barrier, broken));
        barrier.abort();
        waiting.join();
        check(broken.get() == 1 && barrier.isAborted(), "aborted, for one that comes later too");
        barrier.reset();
        check(!barrier.isAborted(), "taken back");

        Thread party = Thread.ofVirtual().start(() -> waits(barrier, broken));
        while (barrier.waiting() == 0) {
            Thread.onSpinWait();
        }
        Thread.currentThread().interrupt();
        try {
            barrier.await(Duration.ofDays(9));
            check(false, "interrupted before all had come");
        } catch (InterruptedException e) {
            party.join();
        }
        check(broken.get() == 2 && barrier.waiting() == 0, "the round of the other one is over");

        int told = 0;
        var both = new AtomicInteger();
        Thread last = Thread.ofVirtual().start(() -> {
            try {
                barrier.await(Duration.ofDays(9));
                both.addAndGet(Thread.interrupted() ? 11 : 1);
            } catch (InterruptedException e) {
                both.addAndGet(10);
            } catch (BrokenBarrierException | TimeoutException e) {
                throw new AssertionError("whole again", e);
            }
        });
        Thread interrupter = Thread.ofVirtual().start(last::interrupt);
        try {
            barrier.await(Duration.ofHours(1));
            told = 1;
        } catch (BrokenBarrierException | TimeoutException e) {
            told = 0;
        }
        last.join();
        interrupter.join();
        check(both.get() % 10 == told, "a round ends for both or for none");
        check(told == 0 || both.get() == 11 || last.isInterrupted() || both.get() == 1, "the flag is kept: " + both);
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "woken, not out of time");
    }

    private static void waits(Barrier barrier, AtomicInteger broken) {
        try {
            barrier.await(Duration.ofDays(9));
            check(false, "nobody else comes");
        } catch (BrokenBarrierException e) {
            broken.incrementAndGet();
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
