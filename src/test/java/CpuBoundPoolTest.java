import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class CpuBoundPoolTest {

    private static <T> T spin(CountDownLatch begun) throws InterruptedException {
        begun.countDown();
        while (true) {
            CpuBoundPool.checkpoint();
        }
    }

    @Test
    void runsOnThePlatformThreadsOfThePool() throws Exception {
        try (var pool = new CpuBoundPool(2)) {
            assertTrue(pool.call(() -> !Thread.currentThread().isVirtual() && Thread.currentThread().getName()
                    .startsWith("cpu-")));
            var boom = new IOException();
            assertSame(boom, assertThrows(ExecutionException.class, () -> pool.call(() -> {
                throw boom;
            })).getCause());
            assertEquals(IntStream.range(0, 1_000).boxed().toList(),
                    pool.all(IntStream.range(0, 1_000).<Callable<Integer>>mapToObj(i -> () -> i).toList()));
        }
    }

    @Test
    void anInterruptStopsARunningJobAndWaitsForIt() throws Exception {
        try (var pool = new CpuBoundPool(1)) {
            var begun = new CountDownLatch(1);
            var finish = new CountDownLatch(1);
            var ended = new AtomicBoolean();
            Thread caller = Thread.currentThread();
            Thread.startVirtualThread(() -> {
                try {
                    begun.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                caller.interrupt();
                finish.countDown();
            });
            var e = assertThrows(InterruptedException.class, () -> pool.call(() -> {
                try {
                    return spin(begun);
                } finally {
                    finish.await();
                    ended.set(true);
                }
            }));
            assertTrue(ended.get());
            assertEquals(0, e.getSuppressed().length);
            assertFalse(pool.call(() -> Thread.currentThread().isInterrupted()),
                    "the flag does not reach the next job");
        }
    }

    @Test
    void whatAJobThrowsAfterItsInterruptIsSuppressed() throws Exception {
        try (var pool = new CpuBoundPool(1)) {
            var boom = new IOException("cleanup");
            Thread caller = Thread.currentThread();
            var e = assertThrows(InterruptedException.class, () -> pool.call(() -> {
                caller.interrupt();
                try {
                    return spin(new CountDownLatch(1));
                } catch (InterruptedException stop) {
                    throw boom;
                }
            }));
            assertSame(boom, e.getSuppressed()[0]);
        }
    }

    @Test
    void aJobNotYetBegunIsWithdrawn() throws Exception {
        var ran = new AtomicInteger();
        try (var pool = new CpuBoundPool(1); var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var begun = new CountDownLatch(1);
            var end = new CountDownLatch(1);
            var first = executor.submit(() -> pool.call(() -> {
                begun.countDown();
                end.await();
                return 1;
            }));
            begun.await();
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> pool.call(ran::incrementAndGet));
            end.countDown();
            assertEquals(1, first.get());
        }
        assertEquals(0, ran.get());
    }

    @Test
    void theFirstFailureStopsTheOthers() throws Exception {
        try (var pool = new CpuBoundPool(3)) { // a thread for each job: in which order they are begun is not said
            var begun = new CountDownLatch(2);
            var boom = new IOException();
            var ended = new AtomicInteger();
            Callable<Integer> endless = () -> {
                try {
                    return spin(begun);
                } finally {
                    ended.incrementAndGet();
                }
            };
            List<Callable<Integer>> jobs = List.of(endless, () -> {
                begun.await();
                throw boom;
            }, endless);
            assertSame(boom, assertThrows(ExecutionException.class, () -> pool.all(jobs)).getCause());
            assertEquals(2, ended.get());
        }
    }

    @Test
    void aCloserThatIsInterruptedLeavesNobodyWaiting() throws Exception {
        var pool = new CpuBoundPool(1);
        var begun = new CountDownLatch(1);
        var failures = new ArrayList<Throwable>();
        var running = Thread.startVirtualThread(() -> failures.add(assertThrows(ExecutionException.class, () ->
                pool.call(() -> spin(begun)))));
        begun.await();
        var submitted = new CountDownLatch(1);
        var queued = Thread.startVirtualThread(() -> {
            submitted.countDown();
            assertThrows(CancellationException.class, () -> pool.call(() -> 1));
        });
        submitted.await();
        while (queued.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        Thread.currentThread().interrupt();
        pool.close();
        assertTrue(Thread.interrupted());
        running.join();
        queued.join();
        assertInstanceOf(InterruptedException.class, failures.getFirst().getCause());
        assertThrows(RejectedExecutionException.class, () -> pool.call(() -> 1));
    }

    /**
     * Jobs that compute, wait for their interrupt or fail, callers interrupted at random: never more than the threads,
     * none left.
     */
    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var inside = new AtomicInteger();
        var peak = new AtomicInteger();
        var calls = new AtomicInteger();
        var ways = List.of(new AtomicInteger(), new AtomicInteger(), new AtomicInteger());
        long interrupts;
        try (var pool = new CpuBoundPool(3)) {
            var tasks = new ArrayList<Chaos.Task>();
            for (int t = 0; t < 10; t++) {
                tasks.add(() -> {
                    // until an interrupt has come, too
                    for (int i = 0; i < rounds / 10 || ways.get(2).get() == 0; i++) {
                        calls.incrementAndGet();
                        int number = i;
                        var mine = new AtomicInteger();
                        try {
                            int value = pool.call(() -> {
                                mine.incrementAndGet();
                                peak.accumulateAndGet(inside.incrementAndGet(), Math::max);
                                try {
                                    for (int n = 0; n < 100; n++) {
                                        CpuBoundPool.checkpoint();
                                    }
                                    if (number % 5 == 0) {
                                        throw new IOException();
                                    }
                                    return number;
                                } finally {
                                    inside.decrementAndGet();
                                    mine.decrementAndGet();
                                }
                            });
                            assertEquals(number, value);
                            ways.get(0).incrementAndGet();
                        } catch (ExecutionException e) {
                            assertInstanceOf(IOException.class, e.getCause(), "no interrupt of another job");
                            ways.get(1).incrementAndGet();
                        } catch (InterruptedException e) {
                            ways.get(2).incrementAndGet();
                        }
                        assertEquals(0, mine.get(), "ended before the caller goes on");
                    }
                });
            }
            interrupts = Chaos.run(tasks);
        }
        System.out.println("CpuBoundPool: " + calls + " jobs, " + interrupts
                + " interrupts, values/failures/interrupted: " + ways);
        assertTrue(calls.get() >= rounds);
        assertEquals(calls.get(), ways.stream().mapToInt(AtomicInteger::get).sum());
        assertTrue(ways.stream().allMatch(way -> way.get() > 0));
        assertTrue(peak.get() <= 3 && inside.get() == 0);
    }

    @Test
    @SuppressWarnings("try") // close() is called on purpose
    void closeAndCallInAJobAreRefused() throws Exception {
        try (var pool = new CpuBoundPool(2)) {
            for (Callable<Integer> inside : List.<Callable<Integer>>of(() -> {
                pool.close();
                return 1;
            }, () -> pool.call(() -> 1), () -> pool.all(List.<Callable<Integer>>of(() -> 1)).getFirst())) {
                var e = assertThrows(ExecutionException.class, () -> pool.call(inside));
                assertInstanceOf(IllegalStateException.class, e.getCause());
            }
            assertEquals(1, pool.<Integer>call(() -> 1), "still open");
        }
        assertThrows(IllegalArgumentException.class, () -> new CpuBoundPool(0));
    }

    @Test
    void theFailureIsTheCauseAsItIs() throws Exception {
        try (var pool = new CpuBoundPool(1)) {
            for (var failure : List.of(new CancellationException("own"),
                    new java.util.concurrent.CompletionException(null))) {
                assertSame(failure, assertThrows(ExecutionException.class, () -> pool.call(() -> {
                    throw failure;
                })).getCause());
            }
        }
    }

    /** The caller's interrupt, a second one, and those of two closing threads: the job's cleanup is left alone. */
    @Test
    void aJobIsInterruptedOnce() throws Exception {
        var pool = new CpuBoundPool(1);
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var cleaned = new CountDownLatch(1);
        var again = new AtomicBoolean();
        Thread caller = Thread.startVirtualThread(() -> assertThrows(InterruptedException.class, () -> pool.call(() -> {
            try {
                return spin(begun);
            } finally {
                cleaning.countDown();
                try {
                    cleaned.await();
                } catch (InterruptedException e) {
                    again.set(true);
                }
            }
        })));
        begun.await();
        caller.interrupt();
        cleaning.await();
        caller.interrupt();
        var closers = List.of(Thread.ofVirtual().unstarted(pool::close), Thread.ofVirtual().unstarted(pool::close));
        for (Thread closer : closers) {
            closer.start();
            closer.interrupt();
            while (closer.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
            closer.interrupt();
        }
        cleaned.countDown();
        for (Thread closer : closers) {
            closer.join();
        }
        caller.join();
        assertFalse(again.get());
    }
}
