import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * asyncio: {@code Barrier(parties)} (3.11) with {@code abort}, {@code reset} and {@code broken}. Final API, JDK 21 and
 * later.
 *
 * <p>Use for a fixed number of threads that work in rounds: none begins a round before all have ended the previous one.
 * Do not use to wait for tasks to end ({@code Gather}, {@code CountDownLatch}), or for parties that come and go ({@code
 * Phaser}).
 *
 * <p>Thread-safe. A round ends for all or for none: either every party returns, or each that waited gets an exception.
 * A round breaks if one party is interrupted or times out, and by {@link #reset} and {@link #abort} (in asyncio an
 * interrupted party leaves and the others go on waiting). Then the barrier is usable again, except after {@code abort}:
 * a {@code CyclicBarrier} stays broken, and parties that each reset it break the round of faster ones. A party that
 * dies elsewhere breaks nothing, so every wait has a limit; a party that fails must call {@code abort}.
 *
 * <p>Run: {@code java examples/state/Barrier.java}
 */
public final class Barrier {

    // @start region="barrier"
    private static final class Round {
        boolean over;
        boolean broken; // implies over
    }

    private final int parties;
    private final ReentrantLock lock = new ReentrantLock(); // guards the following
    private final Condition changed = lock.newCondition();
    private Round round = new Round();
    private int waiting;
    private boolean aborted;

    public Barrier(int parties) {
        if (parties < 1) {
            throw new IllegalArgumentException("parties is " + parties + ", must be 1 or more");
        }
        this.parties = parties;
    }

    /**
     * Waits for the other parties. After any of the exceptions the round is over for all who waited. Unless the barrier
     * is aborted, all parties recover by calling this again.
     *
     * @return the order of arrival: {@code parties - 1} for the first, 0 for the last, which can do what must be done
     *         once
     * @throws BrokenBarrierException another party was interrupted, out of time, or called {@link #reset} or {@link
     *         #abort}
     * @throws TimeoutException       the others did not come within {@code limit}
     * @throws InterruptedException   interrupted before all had arrived; later only the flag is set
     */
    public int await(Duration limit) throws InterruptedException, BrokenBarrierException, TimeoutException {
        long nanos = Math.min(TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(limit, "limit")), Long.MAX_VALUE / 2);
        lock.lock();
        try {
            if (aborted) {
                throw new BrokenBarrierException("aborted");
            }
            if (Thread.interrupted()) {
                end(true);
                throw new InterruptedException();
            }
            Round mine = round;
            int order = parties - ++waiting;
            if (order == 0) {
                end(false);
            }
            try {
                while (!mine.over && nanos > 0) {
                    nanos = changed.awaitNanos(nanos);
                }
            } catch (InterruptedException e) {
                if (!mine.over) {
                    end(true);
                    throw e;
                }
                Thread.currentThread().interrupt();
            }
            if (!mine.over) {
                end(true);
                throw new TimeoutException("the other parties did not come within " + limit);
            }
            if (mine.broken) {
                throw new BrokenBarrierException(aborted ? "aborted" : "a party left");
            }
            return order;
        } finally {
            lock.unlock();
        }
    }

    /** Ends the round of the waiting parties with a {@link BrokenBarrierException}; undoes an {@link #abort}. */
    public void reset() {
        lock.lock();
        try {
            aborted = false;
            end(true);
        } finally {
            lock.unlock();
        }
    }

    /** Like {@link #reset}, but later callers get the exception, too, until somebody calls {@code reset}. */
    public void abort() {
        lock.lock();
        try {
            aborted = true;
            end(true);
        } finally {
            lock.unlock();
        }
    }

    /** {@code broken}: whether it was aborted. */
    public boolean isAborted() {
        lock.lock();
        try {
            return aborted;
        } finally {
            lock.unlock();
        }
    }

    /** {@code n_waiting}: how many wait now. */
    public int waiting() {
        lock.lock();
        try {
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    private void end(boolean broken) {
        round.over = true;
        round.broken = broken;
        round = new Round();
        waiting = 0;
        changed.signalAll();
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
        barrier.abort(); // by a party that cannot go on
        try {
            barrier.await(Duration.ofSeconds(10));
            check(false, "an aborted barrier lets nobody wait");
        } catch (BrokenBarrierException e) {
            System.out.println("after abort(): " + e.getMessage());
        }
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
