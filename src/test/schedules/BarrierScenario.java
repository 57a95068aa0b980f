import java.time.Duration;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Barrier: a round ends for all or for none; an interrupted party breaks it, and the next one is whole. */
public final class BarrierScenario {
    public static void main(String[] args) throws InterruptedException {
        var barrier = new Barrier(2);
        var passed = new AtomicInteger();
        var broken = new AtomicInteger();
        var arrivals = new AtomicInteger();
        Thread other = Thread.ofVirtual().start(() -> party(barrier, passed, broken, arrivals));
        Thread interrupter = Thread.ofVirtual().start(other::interrupt);
        party(barrier, passed, broken, arrivals);
        other.join();
        interrupter.join();
        check(passed.get() == 2 && arrivals.get() == 1, "both passed in the end, one as first: " + passed);
        check(broken.get() <= 2, "one round at most is broken: " + broken);
        check(barrier.waiting() == 0 && !barrier.isAborted(), "nobody waits");
    }

    private static void party(Barrier barrier, AtomicInteger passed, AtomicInteger broken, AtomicInteger arrivals) {
        while (true) {
            try {
                arrivals.addAndGet(barrier.await(Duration.ofDays(9)));
                passed.incrementAndGet();
                return;
            } catch (BrokenBarrierException | InterruptedException e) {
                broken.incrementAndGet();
            } catch (TimeoutException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
