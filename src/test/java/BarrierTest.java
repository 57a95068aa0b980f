import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class BarrierTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    private static Thread waitAt(Barrier barrier, Class<? extends Exception> expected, AtomicInteger asExpected)
            throws InterruptedException {
        Thread thread = Thread.startVirtualThread(() -> {
            assertThrows(expected, () -> barrier.await(LONG));
            asExpected.incrementAndGet();
        });
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
        return thread;
    }

    private static void meetAll(Barrier barrier, int parties) throws Exception {
        var indexes = new ConcurrentSkipListSet<Integer>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Boolean> meet = () -> indexes.add(barrier.await(LONG));
            for (var met : executor.invokeAll(Collections.nCopies(parties, meet))) {
                assertTrue(met.get());
            }
        }
        assertEquals(parties, indexes.size());
        assertEquals(0, indexes.first());
    }

    @Test
    void interruptOfOneEndsTheRoundForAllAndTheNextWorks() throws Exception {
        var barrier = new Barrier(3);
        var asExpected = new AtomicInteger();
        Thread other = waitAt(barrier, BrokenBarrierException.class, asExpected);
        Thread victim = waitAt(barrier, InterruptedException.class, asExpected);
        victim.interrupt();
        victim.join();
        other.join();
        assertEquals(2, asExpected.get());
        meetAll(barrier, 3);
        meetAll(barrier, 3);
    }

    @Test
    void timeoutOfOneEndsTheRoundForAllAndTheNextWorks() throws Exception {
        var barrier = new Barrier(3);
        var asExpected = new AtomicInteger();
        Thread other = waitAt(barrier, BrokenBarrierException.class, asExpected);
        assertThrows(TimeoutException.class, () -> barrier.await(Duration.ofMillis(5)));
        other.join();
        assertThrows(TimeoutException.class, () -> barrier.await(Duration.ZERO));
        assertEquals(1, asExpected.get());
        meetAll(barrier, 3);
    }

    @Test
    void resetEndsTheRoundAndTheNextWorks() throws Exception {
        var barrier = new Barrier(3);
        var asExpected = new AtomicInteger();
        var waiting = List.of(waitAt(barrier, BrokenBarrierException.class, asExpected),
                waitAt(barrier, BrokenBarrierException.class, asExpected));
        barrier.reset();
        for (Thread thread : waiting) {
            thread.join();
        }
        assertEquals(2, asExpected.get());
        meetAll(barrier, 3);
    }

    @Test
    void abortBreaksItForAllUntilReset() throws Exception {
        var barrier = new Barrier(3);
        var asExpected = new AtomicInteger();
        Thread first = waitAt(barrier, BrokenBarrierException.class, asExpected);
        Thread second = waitAt(barrier, BrokenBarrierException.class, asExpected);
        while (barrier.waiting() < 2) {
            Thread.sleep(1);
        }
        assertFalse(barrier.isAborted());
        barrier.abort();
        first.join();
        second.join();
        assertEquals(2, asExpected.get());
        assertTrue(barrier.isAborted());
        assertEquals(0, barrier.waiting());
        assertThrows(BrokenBarrierException.class, () -> barrier.await(LONG));
        barrier.reset();
        meetAll(barrier, 3);
        assertFalse(barrier.isAborted());
    }

    @Test
    void refusesNonsense() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> new Barrier(0));
        var barrier = new Barrier(2);
        assertThrows(NullPointerException.class, () -> barrier.await(null));
        assertThrows(TimeoutException.class, () -> barrier.await(Duration.ofSeconds(Long.MIN_VALUE)));
        assertEquals(0, barrier.waiting());
        assertEquals(0, new Barrier(1).await(Duration.ZERO));
        meetAll(barrier, 2);
    }

    @Test
    void flagSetBeforeCountsAsInterrupt() throws Exception {
        var barrier = new Barrier(2);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> barrier.await(LONG));
        meetAll(barrier, 2);
    }

    /**
     * Rounds under short time limits and resets, without interrupts first (one wakes a party that was left alone at a
     * barrier of its own, which would hide that), then with: a round succeeds for all parties or for none.
     */
    @Test
    void stress() throws Exception {
        meetInRounds(null);
        meetInRounds(Duration.ofNanos(200_000));
    }

    private static void meetInRounds(Duration pause) throws Exception {
        int parties = 4;
        int rounds = 25_000;
        var barrier = new Barrier(parties);
        var came = new AtomicIntegerArray(rounds);
        var last = new AtomicIntegerArray(rounds);
        var waits = new AtomicInteger();
        var broken = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        for (int p = 0; p < parties; p++) {
            var random = new Random(p);
            tasks.add(() -> {
                for (int round = 0; round < rounds; round++) {
                    came.incrementAndGet(round);
                    boolean met = false;
                    while (!met) {
                        waits.incrementAndGet();
                        try {
                            if (random.nextInt(50) == 0) {
                                barrier.reset();
                            }
                            int index = barrier.await(random.nextInt(20) == 0
                                    ? Duration.ofNanos(random.nextInt(20_000)) : LONG);
                            met = true;
                            assertEquals(parties, came.get(round), "went on before all had come");
                            if (index == 0) {
                                last.incrementAndGet(round);
                            }
                        } catch (BrokenBarrierException | TimeoutException | InterruptedException e) {
                            broken.incrementAndGet();
                        }
                    }
                }
            });
        }
        long interrupts = Chaos.run(tasks, pause);
        for (int round = 0; round < rounds; round++) {
            assertEquals(1, last.get(round), "round " + round + " has one last party");
        }
        assertEquals((long) parties * rounds, waits.get() - broken.get());
        System.out.println("Barrier: " + waits + " waits, " + broken + " broken, " + rounds + " rounds met, "
                + interrupts + " interrupts");
    }
}
