import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class ThrottleTest {

    private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);

    @Test
    void runsTheFirstAtOnceAndTheLastAfterTheInterval() throws Exception {
        var ran = new LinkedBlockingQueue<Integer>();
        try (var throttle = new Throttle<Integer>(Duration.ofMillis(20), ran::add)) {
            for (int i = 0; i <= 1_000; i++) {
                throttle.call(i);
            }
            assertEquals(0, ran.take());
            while (ran.take() != 1_000) {
                // a value in between, if this thread was slow
            }
        }
    }

    @Test
    void anIntervalLiesBetweenRuns() throws Exception {
        long start = System.nanoTime();
        var begun = new ArrayList<Long>();
        var enough = new CountDownLatch(5);
        try (var throttle = new Throttle<Integer>(Duration.ofMillis(10), value -> {
            begun.add(System.nanoTime());
            enough.countDown();
        })) {
            while (enough.getCount() > 0) {
                throttle.call(1);
                Thread.yield();
            }
        }
        assertTrue(begun.get(4) - start >= Duration.ofMillis(10).toNanos() * 4, "4 intervals before the 5th run");
    }

    @Test
    void flushRunsTheLastValueNowAndOnce() throws Exception {
        var ran = new ArrayList<Integer>();
        var called = new CountDownLatch(1);
        try (var throttle = new Throttle<Integer>(NEVER, value -> {
            called.await(); // the other calls come while the first value is run
            ran.add(value);
        })) {
            throttle.flush();
            for (int i = 0; i <= 100; i++) {
                throttle.call(i);
            }
            called.countDown();
            throttle.flush();
            assertEquals(List.of(0, 100), ran);
            throttle.flush();
            throttle.call(7);
            throttle.flush();
            assertEquals(List.of(0, 100, 7), ran);
        }
    }

    @Test
    void anIdleThrottleHoldsNoThreadAndBeginsAnew() throws Exception {
        BlockingQueue<Integer> ran = new LinkedBlockingQueue<>();
        var threads = ConcurrentHashMap.<Thread>newKeySet();
        try (var throttle = new Throttle<Integer>(Duration.ofMillis(5), value -> {
            threads.add(Thread.currentThread());
            ran.add(value);
        })) {
            for (int i = 1; i <= 3; i++) {
                throttle.call(i);
                assertEquals(i, ran.take());
                for (Thread thread : threads) {
                    thread.join();
                }
            }
            assertEquals(3, threads.size());
        }
    }

    @Test
    void closeDropsWhatWaitsAndInterruptsWhatRuns() throws Exception {
        var begun = new CountDownLatch(1);
        var interrupted = new AtomicInteger();
        var runs = new AtomicInteger();
        var throttle = new Throttle<Integer>(Duration.ZERO, value -> {
            runs.incrementAndGet();
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                Thread.sleep(50); // time for a close() that does not wait to return
                interrupted.incrementAndGet();
            }
        });
        throttle.call(1);
        begun.await();
        throttle.call(2);
        Thread.currentThread().interrupt();
        throttle.close();
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        assertEquals(1, interrupted.get(), "the action has ended");
        assertEquals(1, runs.get());
        throttle.close();
        throttle.flush();
        assertThrows(IllegalStateException.class, () -> throttle.call(3));

        var idle = new Throttle<Integer>(NEVER, value -> runs.incrementAndGet());
        idle.call(1);
        idle.flush();
        idle.call(2);
        idle.close(); // does not wait for the interval
        assertEquals(2, runs.get());
    }

    @Test
    void closeAndFlushFromWithinTheAction() throws Exception {
        var self = new AtomicReference<Throttle<Integer>>();
        var done = new LinkedBlockingQueue<Boolean>();
        self.set(new Throttle<Integer>(Duration.ZERO, value -> {
            self.get().flush();
            assertThrows(IllegalStateException.class, self.get()::close);
            if (value == 1) {
                self.get().call(2); // not closed
            }
            done.add(Thread.currentThread().isInterrupted());
        }));
        self.get().call(1);
        assertFalse(done.take());
        self.get().close();
    }

    @Test
    void aLeftoverFlagDoesNotReachTheNextRun() throws Exception {
        var flags = new LinkedBlockingQueue<Boolean>();
        var self = new AtomicReference<Throttle<Integer>>();
        try (var throttle = new Throttle<Integer>(Duration.ZERO, value -> {
            flags.add(Thread.currentThread().isInterrupted());
            if (value == 1) {
                self.get().call(2); // run without a wait in between
                self.get().flush();
                Thread.currentThread().interrupt();
            }
        })) {
            self.set(throttle);
            throttle.call(1);
            assertFalse(flags.take());
            assertFalse(flags.take());
        }
    }

    @Test
    void failuresAndLeftoverFlagsEndNothing() throws Exception {
        var reported = new LinkedBlockingQueue<Throwable>();
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
            if (thread.getName().equals("throttle")) { // what a thread of another test left behind is not ours
                reported.add(failure);
            }
        });
        try {
            var ran = new ArrayList<Integer>();
            try (var throttle = new Throttle<Integer>(NEVER, value -> {
                ran.add(value);
                Thread.currentThread().interrupt();
                if (value == 1) {
                    throw new StackOverflowError();
                }
            })) {
                for (int i = 1; i <= 3; i++) {
                    throttle.call(i);
                    throttle.flush();
                }
                assertEquals(List.of(1, 2, 3), ran);
                assertTrue(reported.take() instanceof StackOverflowError);
                assertTrue(reported.isEmpty());
            }
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    /**
     * Calls, flushes and interrupts from several threads: runs never overlap, end with the last value, leave no thread.
     */
    @Test
    void stress() throws Exception {
        int threads = 4;
        int each = 30_000;
        var inside = new AtomicInteger();
        var overlaps = new AtomicInteger();
        var runs = new AtomicInteger();
        var tickets = new AtomicInteger();
        var last = new AtomicInteger();
        var workers = ConcurrentHashMap.<Thread>newKeySet();
        long interrupts;
        try (var throttle = new Throttle<Integer>(Duration.ofNanos(20_000), value -> {
            if (inside.incrementAndGet() > 1) {
                overlaps.incrementAndGet();
            }
            workers.add(Thread.currentThread());
            runs.incrementAndGet();
            last.set(value);
            inside.decrementAndGet();
        })) {
            var tasks = new ArrayList<Chaos.Task>();
            for (int t = 0; t < threads; t++) {
                var random = new Random(t);
                tasks.add(() -> {
                    for (int i = 0; i < each; i++) {
                        int odds = random.nextInt(1_000);
                        if (odds < 5) {
                            try {
                                throttle.flush();
                            } catch (InterruptedException e) {
                                // not waited for
                            }
                        } else if (odds < 10) {
                            Thread.yield();
                        } else {
                            throttle.call(tickets.incrementAndGet());
                        }
                    }
                });
            }
            interrupts = Chaos.run(tasks);
            throttle.call(-1);
            throttle.flush();
            assertEquals(-1, last.get());
        }
        for (Thread worker : workers) {
            worker.join();
        }
        assertEquals(0, overlaps.get());
        assertTrue(runs.get() > 1 && runs.get() <= tickets.get() + 1);
        System.out.println("Throttle: " + tickets + " calls, " + runs + " runs in " + workers.size() + " bursts, "
                + interrupts + " interrupts");
    }

    /** close() against calls and a running action: afterwards nothing runs. */
    @Test
    void stressClose() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            var runs = new AtomicInteger();
            var throttle = new Throttle<Integer>(Duration.ofNanos(1_000), value -> runs.incrementAndGet());
            Thread caller = Thread.startVirtualThread(() -> {
                try {
                    for (int i = 0; i < 50; i++) {
                        throttle.call(i);
                    }
                } catch (IllegalStateException e) {
                    // closed
                }
            });
            throttle.call(-1);
            throttle.close();
            int before = runs.get();
            caller.join();
            assertEquals(before, runs.get());
        }
    }

    @Test
    void aSecondCloseWaitsTooAndInterruptsNobodyAgain() throws Exception {
        var work = new OneInterrupt(1);
        var throttle = new Throttle<Integer>(Duration.ZERO, value -> work.work());
        throttle.call(1);
        work.begun.await();
        var first = Thread.startVirtualThread(throttle::close);
        work.cleaning.await();
        var second = Thread.startVirtualThread(() -> {
            Thread.currentThread().interrupt();
            throttle.close();
            assertTrue(Thread.interrupted());
            assertEquals(0, work.running.get());
        });
        var failed = new AtomicReference<Throwable>();
        second.setUncaughtExceptionHandler((thread, e) -> failed.set(e));
        while (second.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        work.release();
        first.join();
        second.join();
        assertEquals(0, work.second.get());
        assertEquals(null, failed.get());
    }

    @Test
    void anUncaughtHandlerThatThrowsEndsNothing() throws Exception {
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
            throw new IllegalStateException("the logger is closed");
        });
        try {
            var ran = new LinkedBlockingQueue<Integer>();
            var begun = new CountDownLatch(1);
            var called = new CountDownLatch(1);
            try (var throttle = new Throttle<Integer>(Duration.ZERO, value -> {
                ran.add(value);
                if (value == 1) {
                    begun.countDown();
                    called.await();
                    throw new IllegalStateException("failed");
                }
            })) {
                throttle.call(1);
                begun.await();
                throttle.call(2);
                called.countDown();
                throttle.flush();
                assertEquals(List.of(1, 2), List.copyOf(ran));
            }
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    void durationsOfAnySizeAndNoNull() throws Exception {
        var ran = new LinkedBlockingQueue<Integer>();
        try (var throttle = new Throttle<Integer>(Duration.ofSeconds(Long.MIN_VALUE), ran::add)) {
            throttle.call(1);
            assertEquals(1, ran.take());
            throttle.call(2);
            assertEquals(2, ran.take());
            assertEquals("value", assertThrows(NullPointerException.class, () -> throttle.call(null)).getMessage());
        }
        assertEquals("action", assertThrows(NullPointerException.class,
                () -> new Throttle<Integer>(Duration.ZERO, null)).getMessage());
    }
}
