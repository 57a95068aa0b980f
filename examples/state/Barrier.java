import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code Barrier(parties)} (3.11). Final API, JDK 21 and later.
 *
 * <p>Use for a fixed number of threads that do rounds together: nobody begins a round before all have ended the one before.
 * Do not use to wait for tasks to end ({@code Gather}, {@code CountDownLatch}), or for parties that come and go
 * ({@code Phaser}).
 *
 * <p>What breaks a round of {@code CyclicBarrier}: the interrupt, the time limit or the {@code reset()} of one party, for
 * all who wait (asyncio lets the one go and the others wait on); it then stays broken, and parties that each call
 * {@code reset()} to mend it break the round of those who were quicker. What does not: a party that died elsewhere, so here
 * every wait has a limit.
 *
 * <p>Thread-safe. A round ends for all or for none: either every party returns, or each that waited gets an exception.
 *
 * <p>Run: {@code java examples/state/Barrier.java}
 */
public final class Barrier {

    // @start region="barrier"
    private final CyclicBarrier barrier;
    private final ReentrantLock mending = new ReentrantLock(); // held for each reset

    public Barrier(int parties) {
        barrier = new CyclicBarrier(parties);
    }

    /**
     * Waits for the other parties. After any of the exceptions the round is over for all who waited, and the barrier is
     * whole again: the way to recover is to call this again, for all parties.
     *
     * @return the order of arrival: {@code parties - 1} for the first, 0 for the last, who may do what is to be done once
     * @throws BrokenBarrierException another party was interrupted, out of time, or called {@link #reset}
     * @throws TimeoutException       the others did not come within {@code limit}
     * @throws InterruptedException   interrupted before all had come; afterwards only the flag is set
     */
    public int await(Duration limit) throws InterruptedException, BrokenBarrierException, TimeoutException {
        try {
            return barrier.await(Math.min(TimeUnit.NANOSECONDS.convert(limit), Long.MAX_VALUE / 2), TimeUnit.NANOSECONDS);
        } finally {
            if (barrier.isBroken()) {
                mend();
            }
        }
    }

    /** Once, by one of those who see it: nobody waits at a broken barrier, and a late one finds it whole and leaves it alone. */
    private void mend() {
        mending.lock();
        try {
            if (barrier.isBroken()) {
                barrier.reset();
            }
        } finally {
            mending.unlock();
        }
    }

    /** Ends the round of those who wait, with a {@link BrokenBarrierException}. */
    public void reset() {
        mending.lock();
        try {
            barrier.reset();
        } finally {
            mending.unlock();
        }
    }
    // @end region="barrier"

    public static void main(String[] args) throws Exception {
        int parties = 3;
        int rounds = 5;
        var barrier = new Barrier(parties);
        var arrived = new AtomicInteger();
        var early = new AtomicInteger();
        var broken = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        for (int party = 0; party < parties; party++) {
            boolean late = party == 2;
            threads.add(Thread.startVirtualThread(() -> {
                try {
                    while (late && broken.get() < 2) { // the others give up round 0 at least once
                        Thread.sleep(1);
                    }
                    for (int round = 0; round < rounds; round++) {
                        arrived.incrementAndGet();
                        meet(barrier, broken);
                        early.addAndGet(arrived.get() < (round + 1) * parties ? 1 : 0);
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println(rounds + " rounds of " + parties + " parties, waits broken or timed out on the way: "
                + broken);
        check(early.get() == 0, "all have come before anyone goes on");
        check(arrived.get() == rounds * parties && broken.get() >= 2, "every party recovers and ends all rounds");
        raw();
    }

    // @start region="recover"
    private static void meet(Barrier barrier, AtomicInteger broken) throws InterruptedException {
        while (true) {
            try {
                barrier.await(Duration.ofMillis(40));
                return;
            } catch (BrokenBarrierException | TimeoutException e) {
                broken.incrementAndGet(); // what the round had done is undone here, or done again
            }
        }
    }
    // @end region="recover"

    private static void raw() throws InterruptedException {
        var raw = new CyclicBarrier(2);
        Thread party = Thread.startVirtualThread(() -> {
            try {
                raw.await();
            } catch (InterruptedException | BrokenBarrierException e) {
                System.out.println("CyclicBarrier: " + e.getClass().getSimpleName() + " for the interrupted party");
            }
        });
        party.interrupt();
        party.join();
        List<String> seen = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            try {
                raw.await();
            } catch (BrokenBarrierException e) {
                seen.add(e.getClass().getSimpleName());
            }
        }
        System.out.println("CyclicBarrier: " + seen + " for everyone who comes later, until reset()");
        check(seen.size() == 2, "a broken CyclicBarrier stays broken");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
